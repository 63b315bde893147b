import Linux
import Synchronization
import Testing

@testable import Storage

@Suite struct SnapshotFeedTests {
    private let disk = FakeDisk()

    private func reader() throws -> SnapshotReader {
        try SnapshotReader.open(sequence: 42, in: SnapshotFixture.directory, disk: disk)
    }

    @Test(arguments: [false, true], [1, 2, 7])
    func `every consumer gets every block, in order, and is told the end`(usesThreads: Bool, consumers: Int) throws {
        try SnapshotFixture.write(42, blocks: 300, bytes: 2_000, on: disk)
        let taken = Mutex(Array(repeating: [SnapshotFeed.Block](), count: consumers))
        let ended = Mutex<[Int]>([])
        let boxes = Boxes(taken, ended)
        let feed = SnapshotFeed(
            consumers: consumers,
            take: { (consumer, block) throws(SnapshotError) in boxes.taken.withLock { $0[consumer].append(block) } },
            end: { (consumer) throws(SnapshotError) in boxes.ended.withLock { $0.append(consumer) } })
        try feed.run(try reader(), usesThreads: usesThreads)
        let expected = SnapshotFixture.blocks(300, bytes: 2_000)
        for blocks in boxes.taken.withLock({ $0 }) {
            #expect(blocks.map(\.bytes) == expected.map(\.bytes))
            #expect(blocks.map(\.kind) == expected.map(\.kind))
        }
        #expect(boxes.ended.withLock { $0.sorted() } == Array(0..<consumers))
    }

    @Test(arguments: [false, true])
    func `damage ends it, and no consumer is told that it has had everything`(usesThreads: Bool) throws {
        try SnapshotFixture.write(42, blocks: 200, bytes: 1_000, on: disk)
        let path = SnapshotFixture.path(42)
        let count = try #require(disk[path]).count
        for place in [count / 3, count / 2, count - 100] {
            disk[path]![place] ^= 4
            let ended = Atomic<Int>(0)
            let counter = Counter(ended)
            let feed = SnapshotFeed(
                consumers: 3, take: { (_, _) throws(SnapshotError) in },
                end: { (_) throws(SnapshotError) in counter.value.wrappingAdd(1, ordering: .relaxed) })
            #expect(throws: SnapshotError.self) { try feed.run(try reader(), usesThreads: usesThreads) }
            #expect(counter.value.load(ordering: .relaxed) == 0)
            disk[path]![place] ^= 4
        }
    }

    @Test(arguments: [false, true])
    func `a consumer's error ends it for all`(usesThreads: Bool) throws {
        try SnapshotFixture.write(42, blocks: 200, bytes: 1_000, on: disk)
        let feed = SnapshotFeed(
            consumers: 2,
            take: { (consumer, block) throws(SnapshotError) in
                if consumer == 1 && block.kind.state == 150 { throw .tooLarge(what: "it", found: 2, limit: 1) }
            })
        #expect(throws: SnapshotError.tooLarge(what: "it", found: 2, limit: 1)) {
            try feed.run(try reader(), usesThreads: usesThreads)
        }
    }

    private final class Boxes: Sendable {
        let taken: Mutex<[[SnapshotFeed.Block]]>
        let ended: Mutex<[Int]>
        init(_ taken: consuming Mutex<[[SnapshotFeed.Block]]>, _ ended: consuming Mutex<[Int]>) {
            self.taken = taken
            self.ended = ended
        }
    }

    private final class Counter: Sendable {
        let value: Atomic<Int>
        init(_ value: consuming Atomic<Int>) { self.value = value }
    }
}
