import Testing
import Values
import Wire

@testable import Runtime

/// A view's subscribers, without a socket.
@Suite struct `A view's feed` {
    @Test func `pushes what comes to those who read`() {
        var harness = FeedHarness()
        let peers = [Peer(), Peer()]
        let subscribers = peers.map { harness.subscribe($0) }
        for number in 0..<500 {
            harness.append(keys: [Int64(number % 7), 1])
            peers.forEach { $0.read() }
        }
        for (peer, subscriber) in zip(peers, subscribers) {
            #expect(peer.pushed == harness.rows && peer.gaps.isEmpty && subscriber.isLive)
        }
    }

    @Test func `keeps everything for a subscriber that pauses while its buffer suffices`() {
        var harness = FeedHarness()
        let peer = Peer()
        let subscriber = harness.subscribe(peer, bufferBytes: 32 << 10)
        for number in 0..<30 { harness.append(keys: [Int64(number % 3)]) }
        #expect(!subscriber.isLive && peer.pushed.count < 30)
        harness.drain(subscriber, peer)
        #expect(peer.pushed == harness.rows && peer.gaps.isEmpty)
    }

    @Test func `conflates: the newest row of each key, and how many were left out`() {
        var harness = FeedHarness()
        let peer = Peer()
        let subscriber = harness.subscribe(peer)
        harness.append(keys: [999])
        for number in 0..<3_000 { harness.append(keys: [Int64(number % 5), 5 + Int64(number % 11)]) }
        let before = peer.pushed
        #expect(subscriber.isConflating)
        harness.drain(subscriber, peer)
        let rest = peer.pushed.dropFirst(before.count)
        let lacking = harness.rows.dropFirst(before.count)
        #expect(Array(rest) == newest(Array(lacking)))
        #expect(peer.leftOut + UInt64(peer.pushed.count) == UInt64(harness.rows.count))
        #expect(peer.gaps.allSatisfy { $0.cause == .conflated })
        harness.append(keys: [3])
        #expect(peer.pushed.last == harness.rows.last)
    }

    @Test func `a key that was pushed to nobody for long is still told when the log has lost its row`() {
        var harness = FeedHarness()
        let peer = Peer()
        let subscriber = harness.subscribe(peer)
        // Until its connection takes no more; then a row that is alone with its key, and many others.
        while subscriber.isLive { harness.append(keys: [1]) }
        harness.append(keys: [4_242])
        for number in 0..<5_000 { harness.append(keys: [Int64(number % 10)]) }
        #expect(harness.feed.log.start.sequence > 100)
        harness.drain(subscriber, peer)
        #expect(peer.pushed.contains { $0.key == 4_242 })
        #expect(peer.leftOut + UInt64(peer.pushed.count) == UInt64(harness.rows.count))
    }

    @Test func `late rows are no vectors of their keys`() {
        var harness = FeedHarness()
        let peer = Peer()
        let subscriber = harness.subscribe(peer)
        for _ in 0..<100 { harness.append(keys: [1, 2]) }
        let last = harness.rows.last
        for _ in 0..<100 { harness.append(keys: [1, 2], status: 1) }
        harness.drain(subscriber, peer)
        #expect(peer.pushed.last == last)
        #expect(peer.leftOut + UInt64(peer.pushed.count) == UInt64(harness.rows.count))
    }

    @Test func `drops the oldest rows, and says how many`() {
        var harness = FeedHarness()
        let peer = Peer()
        let subscriber = harness.subscribe(peer, .drop)
        for number in 0..<2_000 { harness.append(keys: [Int64(number), 7]) }
        let before = peer.pushed.count
        harness.drain(subscriber, peer)
        #expect(peer.gaps.count == 1 && peer.gaps[0].cause == .dropped)
        #expect(Array(peer.pushed.dropFirst(before)) == Array(harness.rows.suffix(peer.pushed.count - before)))
        #expect(peer.leftOut + UInt64(peer.pushed.count) == UInt64(harness.rows.count))
        #expect(peer.gaps[0].from == Place(sequence: UInt64(before / 2), rows: 2))
        #expect(peer.gaps[0].to == Place(sequence: peer.pushed[before].sequence - 1, rows: 2))
    }

