import Plan

/// Keys whose records and logs lie as they did before changes of definitions. A record's flags name the version that it is
/// laid out by; every change but those that leave all in place makes a new version, and a key goes from one to the next when
/// it is used, or when its turn comes.
///
///     steps    0 ──────► 1 ──────► 2 ──────► …  ──────► up to date
///              kernel    kernel    kernel               the partition's kernel
///
/// Versions are counted modulo 128. No more than `stepsMax` steps wait at a time.
struct OutdatedKeys {
    struct Step {
        /// By which keys of this version lie.
        let kernel: PartitionKernel
        /// The greatest event time when the step was made.
        let newest: Int64
        let setsFloor: Bool
        /// nil: all stays where it is.
        let rebuild: KeyRebuild?
        /// Keys of this version.
        var count: Int
    }

    static let stepsMax = 64

    private(set) var steps: [Step] = []
    /// Flags of keys that the first step waits for.
    private var firstFlags: UInt8 = 0
    /// Slot of the index that was looked at last.
    var position = 0

    @inline(__always) var isEmpty: Bool { steps.isEmpty }
    var count: Int { steps.reduce(0) { $0 + $1.count } }

    /// The step that keys with such flags wait for; as many as there are for those that are up to date.
    func step(for flags: UInt8) -> Int { Int((flags &- firstFlags) >> 1) }

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
            first.kernel.deallocate()
            first.rebuild?.deallocate()
            steps.removeFirst()
            firstFlags &+= 2
        }
    }

    func deallocate() {
        for step in steps {
            step.kernel.deallocate()
            step.rebuild?.deallocate()
        }
    }
}
