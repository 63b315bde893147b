import Bytes
import Values

extension Partition {
    /// Granule of the row's key record; 0 where the key is unknown. Leaves the encoded key in `keyBytes`.
    ///
    /// - Parameter candidate: the record of some key with the row's hash, if there was one; 0 if not.
    @inline(__always)
    mutating func find(_ view: BatchRows, _ row: Int, candidate: UInt32, base: UnsafeMutableRawPointer) -> UInt32 {
        if code.isKeyInline {
            let (key, isNull) = inlineKey(view, row)
            if candidate != 0 {
                let record = KeyRecord(base + Int(candidate) &* Arena.granuleBytes)
                if record.key == key && record.keyIsNull == isNull { return candidate }
            }
            return search(hash: UInt32(truncatingIfNeeded: view.hashes[row])) { granule in
                let record = KeyRecord(base + Int(granule) &* Arena.granuleBytes)
                return record.key == key && record.keyIsNull == isNull
            }
        }
        encodeKey(view, row)
        if candidate != 0 && isEncodedKey(of: candidate, base: base) { return candidate }
        return search(hash: UInt32(truncatingIfNeeded: view.hashes[row])) { isEncodedKey(of: $0, base: base) }
    }

    @inline(__always)
    func search(hash: UInt32, _ isKey: (UInt32) -> Bool) -> UInt32 {
        let slots = index.segment(of: hash)
        let mask = index.mask
        var slot = Int(hash) & mask
        while slots[slot].record != 0 {
            if slots[slot].hash == hash && isKey(slots[slot].record) { return slots[slot].record }
            slot = (slot &+ 1) & mask
        }
        return 0
    }

    @inline(__always)
    private func inlineKey(_ view: BatchRows, _ row: Int) -> (key: Int64, isNull: Bool) {
        let key = code.keys[0]
        let vector = view.vectors[key.register]
        if vector.nulls[row] != 0 { return (0, true) }
        return (key.form == .boolean ? Int64(vector.booleans[row]) : vector.integers[row], false)
    }

    func isEncodedKey(of granule: UInt32, base: UnsafeMutableRawPointer) -> Bool {
        let record = KeyRecord(base + Int(granule) &* Arena.granuleBytes)
        guard Int(record.keyCount) == keyByteCount else { return false }
        let stored = UnsafeRawBufferPointer(start: base + Int(record.keyGranule) &* Arena.granuleBytes, count: keyByteCount)
        return stored.elementsEqual(UnsafeRawBufferPointer(rebasing: keyBytes[..<keyByteCount]))
    }

    /// Each key column: one byte that is 1 for NULL, then nothing, or the value; text with its byte count before it.
    private mutating func encodeKey(_ view: BatchRows, _ row: Int) {
        keyByteCount = 0
        for number in 0..<code.keyCount {
            let key = code.keys[number]
            let vector = view.vectors[key.register]
            reserveKeyBytes(24)
            if vector.nulls[row] != 0 {
                appendToKey(UInt8(1))
                continue
            }
            appendToKey(UInt8(0))
            switch key.form {
            case .boolean: appendToKey(vector.booleans[row])
            case .integer: appendToKey(vector.integers[row])
            case .double: appendToKey(KeyHash.canonicalBits(vector.doubles[row]))
            case .decimal: appendToKey(vector.decimals[row])
            case .interval: appendToKey(vector.intervals[row].normalizedMicroseconds)
            case .text:
                let text = vector.texts[row]
                appendToKey(UInt32(text.count))
                reserveKeyBytes(text.count)
                if text.count > 0 {
                    (keyBytes.baseAddress! + keyByteCount).copyMemory(from: text.bytes!, byteCount: text.count)
                    keyByteCount += text.count
                }
            case .array: arraysAreResults()
            }
        }
    }

    @inline(__always)
    private mutating func appendToKey<T: BitwiseCopyable>(_ value: T) {
        keyBytes.baseAddress!.storeBytes(of: value, toByteOffset: keyByteCount, as: T.self)
        keyByteCount += MemoryLayout<T>.size
    }

