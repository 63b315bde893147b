import CKernels
import Values

/// Reads a piece from its beginning to its end, and never beyond.
struct ImageReader {
    private(set) var next: UnsafeRawPointer
    private let start: UnsafeRawPointer
    /// Behind what may be read: the piece, or one key of it.
    var end: UnsafeRawPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        // An empty buffer may stand nowhere.
        start = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 16)!
        next = start
        end = start + bytes.count
    }

    @inline(__always) var left: Int { end - next }
    var offset: Int { next - start }

    @inline(__always)
    func has(_ count: Int) throws(ImageFault) {
        if left < count { throw ImageFault("it ends before what it says is in it") }
    }

    @inline(__always)
    mutating func take<T: BitwiseCopyable>(_: T.Type) throws(ImageFault) -> T {
        try has(MemoryLayout<T>.size)
        defer { next += MemoryLayout<T>.size }
        return next.loadUnaligned(as: T.self)
    }

    /// `count` bytes of the piece.
    @inline(__always)
    mutating func take(bytes count: Int) throws(ImageFault) -> UnsafeRawPointer {
        try has(count)
        defer { next += count }
        return next
    }

    mutating func skip(to place: UnsafeRawPointer) { next = place }

    /// A key's byte count, which the piece has.
    @inline(__always)
    mutating func takeLength() throws(ImageFault) -> Int {
        let low = try take(UInt32.self)
        let length = Int(try take(UInt8.self)) << 32 | Int(low)
        try has(length)
        return length
    }

    @inline(__always)
    mutating func takeVarint() throws(ImageFault) -> UInt64 {
        let first = try take(UInt8.self)
        return first < 0x80 ? UInt64(first) : try takeLongVarint(UInt64(first & 0x7F))
    }

    private mutating func takeLongVarint<T: FixedWidthInteger & UnsignedInteger>(_ low: T) throws(ImageFault) -> T {
        var result = low
        var shift = 7
        while shift < T.bitWidth {
            let byte = try take(UInt8.self)
            result |= T(byte & 0x7F) << T(shift)
            if byte < 0x80 { return result }
            shift += 7
        }
        throw ImageFault("a number has too many bytes")
    }

    @inline(__always)
    mutating func takeSigned() throws(ImageFault) -> Int64 {
        let bits = try takeVarint()
        return Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1)
    }

    mutating func takeWide() throws(ImageFault) -> Int128 {
        let first = try take(UInt8.self)
        let bits = first < 0x80 ? UInt128(first) : try takeLongVarint(UInt128(first & 0x7F))
        return Int128(truncatingIfNeeded: bits >> 1) ^ (0 - Int128(truncatingIfNeeded: bits & 1))
    }

    /// A number that is used as one, not as bits: from 0 to `max`.
    @inline(__always)
    mutating func takeCount(max: Int, _ what: StaticString) throws(ImageFault) -> Int {
        let count = try takeVarint()
        if count > UInt64(max) { throw ImageFault("\(what) is \(count); at most \(max) is possible") }
        return Int(truncatingIfNeeded: count)
    }

    /// One bit a row.
    @inline(__always)
    mutating func takeBits(_ count: Int) throws(ImageFault) -> ImageBits {
        ImageBits(bytes: try take(bytes: (count &+ 7) >> 3))
    }

    /// nil: NULL. The bytes are the piece's.
    mutating func takeText() throws(ImageFault) -> TextReference? {
        let size = try takeVarint()
        if size == 0 { return nil }
        if size > UInt64(left) &+ 1 { throw ImageFault("a text ends behind the piece") }
        let count = Int(size &- 1)
        let bytes = try take(bytes: count).assumingMemoryBound(to: UInt8.self)
        if !CKernels_isUTF8(bytes, count) { throw ImageFault("a text is not UTF-8") }
        return TextReference(bytes: bytes, count: count)
    }
}

struct ImageBits {
    let bytes: UnsafeRawPointer

    @inline(__always)
    subscript(index: Int) -> Bool { bytes.load(fromByteOffset: index >> 3, as: UInt8.self) >> UInt8(index & 7) & 1 != 0 }
}
