import Wire

/// Subscribers of one view that want the same rows: what is worked out for one of them serves all.
final class SubscriberGroup {
    unowned let feed: ViewFeed
    /// nil: all rows.
    let selector: RowSelector?
    var live: [Subscriber] = []
    var lagging: [Subscriber] = []
    var conflation: Conflation?
    /// Subscribers that are being sent the past.
    var replaying = 0

    // With a selector only.
    /// By entry of the log: rows chosen in the entries before it, from an arbitrary start.
    private var chosenBefore: OrdinalQueue<Int64>
    private var chosenTotal: Int64 = 0

    /// The chosen rows of the entry `messageOrdinal`, encoded.
    var message = OutputBuffer(capacity: 64)
    var messageOrdinal: UInt64?

    init(selector: RowSelector?, feed: ViewFeed, end: UInt64) {
        self.feed = feed
        self.selector = selector
        chosenBefore = OrdinalQueue(first: end)
    }

    var isEmpty: Bool { live.isEmpty && lagging.isEmpty }
    var conflating: [Subscriber] { lagging.filter(\.isConflating) }

    /// The first entry whose chosen rows have been counted.
    var countedFrom: UInt64 { chosenBefore.first }

    func appended(chosen: Int) {
        chosenBefore.append(chosenTotal)
        chosenTotal += Int64(chosen)
    }

    /// Counts of entries before those counted so far, in ascending order.
    func prepend(chosen: [Int]) {
        var rest = OrdinalQueue<Int64>(first: chosenBefore.first - UInt64(chosen.count))
        var before = (chosenBefore.isEmpty ? chosenTotal : chosenBefore[chosenBefore.first]) - Int64(chosen.reduce(0, +))
        for count in chosen {
            rest.append(before)
            before += Int64(count)
        }
        for ordinal in chosenBefore.first..<chosenBefore.end { rest.append(chosenBefore[ordinal]) }
        chosenBefore = rest
    }

    func evicted(_ ordinal: UInt64) {
        if messageOrdinal == ordinal { messageOrdinal = nil }
        if selector != nil && chosenBefore.contains(ordinal) { chosenBefore.removeFirst() }
    }

    /// The log forgot all its entries and passed over one that it never had.
    func restarted() {
        messageOrdinal = nil
        chosenBefore.removeAll(skipping: 1)
    }

    /// Rows chosen in all entries before this one, or before the one that comes next.
    func rowsBefore(_ ordinal: UInt64, in log: borrowing ResultLog) -> Int64 {
        if selector == nil { return log.rowsBefore(ordinal) }
        return ordinal == chosenBefore.end ? chosenTotal : chosenBefore[ordinal]
    }

    func rowCount(_ ordinal: UInt64, in log: borrowing ResultLog) -> Int {
        selector == nil ? log[ordinal].rowCount : Int(rowsBefore(ordinal + 1, in: log) - rowsBefore(ordinal, in: log))
    }

    /// False where it is not among them.
    func remove(_ subscriber: Subscriber) -> Bool {
        let count = live.count + lagging.count
        live.removeAll { $0 === subscriber }
        lagging.removeAll { $0 === subscriber }
        return live.count + lagging.count < count
    }
}
