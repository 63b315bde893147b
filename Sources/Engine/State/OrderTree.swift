import Bytes

/// A multiset of numbers in their order, in the shard's arena: a B+-tree whose nodes count what lies below each child, so
/// that the value of a rank is found in O(log n).
///
///     leaf    count │ keys[63] │ counts[63]                  how often each key occurs
///     inner   count │ keys[63] │ counts[63] │ children[63]   least key that belongs below each child, values below it
///
/// Invariants: keys ascend and differ; what lies below child i is at least keys[i] and less than keys[i + 1] (keys[0] of
/// a node on the left edge is not looked at); a node that falls below a quarter is merged with a neighbour when both fit
/// in three quarters. The answers depend on the values alone, not on the shape.
struct OrderTree<Key: FixedWidthInteger & SignedInteger> {
    /// In the key record, 12 bytes: the root's granule (0: no tree), its level (0: a leaf), how many values there are.
    let field: UnsafeMutablePointer<UInt32>

    static var entriesMax: Int { 63 }
    private static var leafBytes: Int { 64 * MemoryLayout<Key>.size + 4 * entriesMax }
    private static var innerBytes: Int { leafBytes + 4 * entriesMax }

    struct Node {
        let raw: UnsafeMutableRawPointer

        @inline(__always)
        init(_ raw: UnsafeMutableRawPointer) { self.raw = raw }

        @inline(__always) var count: Int {
            get { Int(raw.load(as: UInt32.self)) }
            nonmutating set { raw.storeBytes(of: UInt32(truncatingIfNeeded: newValue), as: UInt32.self) }
        }
        @inline(__always) var keys: UnsafeMutablePointer<Key> {
            (raw + MemoryLayout<Key>.size).assumingMemoryBound(to: Key.self)
        }
        @inline(__always) var counts: UnsafeMutablePointer<UInt32> {
            (raw + 64 &* MemoryLayout<Key>.size).assumingMemoryBound(to: UInt32.self)
        }
        @inline(__always) var children: UnsafeMutablePointer<UInt32> { counts + entriesMax }

        /// How many of keys[from…] are at most (`orEqual`) or less than `key`.
        @inline(__always)
        private func rank(_ key: Key, from: Int, orEqual: Bool) -> Int {
            let keys = keys
            var low = from
            var length = count &- from
            while length > 0 {
                let half = length >> 1
                let isBelow = orEqual ? keys[low &+ half] <= key : keys[low &+ half] < key
                low = isBelow ? low &+ half &+ 1 : low
                length = isBelow ? length &- half &- 1 : half
            }
            return low &- from
        }

        /// In an inner node: the child that `key` belongs below.
        @inline(__always)
        func child(of key: Key) -> Int { rank(key, from: 1, orEqual: true) }

        /// In a leaf: where `key` stands or would stand.
        @inline(__always)
        func place(of key: Key) -> Int { rank(key, from: 0, orEqual: false) }

        /// The entry that holds the value of rank `rank` below this node; `rank` is then counted from that entry on.
        @inline(__always)
        func entry(ofRank rank: inout Int) -> Int {
            let counts = counts
            var index = 0
            while index &+ 8 <= count {
                let below = Int(UnsafeRawPointer(counts + index).loadUnaligned(as: SIMD8<UInt32>.self).wrappedSum())
                if rank < below { break }
                rank &-= below
                index &+= 8
            }
            while rank >= Int(counts[index]) {
                rank &-= Int(counts[index])
                index &+= 1
            }
            return index
        }

        func open(at index: Int, isInner: Bool) {
            let behind = count - index
            (keys + index + 1).update(from: keys + index, count: behind)
            (counts + index + 1).update(from: counts + index, count: behind)
            if isInner { (children + index + 1).update(from: children + index, count: behind) }
            count += 1
        }

        func close(at index: Int, isInner: Bool) {
            let behind = count - index - 1
            (keys + index).update(from: keys + index + 1, count: behind)
            (counts + index).update(from: counts + index + 1, count: behind)
            if isInner { (children + index).update(from: children + index + 1, count: behind) }
            count -= 1
        }

        /// Adds entries `from` … of `other`.
        func append(_ other: Node, from: Int, isInner: Bool) {
            let more = other.count - from
            (keys + count).update(from: other.keys + from, count: more)
            (counts + count).update(from: other.counts + from, count: more)
            if isInner { (children + count).update(from: other.children + from, count: more) }
            count += more
        }
    }

    @inline(__always) var isThere: Bool { field[0] != 0 }
    @inline(__always) var count: Int { Int(field[2]) }

    @inline(__always)
    private func node(_ granule: UInt32, _ base: UnsafeMutableRawPointer) -> Node {
        Node(base + Int(granule) &* Arena.granuleBytes)
    }

    // MARK: Reading

    /// The value of rank `rank` (from 0; less than `count`) and the one behind it, which is the same where it is the last.
    @inline(__always)
    func values(ofRank rank: Int, base: UnsafeMutableRawPointer) -> (Key, Key) {
        assert(rank >= 0 && rank < count)
        var left = rank
        let (leaf, index) = find(&left, base)
        let key = leaf.keys[index]
        if left &+ 1 < Int(leaf.counts[index]) || rank &+ 1 == count { return (key, key) }
        if index &+ 1 < leaf.count { return (key, leaf.keys[index &+ 1]) }
        left = rank &+ 1
        let (next, first) = find(&left, base)
        return (key, next.keys[first])
    }

