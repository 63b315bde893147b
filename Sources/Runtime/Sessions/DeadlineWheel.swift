/// Which connections are to be looked at when: a ring of buckets, one a tick, each with the tokens filed there.
///
///     tick mod buckets   0     1     2     3   …
///                      ┌─────┬─────┬─────┬─────┬──
///                      │ a,c │     │ b   │     │
///                      └─────┴─────┴─────┴─────┴──
///                              ▲ nextTick: everything before it has been handed out
///
/// A token is filed at a tick and handed out once, when that tick is over. What is due may meanwhile have moved further away: whoever
/// gets the token looks, and files it again. So moving a deadline away costs nothing, and looking after connections costs in
/// proportion to those that are due, not to those that are there. What lies beyond the ring's end is filed at its end.
struct DeadlineWheel {
    static let tickNanoseconds: UInt64 = 50_000_000
    private static let bucketCount: UInt64 = 1_024

    private var buckets: [[UInt64]] = Array(repeating: [], count: Int(bucketCount))
    private var nextTick: UInt64
    /// No bucket before this tick has anything in it.
    private var earliestTick = UInt64.max
    private(set) var count = 0

    init(nowNanoseconds: UInt64) { nextTick = nowNanoseconds / Self.tickNanoseconds }

    /// The tick at whose end something that is due at this moment is handed out: never early, and late by one tick at most.
    func tick(ofNanoseconds due: UInt64) -> UInt64 {
        min(max((due &- 1) / Self.tickNanoseconds, nextTick), nextTick + Self.bucketCount - 1)
    }

    /// `tick` is what `tick(ofNanoseconds:)` just gave.
    mutating func file(_ token: UInt64, at tick: UInt64) {
        assert(tick >= nextTick && tick < nextTick + Self.bucketCount)
        buckets[Int(tick % Self.bucketCount)].append(token)
        earliestTick = min(earliestTick, tick)
        count += 1
    }

    /// When `takeDue` has next something to hand out; nil where nothing is filed.
    var nextNanoseconds: UInt64? { earliestTick == .max ? nil : (earliestTick + 1) * Self.tickNanoseconds }

    /// Hands out what is filed at ticks that are over, with the tick it was filed at.
    mutating func takeDue(nowNanoseconds: UInt64) -> [(token: UInt64, tick: UInt64)] {
        let now = nowNanoseconds / Self.tickNanoseconds
        guard earliestTick < now else {
            nextTick = max(nextTick, now)
            return []
        }
        var due: [(token: UInt64, tick: UInt64)] = []
        let last = min(now, nextTick + Self.bucketCount)
        for tick in earliestTick..<last {
            let bucket = Int(tick % Self.bucketCount)
            for token in buckets[bucket] { due.append((token, tick)) }
            buckets[bucket].removeAll()
        }
        count -= due.count
        nextTick = now
        earliestTick = count == 0 ? .max : firstFilled()
        return due
    }

    /// At most one round over the buckets, once a tick that had something.
    private func firstFilled() -> UInt64 {
        var tick = nextTick
        while buckets[Int(tick % Self.bucketCount)].isEmpty { tick += 1 }
        return tick
    }
}