    @Test func `ends who wanted to be ended when the buffer is full, once`() {
        var harness = FeedHarness()
        let peer = Peer()
        let subscriber = harness.subscribe(peer, .disconnect)
        for number in 0..<20 { harness.append(keys: [Int64(number)]) }
        #expect(peer.ended == nil)
        for number in 0..<100 { harness.append(keys: [Int64(number)]) }
        #expect(peer.ended?.code == "overloaded" && peer.ended?.retry == true)
        harness.feed.remove(subscriber)
        #expect(harness.feed.groups.isEmpty && harness.feed.subscriberCount == 0)
    }

    @Test func `more keys than there is room for lose the oldest, and say so`() {
        var harness = FeedHarness(logBytes: 32 << 10)
        let peer = Peer()
        let subscriber = harness.subscribe(peer, bufferBytes: 2 << 10)
        for number in 0..<4_000 { harness.append(keys: [Int64(number), Int64(number % 3) - 10]) }
        harness.drain(subscriber, peer)
        #expect(peer.gaps.contains { $0.cause == .dropped } && peer.gaps.contains { $0.cause == .conflated })
        #expect(peer.leftOut + UInt64(peer.pushed.count) == UInt64(harness.rows.count))
        #expect(Array(peer.pushed.suffix(4).map(\.number)) == Array(harness.rows.suffix(4).map(\.number)))
        #expect(harness.feed.heldBytes <= 3 * (32 << 10))
    }

    @Test func `subscribers that stop cost the log's memory once`() {
        var harness = FeedHarness()
        let peers = (0..<100).map { _ in Peer() }
        let subscribers = peers.map { harness.subscribe($0) }
        for number in 0..<2_000 { harness.append(keys: [Int64(number % 50)]) }
        #expect(harness.feed.groups.count == 1)
        #expect(harness.feed.heldBytes <= 2 * (64 << 10))
        #expect(peers.allSatisfy { $0.unsentBytes < 8 << 10 })
        for (subscriber, peer) in zip(subscribers, peers) {
            harness.drain(subscriber, peer)
            #expect(peer.leftOut + UInt64(peer.pushed.count) == UInt64(harness.rows.count))
            #expect(Set(peer.pushed.suffix(50).map(\.key)).count == 50)
        }
        #expect(harness.feed.groups[0].conflation == nil)
    }

    // MARK: Rows chosen

