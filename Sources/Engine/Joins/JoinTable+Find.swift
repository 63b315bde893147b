import Bytes
import CKernels
import Plan
import Values

/// Finding the rows that a batch's rows are joined with.
extension JoinTable {
    /// Finds the rows of the join table for some rows of a batch, and writes the join's columns.
    /// - Parameter isRoomKept: memory is nearly used up, and none is taken for memos.
    mutating func join(
        _ join: JoinCode, _ vectors: UnsafeMutablePointer<Vector>, rows: Range<Int>, isRoomKept: Bool, arena: inout Arena,
        texts: inout TextArena
    ) {
        let isMatched = vectors[join.isMatched]
        for start in stride(from: rows.lowerBound, to: rows.upperBound, by: JoinTable.chunkRows) {
            let count = min(JoinTable.chunkRows, rows.upperBound - start)
            if let key = join.integerKey, join.time == nil {
                find(integers: vectors[key], first: start, count: count, base: arena.base)
            } else {
                join.keys.withUnsafeBufferPointer { keys in
                    for number in 0..<count { found[number] = find(join, keys, vectors, row: start + number, base: arena.base) }
                }
            }
            for number in 0..<count {
                isMatched.nulls[start + number] = NullByte.value
                isMatched.booleans[start + number] = found[number] == 0 ? 0 : 1
            }
            let chunk = UnsafeBufferPointer(start: found, count: count)
            for column in join.columns {
                layout.load(
                    column.place, of: chunk, base: arena.base, into: vectors[column.result], first: start, texts: &texts)
            }
            if !join.derived.isEmpty { derive(join, chunk, vectors, first: start, isRoomKept, &arena, &texts) }
        }
    }

    /// Writes the columns that are derived from the rows that were found.
    private mutating func derive(
        _ join: JoinCode, _ rows: UnsafeBufferPointer<UInt32>, _ vectors: UnsafeMutablePointer<Vector>, first: Int,
        _ isRoomKept: Bool, _ arena: inout Arena, _ texts: inout TextArena
    ) {
        guard let memo else { preconditionFailure("a join with derived columns has a derivation") }
        memo.find(rows, layout, into: memos, isRoomKept: isRoomKept, arena: &arena)
        let known = UnsafeBufferPointer(start: memos, count: rows.count)
        for column in join.derived {
            let vector = vectors[column.result]
            memo.layout.load(column.place, of: known, base: arena.base, into: vector, first: first, texts: &texts)
            for (number, granule) in rows.enumerated() where granule != 0 && memos[number] == 0 {
                memo.write(
                    granule, layout, column: column.place, into: vector, row: first + number, base: arena.base, texts: &texts)
            }
        }
    }

    /// Finds the rows of some keys of one integer: hashes first, so that the index and the rows are on their way from memory
    /// when they are looked at.
    private func find(integers vector: Vector, first: Int, count: Int, base: UnsafeMutableRawPointer) {
        guard index.count > 0 else { return found.update(repeating: 0, count: count) }
        let (keys, nulls) = (vector.integers + first, vector.nulls + first)
        let (segments, shift, mask) = (index.segments, index.shift, index.mask)
        let keyOffset = layout.fixedBytes
        for number in 0..<count {
            let hash = KeyHash.hash(integer: keys[number])
            hashes[number] = hash
            UnsafeMutableRawPointer(segments[Int(hash) &>> shift] + Int(hash) & mask).prefetch()
        }
        for number in 0..<count {
            let record = firstRecord(segments[Int(hashes[number]) &>> shift], mask, hash: hashes[number])
            found[number] = record
            (base + Int(record) &* Arena.granuleBytes).prefetch()
            (base + Int(record) &* Arena.granuleBytes + keyOffset).prefetch()
        }
        for number in 0..<count {
            if nulls[number] != 0 { found[number] = 0 }
            if found[number] == 0 { continue }
            let block = base + Int(found[number]) &* Arena.granuleBytes
            if block.loadUnaligned(fromByteOffset: keyOffset, as: Int64.self) != keys[number] {
                found[number] = next(keys[number], hash: hashes[number], base: base)
            }
        }
    }

    /// The record of the first slot with a hash, 0 where there is none: four slots at once, since how many have to be looked at
    /// is nothing that a processor could predict.
    @inline(__always)
    private func firstRecord(_ slots: KeyIndex.Segment, _ mask: Int, hash: UInt32) -> UInt32 {
        var slot = Int(hash) & mask
        while slot + 4 <= mask {
            let place = slots + slot
            @inline(__always) func ends(_ offset: Int) -> Int {
                // No short cut, which would be a branch.
                ((place[offset].hash == hash ? 1 : 0) | (place[offset].record == 0 ? 1 : 0)) << offset
            }
            let ending = ends(0) | ends(1) | ends(2) | ends(3)
            if ending != 0 { return place[ending.trailingZeroBitCount].record }
            slot += 4
        }
        while slots[slot].record != 0 && slots[slot].hash != hash { slot = (slot &+ 1) & mask }
        return slots[slot].record
    }

    /// The row of a key whose hash another key has too; 0: none.
    private func next(_ key: Int64, hash: UInt32, base: UnsafeMutableRawPointer) -> UInt32 {
        let (slots, mask) = (index.segment(of: hash), index.mask)
        var slot = Int(hash) & mask
        while slots[slot].record != 0 {
            let block = base + Int(slots[slot].record) &* Arena.granuleBytes
            if slots[slot].hash == hash && block.loadUnaligned(fromByteOffset: layout.fixedBytes, as: Int64.self) == key {
                return slots[slot].record
            }
            slot = (slot &+ 1) & mask
        }
        return 0
    }

    /// Granule of the row block that a row is joined with; 0 where there is none.
    private mutating func find(
        _ join: JoinCode, _ keys: UnsafeBufferPointer<FormedRegister>, _ vectors: UnsafeMutablePointer<Vector>, row: Int,
        base: UnsafeMutableRawPointer
    ) -> UInt32 {
        guard index.count > 0, encoder.encode(keys, vectors, row: row) else { return 0 }
        guard let time = join.time else { return slot(hash: encoder.hash, base: base) ?? 0 }
        if vectors[time].nulls[row] != 0 { return 0 }
        guard let key = slot(hash: encoder.hash, base: base) else { return 0 }
        let history = KeyHistory(base + Int(key) &* Arena.granuleBytes)
        let bound = vectors[time].integers[row]
        let end = history.position(of: bound, isAfterEqual: join.includesEqual, base: base)
        return end == 0 ? 0 : history.entries(base)[end - 1].row
    }

    /// The block of the key that was encoded last; nil where it is unknown.
    func slot(hash: UInt32, base: UnsafeMutableRawPointer) -> UInt32? {
        let (slots, mask) = (index.segment(of: hash), index.mask)
        let wanted = encoder.bytes
        var slot = Int(hash) & mask
        while slots[slot].record != 0 {
            if slots[slot].hash == hash {
                let block = base + Int(slots[slot].record) &* Arena.granuleBytes
                let key = isHistory ? KeyHistory(block).key : layout.key(of: block)
                if isEqual(key, wanted) { return slots[slot].record }
            }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    private func isEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count, let first = left.baseAddress, let second = right.baseAddress else {
            return left.count == right.count
        }
        if left.count == 8 { return first.loadUnaligned(as: UInt64.self) == second.loadUnaligned(as: UInt64.self) }
        return millrace_compare_bytes(first, second, left.count) == 0
    }
}
