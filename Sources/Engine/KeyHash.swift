import Plan
import Values

/// The hash of a partition key: one function for the index of keys, the key partition (its top 10 bits) and so the shard.
///
/// Deterministic over runs, machines and core counts, because the place of a key in the state follows from it. Equal keys
/// hash equally: NULL is a value of its own, -0 and 0 are one number, as are all NaNs.
///
///     h = seed;  for each key column: h = fold(h ^ word, multiplier);  text: a fold for each 8 bytes, then for its length
public enum KeyHash {
    @inline(__always) static var seed: UInt64 { 0x2545_F491_4F6C_DD1D }
    @inline(__always) static var multiplier: UInt64 { 0x9E37_79B9_7F4A_7C15 }
    @inline(__always) static var nullWord: UInt64 { 0xD6E8_FEB8_6659_FD93 }

    /// High and low half of the product, folded: every bit of the input reaches every bit of the result.
    @inline(__always)
    static func fold(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: multiplier)
        let mixed = product.high ^ product.low
        let again = (mixed ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
        return again.high ^ again.low
    }

    /// The shard that owns a key: of 1,024 fixed partitions, which the top 10 bits name, shards own every `shardCount`-th.
    @inline(__always)
    static func shard(of hash: UInt64, among shardCount: UInt64) -> UInt8 {
        UInt8(truncatingIfNeeded: (hash >> 54) % shardCount)
    }

    /// Hashes of the keys of rows 0 ..< `rowCount`; without key columns every row has the same.
    public static func hashes(
        of keys: [Register], vectors: UnsafeMutablePointer<Vector>, rowCount: Int, into hashes: UnsafeMutablePointer<UInt64>
    ) {
        hashes.update(repeating: seed, count: rowCount)
        if keys.isEmpty { hashes.update(repeating: fold(seed), count: rowCount) }
        for key in keys {
            add(vectors[key.index], form: key.type.form, rowCount: rowCount, to: hashes)
        }
    }

    private static func add(_ vector: Vector, form: Form, rowCount: Int, to hashes: UnsafeMutablePointer<UInt64>) {
        let nulls = vector.nulls
        switch form {
        case .integer:
            let values = vector.integers
            for row in 0..<rowCount {
                hashes[row] = fold(hashes[row] ^ (nulls[row] == 0 ? UInt64(bitPattern: values[row]) : nullWord))
            }
        case .boolean:
            let values = vector.booleans
            for row in 0..<rowCount { hashes[row] = fold(hashes[row] ^ (nulls[row] == 0 ? UInt64(values[row]) : nullWord)) }
        case .double:
            let values = vector.doubles
            for row in 0..<rowCount {
                hashes[row] = fold(hashes[row] ^ (nulls[row] == 0 ? canonicalBits(values[row]) : nullWord))
            }
        case .decimal:
            let values = vector.decimals
            for row in 0..<rowCount {
                let isNull = nulls[row] != 0
                let low = isNull ? nullWord : UInt64(truncatingIfNeeded: values[row])
                let high = isNull ? 0 : UInt64(truncatingIfNeeded: values[row] >> 64)
                hashes[row] = fold(fold(hashes[row] ^ low) ^ high)
            }
        case .interval:
            let values = vector.intervals
            for row in 0..<rowCount {
                let isNull = nulls[row] != 0
                let span = values[row].normalizedMicroseconds
                hashes[row] = fold(
                    fold(hashes[row] ^ (isNull ? nullWord : UInt64(truncatingIfNeeded: span)))
                        ^ (isNull ? 0 : UInt64(truncatingIfNeeded: span >> 64)))
            }
        case .text:
            let values = vector.texts
            for row in 0..<rowCount {
                hashes[row] =
                    nulls[row] == 0
                    ? hash(values[row].bytes, count: values[row].count, start: hashes[row]) : fold(hashes[row] ^ nullWord)
            }
        case .array: arraysAreResults()
        }
    }

    /// That of the 8 bytes of an integer, as an index of keys has it.
    @inline(__always)
    static func hash(integer value: Int64) -> UInt32 {
        UInt32(truncatingIfNeeded: fold(fold(fold(seed ^ UInt64(bitPattern: value))) ^ 8))
    }

    /// Hash of some bytes; `bytes` may be nil where there are none, and changes nothing then.
    static func hash(_ bytes: UnsafePointer<UInt8>?, count: Int, start: UInt64 = KeyHash.seed) -> UInt64 {
        var result = start
        var offset = 0
        var last: UInt64 = 0
        if let bytes {
            let raw = UnsafeRawPointer(bytes)
            while offset + 8 <= count {
                result = fold(result ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                offset += 8
            }
            var shift: UInt64 = 0
            while offset < count {
                last |= UInt64(bytes[offset]) << shift
                shift += 8
                offset += 1
            }
        }
        result = fold(result ^ last)
        return fold(result ^ UInt64(count))
    }

    /// One pattern for all NaNs, and one for both zeros.
    @inline(__always)
    static func canonicalBits(_ value: Double) -> UInt64 {
        if value == 0 { return 0 }
        return value.isNaN ? 0x7FF8_0000_0000_0000 : value.bitPattern
    }
}
