/// What a shard has seen of an image that it loads.
struct ImageLoading {
    /// How many shards have written it; 0: nothing is known yet.
    private(set) var shardCount = 0
    /// The shard whose beginning is being read.
    private(set) var beginning = 0
    var hasBeginning = false
    /// By shard that wrote it.
    private var begun: Set<Int> = []
    private var ended: Set<Int> = []
    /// By state, then by join table: keys at the mark of the shards whose beginnings are read.
    private var expectedKeys: [Int]
    /// By shard that wrote it, then as `expectedKeys`: keys in pieces, and what the end says.
    private var keys: [Int: [Int]] = [:]
    private var allKeys: [Int: [Int]] = [:]
    private let places: Int

    init(places: Int) {
        self.places = places
        expectedKeys = Array(repeating: 0, count: places)
    }

    mutating func begin(_ header: ImageHeader) throws(ImageFault) {
        if shardCount == 0 { shardCount = header.shardCount }
        guard header.shardCount == shardCount else { throw ImageFault("it is of another image than those before it") }
        if header.kind == .beginning {
            guard begun.insert(header.shard).inserted else { throw ImageFault("the shard has begun already") }
            beginning = header.shard
        }
    }

    /// So many keys of one more shard; how many of all of them so far.
    mutating func expect(_ keys: Int, at place: Int) -> Int {
        let (sum, overflow) = expectedKeys[place].addingReportingOverflow(keys)
        expectedKeys[place] = overflow ? .max : sum
        return expectedKeys[place]
    }

    mutating func count(_ count: Int, of place: Int, shard: Int) {
        keys[shard, default: Array(repeating: 0, count: places)][place] += count
    }

    mutating func end(_ header: ImageHeader, _ reader: inout ImageReader) throws(ImageFault) {
        let (states, tables) = (try reader.take(UInt32.self), try reader.take(UInt32.self))
        guard UInt64(states) + UInt64(tables) == UInt64(places) else { throw .otherLayout }
        guard ended.insert(header.shard).inserted else { throw ImageFault("the shard has ended already") }
        var counts: [Int] = []
        for _ in 0..<places { counts.append(Int(clamping: try reader.take(UInt64.self))) }
        if reader.left > 0 { throw ImageFault("there is more in it than there should be") }
        allKeys[header.shard] = counts
    }

    /// nil: nothing is.
    var missing: String? {
        if shardCount == 0 { return "there is no piece of it" }
        for shard in 0..<shardCount {
            if !begun.contains(shard) || !ended.contains(shard) { return "pieces of shard \(shard) of \(shardCount) are missing" }
            let found = keys[shard] ?? Array(repeating: 0, count: places)
            if found != allKeys[shard] {
                return "shard \(shard) of \(shardCount) has written other keys than there are pieces of"
            }
        }
        return nil
    }
}
