import Linux
import Synchronization
import Testing

@testable import Runtime

@Suite struct `The ring of the sequence` {
    @Test func `gives places in order and none beyond its capacity`() {
        let ring = EntryRing<Int>(capacity: 4, cursors: 2)
        var slowest: UInt64 = 0
        for entry in 0..<4 { #expect(ring.append(entry, slowestKnown: &slowest) == UInt64(entry)) }
        #expect(ring.append(4, slowestKnown: &slowest) == nil)
        ring.moveCursor(0, to: 4)
        #expect(ring.append(4, slowestKnown: &slowest) == nil, "the other core still stands at the first place")
        ring.moveCursor(1, to: 1)
        #expect(ring.append(4, slowestKnown: &slowest) == 4)
        #expect(ring.append(5, slowestKnown: &slowest) == nil)
    }

    @Test func `tells a published place from one of the round before`() {
        let ring = EntryRing<Int>(capacity: 2, cursors: 1)
        var slowest: UInt64 = 0
        #expect(ring.phase(at: 0) == nil)
        for position in 0..<7 as Range<UInt64> {
            #expect(ring.phase(at: position) == nil)
            #expect(ring.append(Int(position) * 10, slowestKnown: &slowest) == position)
            #expect(ring.phase(at: position) == 0)
            #expect(ring.entry(at: position) == Int(position) * 10)
            ring.enter(phase: EntryRing<Int>.complete, at: position)
            #expect(ring.phase(at: position) == EntryRing<Int>.complete)
            ring.moveCursor(0, to: position + 1)
        }
    }

    /// Every core produces and walks. Each must see the same order; each producer's entries must keep theirs; none may be
    /// lost or seen twice. Run it with `swift test --sanitize=thread --filter EntryRing` as well.
    @Test(arguments: [2, 4]) func `shows every core the same order while all of them fill it`(cores: Int) throws {
        let entriesPerCore = 250_000
        let ring = EntryRing<UInt64>(capacity: 256, cursors: cores)
        let bells = try (0..<cores).map { _ in try Doorbell() }
        let digests = (0..<cores).map { _ in Digest() }
        var threads: [ThreadBox] = []
        for core in 0..<cores {
            let digest = digests[core]
            threads.append(
                try ThreadBox(
                    SystemThread(name: "ring \(core)") {
                        walk(core: core, cores: cores, entriesPerCore: entriesPerCore, ring: ring, bells: bells, digest: digest)
                    }))
        }
        for thread in threads { thread.join() }
        let first = digests[0].value.load(ordering: .acquiring)
        for digest in digests {
            let (outOfOrder, value) = (digest.outOfOrder.load(ordering: .acquiring), digest.value.load(ordering: .acquiring))
            #expect(outOfOrder == 0)
            #expect(value == first)
        }
        #expect(ring.slowestCursor() == UInt64(cores * entriesPerCore))
    }
}

private final class Digest: Sendable {
    let value = Atomic<UInt64>(0)
    let outOfOrder = Atomic<Int>(0)
}

private final class ThreadBox {
    private var thread: SystemThread?
    init(_ thread: consuming SystemThread) { self.thread = consume thread }
    func join() { thread.take()?.join() }
}

private func walk(
    core: Int, cores: Int, entriesPerCore: Int, ring: EntryRing<UInt64>, bells: [Doorbell], digest: Digest
) {
    // Two descriptors for each core: a process that cannot have them cannot run tests.
    let poll = try! EventPoll(eventsMax: 8)
    try! poll.add(bells[core].number, .read, token: 0)
    var slowest: UInt64 = 0
    var produced = 0
    var position: UInt64 = 0
    var hash: UInt64 = 0
    var newest = [Int](repeating: -1, count: cores)
    let total = UInt64(cores * entriesPerCore)
    while position < total {
        var worked = false
        if produced < entriesPerCore,
            ring.append(UInt64(core) << 32 | UInt64(produced), slowestKnown: &slowest) != nil
        {
            produced += 1
            worked = true
        }
        while position < total, ring.phase(at: position) != nil {
            let entry = ring.entry(at: position)
            let (producer, number) = (Int(entry >> 32), Int(entry & 0xFFFF_FFFF))
            if number != newest[producer] + 1 { digest.outOfOrder.add(1, ordering: .relaxed) }
            newest[producer] = number
            hash = (hash ^ entry) &* 0x9E37_79B9_7F4A_7C15
            position += 1
            worked = true
        }
        ring.moveCursor(core, to: position)
        Doorbell.fence()
        for other in 0..<cores where other != core { bells[other].ring() }
        if worked || position == total { continue }
        bells[core].sleep(
            unless: {
                ring.phase(at: position) != nil || (produced < entriesPerCore && ring.end - ring.slowestCursor() < 256)
            },
            { poll.wait(timeoutMilliseconds: 10_000) { _ in bells[core].clear() } })
    }
    digest.value.store(hash, ordering: .releasing)
}
