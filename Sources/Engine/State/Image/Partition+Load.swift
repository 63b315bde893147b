import Bytes
import Values

/// Which keys a shard takes of those that it is shown.
struct KeyOwner {
    let shard: Int
    let shardCount: Int

    @inline(__always)
    func owns(_ hash: UInt64) -> Bool { Int(KeyHash.shard(of: hash, among: UInt64(shardCount))) == shard }
}

/// Keys of an image, taken into a partition that had none but such.
extension Partition {
    /// Reads the keys of a piece, and takes those that are the shard's.
    mutating func load(
        _ keyCount: Int, from reader: inout ImageReader, owner: KeyOwner, memory: inout ShardMemory
    ) throws(ImageFault) {
        let end = reader.end
        for _ in 0..<keyCount {
            let length = try reader.takeLength()
            let next = reader.next + length
            reader.end = next
            try loadKey(from: &reader, owner: owner, memory: &memory)
            reader.skip(to: next)
            reader.end = end
        }
        if reader.left > 0 { throw ImageFault("there is more in it than its keys") }
    }

    @inline(__always)
    private mutating func loadKey(
        from reader: inout ImageReader, owner: KeyOwner, memory: inout ShardMemory
    ) throws(ImageFault) {
        let isNull = try reader.take(UInt8.self)
        if isNull > (code.isKeyInline ? 1 : 0) { throw ImageFault("a key is neither NULL nor not") }
        var inline: Int64 = 0
        let hash: UInt64
        if code.isKeyInline {
            inline = try reader.take(Int64.self)
            if isNull != 0 && inline != 0 || code.keys[0].form == .boolean && UInt64(bitPattern: inline) > 1 {
                throw ImageFault("a key has a value that it cannot have")
            }
            hash = KeyHash.hash(inline: inline, isNull: isNull != 0)
        } else {
            keyByteCount = try reader.takeCount(max: reader.left, "the length of a key")
            let bytes = try reader.take(bytes: keyByteCount)
            reserveKeyBytes(0)
            keyBytes.baseAddress!.copyMemory(from: bytes, byteCount: keyByteCount)
            hash = try KeyHash.hash(
                encoded: UnsafeRawBufferPointer(start: bytes, count: keyByteCount),
                UnsafeBufferPointer(start: code.keys, count: code.keyCount))
        }
        if !owner.owns(hash) { return }
        index.prefetch(hash: UInt32(truncatingIfNeeded: hash))
        let extent = try PartitionKernel.ImageExtent(&reader)
        var capacity = extent.count == 0 ? 0 : code.capacityMin
        while capacity < extent.count { capacity *= 2 }
        let granule = kernel.allocateKey(capacity: capacity, count: extent.count, arena: &memory.arena)
        if granule == 0 { throw .memoryFull }
        let record = KeyRecord(memory.arena.address(granule))
        try kernel.load(record, extent, from: &reader, memory: &memory)
        if reader.left > 0 { throw ImageFault("a key has more bytes than it says") }
        record.flags = flags | isNull
        record.hash = UInt32(truncatingIfNeeded: hash)
        try keep(granule, inline, memory: &memory)
    }

    /// Makes the record that of the key, which stands in `keyBytes` unless it is inline.
    private mutating func keep(_ granule: UInt32, _ inline: Int64, memory: inout ShardMemory) throws(ImageFault) {
        let record = KeyRecord(memory.arena.address(granule))
        guard index.reserve(hash: record.hash, in: &memory.arena) else { throw .memoryFull }
        if code.isKeyInline {
            record.key = inline
        } else if keyByteCount > 0 {
            let bytes = memory.arena.allocate(keyByteCount)
            if bytes == 0 { throw .memoryFull }
            memory.arena.address(bytes).copyMemory(from: keyBytes.baseAddress!, byteCount: keyByteCount)
            record.keyGranule = bytes
            record.keyCount = UInt32(keyByteCount)
        }
        if isKnown(record, base: memory.arena.base) { throw ImageFault("a key is there twice") }
        index.insert(granule, hash: record.hash)
    }

    private func isKnown(_ record: KeyRecord, base: UnsafeMutableRawPointer) -> Bool {
        let (key, isNull) = (record.key, record.keyIsNull)
        return search(hash: record.hash) { granule in
            if !code.isKeyInline { return isEncodedKey(of: granule, base: base) }
            let other = KeyRecord(base + Int(granule) &* Arena.granuleBytes)
            return other.key == key && other.keyIsNull == isNull
        } != 0
    }
}

extension KeyHash {
    @inline(__always)
    fileprivate static func hash(inline key: Int64, isNull: Bool) -> UInt64 {
        fold(seed ^ (isNull ? nullWord : UInt64(bitPattern: key)))
    }

    /// Of a key as `Partition` encodes it, which is checked by the way.
    fileprivate static func hash(
        encoded bytes: UnsafeRawBufferPointer, _ keys: UnsafeBufferPointer<KeyCode>
    ) throws(ImageFault) -> UInt64 {
        var reader = ImageReader(bytes)
        var hash = keys.isEmpty ? fold(seed) : seed
        for key in keys {
            let isNull = try reader.take(UInt8.self)
            if isNull > 1 { throw ImageFault("a part of a key is neither NULL nor not") }
            switch key.form {
            case .boolean: hash = fold(hash ^ (isNull != 0 ? nullWord : UInt64(try reader.take(UInt8.self))))
            case .integer, .double: hash = fold(hash ^ (isNull != 0 ? nullWord : try reader.take(UInt64.self)))
            case .decimal, .interval:
                let value = isNull != 0 ? 0 : try reader.take(Int128.self)
                let low = isNull != 0 ? nullWord : UInt64(truncatingIfNeeded: value)
                hash = fold(fold(hash ^ low) ^ UInt64(truncatingIfNeeded: value >> 64))
            case .text:
                if isNull != 0 {
                    hash = fold(hash ^ nullWord)
                    continue
                }
                let count = Int(try reader.take(UInt32.self))
                let text = try reader.take(bytes: count)
                hash = Self.hash(text.assumingMemoryBound(to: UInt8.self), count: count, start: hash)
            case .array: arraysAreResults()
            }
        }
        if reader.left > 0 { throw ImageFault("a key has more bytes than its columns") }
        return hash
    }
}
