import Bytes

/// An image that is being taken: what was written of it and waits to be drained, outside of the arena.
///
///     begun ──► taking ──► taken ──► (drained)
///                  └─────► abandoned
///
/// A key is written before its first change behind the mark, or when the sweep comes by: whichever is first. The partitions'
/// and join tables' versions know which keys are written (`OutdatedKeys`, `JoinTable`); keys that are new behind the mark have
/// the version of those that are written. One with many rows is only begun then (`KeyImage`); what is left of it is written a block
/// at a time, so that nobody waits for all of it, and becomes a piece of its own.
final class ShardImage {
    /// Tells steps of this image from those of abandoned ones.
    let number: UInt64
    private let shard: Int
    private let shardCount: Int
    /// Of keys that are used while nobody drains.
    private let waitingBytesMax: Int
    /// What writing some rows of a key costs at one time, in bytes copied.
    let blockBytes: Int
    /// By state, then by join table.
    private let outputs: UnsafeMutablePointer<ImageOutput>
    private let stateCount: Int
    private let outputCount: Int
    private let fingerprints: [UInt64]
    /// Keys in closed pieces, by output.
    private var closedKeys: [Int]

    /// The first number that the sweep has still to look at.
    var sweep = 0

    private(set) var pieces: [ImagePiece] = []
    private(set) var isTaken = false
    /// Bytes of `pieces`, and of the largest one.
    private var pieceBytes = 0
    private var largestBytes = 0
    /// Bytes in open outputs.
    private var openBytes = 0
    /// Keys that are begun, by their records' granules.
    private var keys: [UInt32: KeyImage] = [:]
    /// In the order in which they were begun; some are finished, and so are all before `queueStart`. Not the keys themselves: who
    /// puts a piece together frees its parts, which takes a while.
    private var queue: [UInt32] = []
    private var queueStart = 0
    /// Bytes in keys that are begun, and of the largest of them.
    private var keyBytes = 0
    private var largestKeyBytes = 0
    /// So much has piled up that it is given up.
    private(set) var isOverfull = false

    init(
        number: UInt64, shard: Int, of shardCount: Int, fingerprints: [UInt64], stateCount: Int, waitingBytesMax: Int,
        blockBytes: Int
    ) {
        (self.number, self.shard, self.shardCount) = (number, shard, shardCount)
        (self.fingerprints, self.stateCount, self.waitingBytesMax) = (fingerprints, stateCount, waitingBytesMax)
        self.blockBytes = blockBytes
        outputCount = fingerprints.count
        outputs = .allocate(capacity: max(1, outputCount))
        outputs.initialize(repeating: ImageOutput(), count: outputCount)
        closedKeys = Array(repeating: 0, count: outputCount)
    }

    deinit {
        for number in 0..<outputCount { outputs[number].deallocate() }
        outputs.deallocate()
    }

    var waitingBytes: Int { pieceBytes + openBytes + keyBytes }
    /// One key may be larger than all that should wait.
    private var excessBytes: Int { waitingBytes - max(largestBytes, largestKeyBytes) }
    /// As long as there is something to drain.
    var isSweepPaused: Bool { !pieces.isEmpty && excessBytes > waitingBytesMax / 2 }
    /// Whether a key of a join table, which all shards have, is this one's to write.
    func owns(_ hash: UInt32) -> Bool { Int(hash) % shardCount == shard }

    // MARK: Keys

    /// Where a state's next key is written.
    func output(state: Int) -> UnsafeMutablePointer<ImageOutput> { prepared(state) }
    func output(joinTable: Int) -> UnsafeMutablePointer<ImageOutput> { prepared(stateCount + joinTable) }

    @inline(__always)
    private func prepared(_ number: Int) -> UnsafeMutablePointer<ImageOutput> {
        if outputs[number].count == 0 { outputs[number].beginPiece() }
        return outputs + number
    }

    /// So many bytes have been added to an output.
    @inline(__always)
    func wrote(_ bytes: Int, to output: UnsafeMutablePointer<ImageOutput>) {
        openBytes += bytes
        if output.pointee.count >= ImageFormat.pieceBytes { close(output - outputs) }
        checkBound()
    }

    private func checkBound() {
        if excessBytes > waitingBytesMax { isOverfull = true }
    }

    // MARK: Keys with many rows

    func key(_ granule: UInt32) -> KeyImage? { keys[granule] }

