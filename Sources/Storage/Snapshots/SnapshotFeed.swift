import Linux

/// Gives every block of a snapshot to several consumers at once, each on a thread of its own and in the order of the file.
///
///     file ─► reader (calling thread) ─► stored ─► decompressors ─► raw ─► consumer 0 … consumer n-1
///                    ◄── waits while `blocksAheadMax` or `bytesAheadMax` lie between it and the slowest consumer
///
/// The first error, whoever meets it, ends everything; `run` throws it when all threads have ended. When `run` returns, every block
/// that was written has been given to every consumer.
public struct SnapshotFeed: Sendable {
    public struct Block: Sendable {
        public var kind: SnapshotBlockKind
        public var keyCount: Int
        public var bytes: [UInt8]
        /// Where it stands, for messages.
        public var path: String
        public var offset: Int
    }

    public static let blocksAheadMax = 64
    public static let bytesAheadMax = 128 << 20
    private static let decompressorsMax = 4
    /// A smaller snapshot is not worth threads.
    private static let bytesForThreads = 4 << 20

    private let consumerCount: Int
    private let take: @Sendable (Int, Block) throws(SnapshotError) -> Void
    private let end: @Sendable (Int) throws(SnapshotError) -> Void

    /// - Parameters:
    ///   - take: called with each consumer's number and block.
    ///   - end: called with a consumer's number when it has had them all.
    public init(
        consumers: Int, take: @escaping @Sendable (Int, Block) throws(SnapshotError) -> Void,
        end: @escaping @Sendable (Int) throws(SnapshotError) -> Void = { (_) throws(SnapshotError) in }
    ) {
        consumerCount = consumers
        self.take = take
        self.end = end
    }

    /// - Parameter progress: called by the reader with the bytes it has read, of as many as the file has.
    public func run(
        _ reader: consuming SnapshotReader, usesThreads: Bool? = nil, progress: (Int, Int) -> Void = { _, _ in }
    ) throws(SnapshotError) {
        if usesThreads ?? (reader.footer.rawBytes >= Self.bytesForThreads) {
            try runOnThreads(reader, progress)
        } else {
            try runHere(reader)
        }
    }

    private func runHere(_ reader: consuming SnapshotReader) throws(SnapshotError) {
        let decompressor = SnapshotDecompressor()
        while let stored = try reader.next() {
            let block = Block(stored, bytes: try decompressor.bytes(of: stored))
            for consumer in 0..<consumerCount { try take(consumer, block) }
        }
        for consumer in 0..<consumerCount { try end(consumer) }
    }

    // MARK: Threads

    private struct State: Sendable {
        /// Read, and not decompressed yet, with their numbers.
        var stored: [(number: Int, block: StoredSnapshotBlock)] = []
        /// Decompressed, from the slowest consumer's next on.
        var blocks: [Int: Block] = [:]
        /// The number of the block that each consumer takes next.
        var cursors: [Int]
        var slowest = 0
        var readCount = 0
        /// Raw bytes of the blocks from `slowest` to `readCount`, one by one and in all.
        var sizes: [Int: Int] = [:]
        var bytesAhead = 0
        var isRead = false
        var failure: SnapshotError?

        /// One block is always let through, however long it is.
        var hasRoom: Bool { readCount == slowest || readCount - slowest < blocksAheadMax && bytesAhead < bytesAheadMax }

        mutating func read(_ block: StoredSnapshotBlock) {
            stored.append((readCount, block))
            sizes[readCount] = block.rawBytes
            bytesAhead += block.rawBytes
            readCount += 1
        }

        mutating func taken(by consumer: Int) {
            cursors[consumer] += 1
            let slowest = cursors.min() ?? readCount
            while self.slowest < slowest {
                blocks[self.slowest] = nil
                bytesAhead -= sizes.removeValue(forKey: self.slowest) ?? 0
                self.slowest += 1
            }
        }
    }

    private enum Turn: Sendable {
        case block(number: Int, Block)
        case stored(number: Int, StoredSnapshotBlock)
        case end
    }

    private func runOnThreads(_ reader: consuming SnapshotReader, _ progress: (Int, Int) -> Void) throws(SnapshotError) {
        let monitor = Monitor(State(cursors: Array(repeating: 0, count: consumerCount)))
        var threads: [JoinedThread] = []
        let fileBytes = reader.footer.fileBytes
        do throws(SnapshotError) {
            for consumer in 0..<consumerCount {
                threads.append(
                    try JoinedThread(name: "loading \(consumer)", monitor) { () throws(SnapshotError) in
                        try consume(consumer, monitor)
                    })
            }
            for number in 0..<max(1, min(Self.decompressorsMax, consumerCount / 2)) {
                threads.append(
                    try JoinedThread(name: "unpacking \(number)", monitor) { () throws(SnapshotError) in
                        try decompress(monitor)
                    })
            }
            while monitor.wait(for: { $0.failure != nil ? false : $0.hasRoom ? true : nil }), let block = try reader.next() {
                progress(block.offset, fileBytes)
                monitor.withLock { $0.read(block) }
            }
            monitor.withLock { $0.isRead = true }
        } catch {
            monitor.withLock { $0.failure = $0.failure ?? error }
        }
        for thread in threads { thread.join() }
        if let failure = monitor.withLock({ $0.failure }) { throw failure }
    }

    private func decompress(_ monitor: Monitor<State>) throws(SnapshotError) {
        let decompressor = SnapshotDecompressor()
        while true {
            let turn: Turn = monitor.wait { state in
                if state.failure != nil { return .end }
                if !state.stored.isEmpty {
                    let (number, block) = state.stored.removeFirst()
                    return .stored(number: number, block)
                }
                return state.isRead ? .end : nil
            }
            guard case .stored(let number, let stored) = turn else { return }
            let block = Block(stored, bytes: try decompressor.bytes(of: stored))
            monitor.withLock { $0.blocks[number] = block }
        }
    }

    private func consume(_ consumer: Int, _ monitor: Monitor<State>) throws(SnapshotError) {
        var isWhole = false
        while true {
            let turn: Turn = monitor.wait { state in
                if state.failure != nil { return .end }
                let number = state.cursors[consumer]
                if let block = state.blocks[number] { return .block(number: number, block) }
                isWhole = state.isRead && number == state.readCount
                return isWhole ? .end : nil
            }
            guard case .block(_, let block) = turn else { break }
            try take(consumer, block)
            monitor.withLock { $0.taken(by: consumer) }
        }
        if isWhole { try end(consumer) }
    }

    /// A thread whose error becomes everybody's.
    private final class JoinedThread {
        private var thread: SystemThread?

        init(
            name: String, _ monitor: Monitor<State>, _ body: @escaping @Sendable () throws(SnapshotError) -> Void
        ) throws(SnapshotError) {
            do throws(SystemError) {
                thread = try SystemThread(name: name) {
                    do throws(SnapshotError) {
                        try body()
                    } catch {
                        monitor.withLock { $0.failure = $0.failure ?? error }
                    }
                }
            } catch {
                throw .system(error)
            }
        }

        func join() { thread.take()?.join() }
    }
}

extension SnapshotFeed.Block {
    fileprivate init(_ stored: StoredSnapshotBlock, bytes: [UInt8]) {
        self.init(kind: stored.kind, keyCount: stored.keyCount, bytes: bytes, path: stored.path, offset: stored.offset)
    }
}
