import Plan

/// Keys that steps wait for: those whose records and logs lie as they did before changes of definitions, and those that are to
/// be written into an image before anything about them changes. A record's flags name its version; every image, and every
/// change but those that leave all in place, makes a new version, and a key goes from one to the next when it is used, or when
/// its turn comes.
///
///     steps    0 ──────► 1 ──────► 2 ──────► …  ──────► up to date
///              kernel    (image)   kernel               the partition's kernel
///
/// Versions are counted modulo 128. No more than `stepsMax` steps wait at a time.
struct OutdatedKeys {
    struct Step {
        enum Work {
            /// By a kernel that keys of this version lie by, and that the step owns.
            case change(Change, from: PartitionKernel)
            /// The key is written, or begun, where this is the image that is being taken: all stays where it is.
            case image(ImageStep)
        }

        let work: Work
        /// Keys of this version.
        var count: Int

        func deallocate() {
            guard case .change(let change, let kernel) = work else { return }
            kernel.deallocate()
            change.rebuild?.deallocate()
        }
    }

    struct ImageStep {
        /// `ShardImage.number`.
        let image: UInt64
        /// Number of the partition's state.
        let state: Int
        /// A key with more rows is written in blocks of so many.
        let blockRows: Int
    }

    struct Change {
        /// The greatest event time when it was made.
        let newest: Int64
        let setsFloor: Bool
        /// nil: all stays where it is.
        let rebuild: KeyRebuild?
    }

    static let stepsMax = 64

    private(set) var steps: [Step] = []
    /// Flags of keys that the first step waits for.
    private var firstFlags: UInt8 = 0
    /// Slot of the index that was looked at last.
    var position = KeyIndex.Position()

    @inline(__always) var isEmpty: Bool { steps.isEmpty }
    var count: Int { steps.reduce(0) { $0 + $1.count } }

    /// The step that keys with such flags wait for; as many as there are for those that are up to date.
    func step(for flags: UInt8) -> Int { Int((flags &- firstFlags) >> 1) }

    /// By which keys lie that wait for a step; nil: as the partition says.
    func kernel(at step: Int) -> PartitionKernel? {
        for step in steps.dropFirst(step) {
            if case .change(_, let kernel) = step.work { return kernel }
        }
        return nil
    }

    /// Some keys wait for another step than that of an image.
    func hasSteps(butOf image: UInt64?) -> Bool {
        steps.contains { step in
            if case .image(let step) = step.work { step.image != image } else { true }
        }
    }

    /// - Parameter flags: those of the keys that wait for it.
    mutating func append(_ step: Step, flags: UInt8) {
        if steps.isEmpty { firstFlags = flags }
        steps.append(step)
    }

    /// One key has made a step; to the next one, unless it is gone.
    mutating func passed(_ step: Int, isGone: Bool) {
        steps[step].count -= 1
        if !isGone && step + 1 < steps.count { steps[step + 1].count += 1 }
    }

    /// Steps that nobody will make any more are forgotten.
    mutating func retire() {
        while let first = steps.first, first.count == 0 {
            first.deallocate()
            steps.removeFirst()
            firstFlags &+= 2
        }
    }

    func deallocate() {
        for step in steps { step.deallocate() }
    }
}