    @inline(__always)
    private func find(_ rank: inout Int, _ base: UnsafeMutableRawPointer) -> (Node, Int) {
        var node = node(field[0], base)
        var level = field[1]
        while level > 0 {
            node = self.node(node.children[node.entry(ofRank: &rank)], base)
            level &-= 1
        }
        return (node, node.entry(ofRank: &rank))
    }

    // MARK: Adding

    /// An empty tree; false when the arena is full.
    func create(_ arena: inout Arena) -> Bool {
        assert(!isThere)
        let granule = arena.allocate(Self.leafBytes)
        if granule == 0 { return false }
        node(granule, arena.base).count = 0
        field[0] = granule
        field[1] = 0
        field[2] = 0
        return true
    }

    /// false when the arena is full: the tree is to be dropped then, for its counts may be wrong.
    func insert(_ key: Key, _ arena: inout Arena) -> Bool {
        var node = node(field[0], arena.base)
        if node.count == Self.entriesMax {
            guard grow(&arena) else { return false }
            node = self.node(field[0], arena.base)
        }
        var level = field[1]
        while level > 0 {
            var index = node.child(of: key)
            var child = self.node(node.children[index], arena.base)
            if child.count == Self.entriesMax {
                guard split(node, index, level: level &- 1, &arena) else { return false }
                if key >= node.keys[index &+ 1] {
                    index &+= 1
                    child = self.node(node.children[index], arena.base)
                }
            }
            node.counts[index] &+= 1
            node = child
            level &-= 1
        }
        let index = node.place(of: key)
        if index < node.count && node.keys[index] == key {
            node.counts[index] &+= 1
        } else {
            node.open(at: index, isInner: false)
            node.keys[index] = key
            node.counts[index] = 1
        }
        field[2] &+= 1
        return true
    }

    /// Puts a root above the full one.
    private func grow(_ arena: inout Arena) -> Bool {
        let granule = arena.allocate(Self.innerBytes)
        if granule == 0 { return false }
        let root = node(granule, arena.base)
        root.count = 1
        root.keys[0] = .min
        root.counts[0] = field[2]
        root.children[0] = field[0]
        field[0] = granule
        field[1] &+= 1
        return split(root, 0, level: field[1] &- 1, &arena)
    }

    /// Moves the upper half of a full child to a new one behind it.
    private func split(_ parent: Node, _ index: Int, level: UInt32, _ arena: inout Arena) -> Bool {
        let granule = arena.allocate(level == 0 ? Self.leafBytes : Self.innerBytes)
        if granule == 0 { return false }
        let left = node(parent.children[index], arena.base)
        let right = node(granule, arena.base)
        right.count = 0
        right.append(left, from: Self.entriesMax / 2, isInner: level > 0)
        left.count = Self.entriesMax / 2
        var below: UInt32 = 0
        for entry in 0..<right.count { below &+= right.counts[entry] }
        parent.open(at: index + 1, isInner: true)
        parent.keys[index + 1] = right.keys[0]
        parent.counts[index + 1] = below
        parent.counts[index] &-= below
        parent.children[index + 1] = granule
        return true
    }

    // MARK: Removing

    /// Removes one occurrence of `key`, which is there.
    func remove(_ key: Key, _ arena: inout Arena) {
        _ = remove(key, from: field[0], level: field[1], &arena)
        field[2] &-= 1
        while field[1] > 0 {
            let root = node(field[0], arena.base)
            if root.count > 1 { break }
            let granule = field[0]
            field[0] = root.children[0]
            field[1] &-= 1
            arena.free(granule, bytes: Self.innerBytes)
        }
    }

    /// How many entries the node has then.
    private func remove(_ key: Key, from granule: UInt32, level: UInt32, _ arena: inout Arena) -> Int {
        let node = node(granule, arena.base)
        if level == 0 {
            let index = node.place(of: key)
            assert(index < node.count && node.keys[index] == key, "what is removed is there")
            node.counts[index] &-= 1
            if node.counts[index] == 0 { node.close(at: index, isInner: false) }
            return node.count
        }
        let index = node.child(of: key)
        node.counts[index] &-= 1
        let left = remove(key, from: node.children[index], level: level &- 1, &arena)
        if left <= Self.entriesMax / 4 && node.count > 1 {
            merge(node, min(index, node.count &- 2), level: level &- 1, &arena)
        }
        return node.count
    }

    /// Merges children `index` and `index` + 1 where they fit together, or where one of them is empty.
    private func merge(_ parent: Node, _ index: Int, level: UInt32, _ arena: inout Arena) {
        let left = node(parent.children[index], arena.base)
        let right = node(parent.children[index + 1], arena.base)
        let isOneEmpty = left.count == 0 || right.count == 0
        if left.count + right.count > Self.entriesMax * 3 / 4 && !isOneEmpty { return }
        if right.count > 0 && level > 0 { right.keys[0] = parent.keys[index + 1] }
        left.append(right, from: 0, isInner: level > 0)
        parent.counts[index] &+= parent.counts[index + 1]
        arena.free(parent.children[index + 1], bytes: level == 0 ? Self.leafBytes : Self.innerBytes)
        parent.close(at: index + 1, isInner: true)
    }

    /// Gives back all nodes.
    func drop(_ arena: inout Arena) {
        if isThere { free(field[0], level: field[1], &arena) }
        field[0] = 0
        field[1] = 0
        field[2] = 0
    }

    private func free(_ granule: UInt32, level: UInt32, _ arena: inout Arena) {
        if level > 0 {
            let node = node(granule, arena.base)
            for index in 0..<node.count { free(node.children[index], level: level &- 1, &arena) }
        }
        arena.free(granule, bytes: level == 0 ? Self.leafBytes : Self.innerBytes)
    }
}