    @Test func `subscribers with one predicate share it, however it is written`() throws {
        var harness = FeedHarness()
        let texts = ["number % 3 = 0 and key > 2", "(number%3)=0 AND key>2", "v.number % 3 = 0 AND (v.key > 2)"]
        let peers = texts.map { _ in Peer() }
        for (text, peer) in zip(texts, peers) {
            _ = harness.subscribe(peer, selector: try FeedHarness.predicate(text))
        }
        #expect(harness.feed.groups.count == 1)
        for number in 0..<300 {
            harness.append(keys: (0..<5).map { Int64(($0 * 7 + number) % 6) })
            peers.forEach { $0.read() }
        }
        let wanted = harness.rows.filter { $0.number % 3 == 0 && $0.key > 2 }
        for peer in peers { #expect(peer.pushed == wanted) }
    }

    @Test func `keys choose rows`() {
        var harness = FeedHarness()
        let peer = Peer()
        _ = harness.subscribe(peer, selector: FeedHarness.keys([3, 5]))
        for number in 0..<300 {
            harness.append(keys: [Int64(number % 7), Int64(number % 11)])
            peer.read()
        }
        #expect(peer.pushed == harness.rows.filter { $0.key == 3 || $0.key == 5 })
    }

    @Test func `conflation counts what the predicate chose, and nothing else`() throws {
        var harness = FeedHarness()
        let peer = Peer()
        let subscriber = harness.subscribe(peer, selector: try FeedHarness.predicate("number % 2 = 0"))
        for number in 0..<4_000 { harness.append(keys: [Int64(number % 4), Int64(number % 9)]) }
        let before = peer.pushed
        harness.drain(subscriber, peer)
        let wanted = harness.rows.filter { $0.number % 2 == 0 }
        #expect(Array(peer.pushed.dropFirst(before.count)) == newest(Array(wanted.dropFirst(before.count))))
        #expect(peer.leftOut + UInt64(peer.pushed.count) == UInt64(wanted.count))
    }

    @Test func `somebody who is seldom pushed anything hears how far it is`() throws {
        var harness = FeedHarness()
        let peer = Peer()
        let subscriber = harness.subscribe(peer, selector: FeedHarness.keys([77]))
        for _ in 0..<2_000 { harness.append(keys: [1]) }
        harness.feed.tellProgress(now: harness.now)
        #expect(peer.gaps == [Gap(cause: .conflated, rows: 0, from: Place(sequence: 0), to: harness.now)])
        #expect(subscriber.place == harness.now)
        harness.feed.tellProgress(now: harness.now)
        #expect(peer.gaps.count == 1)
    }

    // MARK: Resuming

    @Test func `resumes behind every place without a hole or a duplicate`() {
        var harness = FeedHarness()
        for number in 0..<40 {
            harness.append(keys: [Int64(number % 3), 1, 2])
            // A long batch comes in parts.
            if number % 4 == 0 { harness.append(keys: [8, 9], firstRow: 3, isNewBatch: false) }
        }
        #expect(harness.feed.log.start == Place(sequence: 0))
        for sequence in 0...harness.sequence {
            for row in 0...6 as ClosedRange<UInt32> {
                let peer = Peer()
                let from = Place(sequence: sequence, rows: row)
                let subscriber = harness.subscribe(peer, from: from)
                harness.drain(subscriber, peer)
                let wanted = harness.rows.filter {
                    $0.sequence > sequence || $0.sequence == sequence && row > 0 && $0.row >= row
                }
                // Places before the first are those of a log that holds everything.
                let isKept = sequence > 0 || row == 0
                #expect(peer.pushed == wanted, "\(from)")
                #expect(peer.gaps.isEmpty == isKept, "\(from)")
                harness.feed.remove(subscriber)
            }
        }
    }

    @Test func `tells exactly what is no longer kept`() {
        var harness = FeedHarness(logBytes: 16 << 10)
        for number in 0..<200 { harness.append(keys: [Int64(number), 1]) }
        let start = harness.feed.log.start
        #expect(start.sequence > 100)
        for sequence in stride(from: 1, to: harness.sequence, by: 7) {
            let peer = Peer()
            let from = Place(sequence: sequence)
            harness.drain(harness.subscribe(peer, from: from), peer)
            if sequence < start.sequence {
                #expect(peer.gaps == [Gap(cause: .gone, rows: 0, from: from, to: start)])
                #expect(peer.kinds.first == .gap)
                #expect(peer.pushed == harness.rows.filter { $0.sequence > start.sequence })
            } else {
                #expect(peer.gaps.isEmpty && peer.pushed == harness.rows.filter { $0.sequence > sequence })
            }
        }
        let peer = Peer()
        _ = harness.subscribe(peer, from: Place(sequence: 1_000_000))
        #expect(peer.gaps == [Gap(cause: .gone, rows: 0, from: Place(sequence: 1_000_000), to: harness.now)])
    }

    @Test func `a slow subscriber that resumes is overtaken only by eviction, and then as it asked`() throws {
        for onFull in [Subscribe.OnFull.conflate, .drop] {
            var harness = FeedHarness()
            for number in 0..<40 { harness.append(keys: [Int64(number % 3)]) }
            let peer = Peer()
            let subscriber = harness.subscribe(peer, onFull, bufferBytes: 2 << 10, from: Place(sequence: 1))
            harness.feed.pump(subscriber)
            #expect(!subscriber.isLive && subscriber.isReplaying)
            for _ in 0..<1_000 { harness.append(keys: [Int64(harness.nextNumber % 4)]) }
            harness.drain(subscriber, peer)
            #expect(peer.leftOut + UInt64(peer.pushed.count) == UInt64(harness.rows.count - 1))
            #expect(peer.gaps.map(\.cause) == [onFull == .conflate ? .conflated : .dropped] || peer.gaps.count > 1)
            #expect(peer.pushed.last == harness.rows.last)
        }
    }

    @Test func `says which rows it could not have`() {
        var harness = FeedHarness()
        let peer = Peer()
        let subscriber = harness.subscribe(peer)
        harness.append(keys: [1])
        harness.sequence += 1
        harness.feed.skip(to: Place(sequence: harness.sequence, rows: 1), missingRows: 1)
        harness.append(keys: [2])
        harness.drain(subscriber, peer)
        #expect(peer.pushed.map(\.key) == [1, 2])
        #expect(
            peer.gaps == [
                Gap(cause: .dropped, rows: 1, from: Place(sequence: 1, rows: 1), to: Place(sequence: 2, rows: 1))
            ])
    }

    /// The last row of each key, in their order.
    private func newest(_ rows: [Results.Row]) -> [Results.Row] {
        let last = Dictionary(rows.map { ($0.key, $0) }) { _, second in second }
        return rows.filter { last[$0.key] == $0 }
    }
}