    /// The one that was begun first of those that are not finished.
    var oldestKey: KeyImage? {
        while queueStart < queue.count {
            if let key = keys[queue[queueStart]] { return key }
            queueStart += 1
        }
        queue.removeAll(keepingCapacity: true)
        queueStart = 0
        return nil
    }

    func begin(_ key: KeyImage) {
        assert(keys[key.granule] == nil, "a record is another key's only when it is written")
        keys[key.granule] = key
        queue.append(key.granule)
        wrote(key.byteCount, to: key)
    }

    /// So many bytes of it have been written; the last ones make it a piece.
    func wrote(_ bytes: Int, to key: KeyImage) {
        keyBytes += bytes
        largestKeyBytes = max(largestKeyBytes, key.byteCount)
        if key.isWritten {
            keys[key.granule] = nil
            keyBytes -= key.byteCount
            if keys.isEmpty { largestKeyBytes = 0 }
            closedKeys[key.state] += 1
            key.finish(
                ImageHeader(
                    .state, shard: shard, shardCount: shardCount, number: key.state, keyCount: 1,
                    fingerprint: fingerprints[key.state]))
            add(ImagePiece(key))
        }
        checkBound()
    }

    private func close(_ number: Int) {
        let keys = outputs[number].keyCount
        if keys == 0 { return }
        closedKeys[number] += keys
        openBytes -= outputs[number].count - ImageFormat.headerBytes
        let isState = number < stateCount
        add(
            ImageHeader(
                isState ? .state : .joinTable, shard: shard, shardCount: shardCount,
                number: isState ? number : number - stateCount, keyCount: keys, fingerprint: fingerprints[number]),
            outputs[number].takePiece())
    }

    private func add(_ header: ImageHeader, _ memory: UnsafeMutableRawBufferPointer) {
        header.write(to: memory.baseAddress!, pieceBytes: memory.count)
        add(ImagePiece(memory))
    }

    private func add(_ piece: ImagePiece) {
        pieces.append(piece)
        pieceBytes += piece.byteCount
        largestBytes = max(largestBytes, piece.byteCount)
    }

    // MARK: Beginning and end

    /// - Parameter write: puts the body.
    func addBeginning(_ write: (inout ImageOutput) -> Void) { addPiece(.beginning, write) }

    /// All keys are written.
    func finish() {
        precondition(keys.isEmpty, "no key is left that was begun")
        for number in 0..<outputCount { close(number) }
        addPiece(.end) { [closedKeys, stateCount, outputCount] output in
            output.put(UInt32(stateCount))
            output.put(UInt32(outputCount - stateCount))
            for keys in closedKeys { output.put(UInt64(keys)) }
        }
        isTaken = true
    }

    private func addPiece(_ kind: ImageKind, _ write: (inout ImageOutput) -> Void) {
        var output = ImageOutput()
        output.beginPiece()
        write(&output)
        add(ImageHeader(kind, shard: shard, shardCount: shardCount), output.takePiece())
    }

    /// Finished pieces, oldest first, which are the caller's then.
    func drain() -> [ImagePiece] {
        let drained = pieces
        pieces = []
        (pieceBytes, largestBytes) = (0, 0)
        return drained
    }
}

/// How far a shard's image is.
public enum ImageProgress: Hashable, Sendable {
    /// None was begun, or the last one is drained.
    case none
    case taking
    /// All of it is written; what is not drained yet waits.
    case taken
    case abandoned(ImageAbandonment)
}

/// Why an image was given up. The state that it was taken of has not suffered.
public enum ImageAbandonment: Hashable, Sendable, CustomStringConvertible {
    /// Keys were used faster than pieces were drained: so many bytes waited.
    case tooMuchWaits(bytes: Int)
    /// A change of definitions that keys had still to make found no memory.
    case memoryFull
    /// It could not be begun: changes of definitions or abandoned images before it are unfinished.
    case tooManyUnfinished
    /// Definitions changed.
    case definitionsChanged
    case asked

    public var description: String {
        switch self {
        case .tooMuchWaits(let bytes): "\(bytes >> 20) MiB of it waited to be written: keys were used faster than that"
        case .memoryFull: "memory is full, and an earlier change of definitions needs some for keys that come before"
        case .tooManyUnfinished: "too many changes of definitions and abandoned images before it are unfinished"
        case .definitionsChanged: "the definitions changed"
        case .asked: "it was called off"
        }
    }
}