    mutating func reserveKeyBytes(_ more: Int) {
        if keyByteCount + more <= keyBytes.count { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * (keyByteCount + more), alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: keyBytes[..<keyByteCount]))
        keyBytes.deallocate()
        keyBytes = larger
    }

    /// A record for the row's key, whose encoding stands in `keyBytes`; 0 when the arena is full.
    mutating func createKey(_ view: BatchRows, _ row: Int, arena: inout Arena) -> UInt32 {
        let hash = UInt32(truncatingIfNeeded: view.hashes[row])
        guard index.reserve(hash: hash, in: &arena) else { return 0 }
        let granule = arena.allocate(code.recordClass)
        if granule == 0 { return 0 }
        let record = KeyRecord(arena.address(granule))
        record.raw.initializeMemory(as: UInt8.self, repeating: 0, count: code.recordBytes)
        record.flags = flags
        if code.isKeyInline {
            let (key, isNull) = inlineKey(view, row)
            record.key = key
            if isNull { record.flags = flags | 1 }
        } else if keyByteCount > 0 {
            let bytes = arena.allocate(keyByteCount)
            if bytes == 0 {
                arena.free(granule, code.recordClass)
                return 0
            }
            arena.address(bytes).copyMemory(from: keyBytes.baseAddress!, byteCount: keyByteCount)
            record.keyGranule = bytes
            record.keyCount = UInt32(keyByteCount)
        }
        record.lastTime = .min
        record.hash = hash
        index.insert(granule, hash: hash)
        return granule
    }

    /// Gives back everything a key holds.
    mutating func removeKey(_ granule: UInt32, memory: inout ShardMemory) {
        areCandidatesCurrent = false
        imageRest(KeyRecord(memory.arena.address(granule)), memory: &memory)
        index.remove(granule, hash: KeyRecord(memory.arena.address(granule)).hash, in: &memory.arena)
        freeKey(granule, memory: &memory)
    }

    /// Gives back everything a key holds but its place in the index.
    mutating func freeKey(_ granule: UInt32, memory: inout ShardMemory) {
        let record = KeyRecord(memory.arena.address(granule))
        empty(record, memory: &memory)
        if record.log != 0 { memory.arena.free(record.log, bytes: code.logBytes(capacity: record.capacity)) }
        if !code.isKeyInline && record.keyCount > 0 { memory.arena.free(record.keyGranule, bytes: Int(record.keyCount)) }
        memory.arena.free(granule, code.recordClass)
    }

    /// Makes a key as it is when it is new; a log of the first size stays.
    func renewKey(_ granule: UInt32, memory: inout ShardMemory) {
        let record = KeyRecord(memory.arena.address(granule))
        imageRest(record, memory: &memory)
        empty(record, memory: &memory)
        let capacity = record.capacity
        var log = record.log
        if capacity > code.capacityMin {
            memory.arena.free(log, bytes: code.logBytes(capacity: capacity))
            log = 0
        }
        let (key, hash, flags) = (record.key, record.hash, record.flags)
        record.raw.initializeMemory(as: UInt8.self, repeating: 0, count: code.recordBytes)
        record.key = key
        record.hash = hash
        record.flags = flags
        record.lastTime = .min
        if log != 0 { record.setLog(log, capacity: capacity) }
    }

    /// Gives back what a key's rows hold besides the log itself.
    @inline(__always)
    private func empty(_ record: KeyRecord, memory: inout ShardMemory) {
        if code.foldCount == 0 && !code.hasTexts && !code.hasLinks && code.frameStateCount == 0 { return }
        let log = kernel.logView(record, memory.arena.base)
        if code.hasTexts {
            for position in log.head..<log.tail { releaseTexts(log, position, memory: &memory) }
        }
        kernel.resetFolds(record, memory: &memory)
        if code.frameStateCount > 0 { kernel.dropFrameStates(record, log, memory: &memory) }
        for number in 0..<code.inputCount where code.inputs[number].givenUp >= 0 {
            GivenUpValues(record, code.inputs[number], memory.arena.base).clear(memory: &memory)
        }
        if code.hasLinks { dropTables(record, log, arena: &memory.arena) }
    }

    private func dropTables(_ record: KeyRecord, _ log: KeyLog, arena: inout Arena) {
        for number in 0..<code.inputCount where code.inputs[number].next >= 0 {
            let occurrences = Occurrences(record, code.inputs[number], log, arena.base)
            if occurrences.field[0] == 0 { continue }
            arena.free(occurrences.field[0], bytes: occurrences.tableBytes)
            occurrences.fillTable(granule: 0, count: 0)
        }
    }
}
