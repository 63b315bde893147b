/// A queue whose items are known by the numbers they were given in the order they came: appended at the end, removed at the
/// front, found by number in constant time.
struct OrdinalQueue<Item> {
    private var items: [Item] = []
    private var head = 0
    /// Number of the first item, and of the one that comes next.
    private(set) var first: UInt64
    var end: UInt64 { first + UInt64(items.count - head) }
    var count: Int { items.count - head }
    var isEmpty: Bool { items.count == head }

    init(first: UInt64 = 0) { self.first = first }

    func contains(_ ordinal: UInt64) -> Bool { ordinal >= first && ordinal < end }

    subscript(ordinal: UInt64) -> Item {
        get { items[head + Int(ordinal - first)] }
        set { items[head + Int(ordinal - first)] = newValue }
    }

    mutating func append(_ item: Item) { items.append(item) }

    mutating func removeFirst() {
        head += 1
        first += 1
        // Each item is moved once for as many as were removed.
        if head > 64 && head * 2 > items.count {
            items.removeSubrange(..<head)
            head = 0
        }
    }

    /// Goes on behind `end` as if so many items more had come and gone.
    mutating func removeAll(skipping count: Int = 0) {
        first = end + UInt64(count)
        items.removeAll(keepingCapacity: true)
        head = 0
    }

    /// The first item, if any, from which on `isBehind` holds; what holds for an item holds for those after it.
    func firstIndex(where isBehind: (Item) -> Bool) -> UInt64 {
        var (low, high) = (head, items.count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(items[middle]) { high = middle } else { low = middle + 1 }
        }
        return first + UInt64(low - head)
    }
}
