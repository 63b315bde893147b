import Values

/// Bytes of a piece that is being written; grows by doubling. Owned by the image that it is part of.
struct ImageOutput {
    private(set) var start: UnsafeMutableRawPointer?
    private(set) var count = 0
    private var capacity = 0
    /// Keys written into it.
    var keyCount = 0
    /// A piece of this state was closed before: there is much of it.
    private var isLarge = false

    /// Room for so many more bytes.
    @inline(__always)
    mutating func reserve(_ more: Int) {
        if count &+ more > capacity { grow(more) }
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let least = isLarge ? ImageFormat.pieceBytes + ImageFormat.pieceBytes / 8 : ImageFormat.firstPieceBytes
        let larger = max(least, 2 * capacity, count + more)
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        if let start {
            fresh.copyMemory(from: start, byteCount: count)
            start.deallocate()
        }
        start = fresh
        capacity = larger
    }

    /// Leaves room for the piece's header.
    mutating func beginPiece() {
        reserve(ImageFormat.headerBytes)
        count = ImageFormat.headerBytes
    }

    /// The piece's memory is the caller's.
    mutating func takePiece() -> UnsafeMutableRawBufferPointer {
        let piece = UnsafeMutableRawBufferPointer(start: start, count: count)
        self = ImageOutput()
        isLarge = true
        return piece
    }

    func deallocate() { start?.deallocate() }

    // MARK: Values

    @inline(__always)
    mutating func put<T: BitwiseCopyable>(_ value: T) {
        reserve(MemoryLayout<T>.size)
        start.unsafelyUnwrapped.storeBytes(of: value, toByteOffset: count, as: T.self)
        count &+= MemoryLayout<T>.size
    }

    @inline(__always)
    mutating func put(bytes: UnsafeRawPointer, count more: Int) {
        reserve(more)
        (start.unsafelyUnwrapped + count).copyMemory(from: bytes, byteCount: more)
        count &+= more
    }

    @inline(__always)
    mutating func put<T: FixedWidthInteger & UnsignedInteger>(varint value: T) {
        reserve(19)
        var left = value
        while left >= 0x80 {
            start.unsafelyUnwrapped.storeBytes(of: UInt8(truncatingIfNeeded: left) | 0x80, toByteOffset: count, as: UInt8.self)
            count &+= 1
            left >>= 7
        }
        start.unsafelyUnwrapped.storeBytes(of: UInt8(truncatingIfNeeded: left), toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    @inline(__always)
    mutating func put(count: Int) { put(varint: UInt64(count)) }

    @inline(__always)
    mutating func put(signed value: Int64) { put(varint: UInt64(bitPattern: value &<< 1 ^ value >> 63)) }

    @inline(__always)
    mutating func put(wide value: Int128) { put(varint: UInt128(truncatingIfNeeded: value &<< 1 ^ value >> 127)) }

    mutating func put(text: TextReference?) {
        guard let text else { return put(varint: UInt64(0)) }
        put(varint: UInt64(text.count) + 1)
        if let bytes = text.bytes { put(bytes: bytes, count: text.count) }
    }

    /// One bit for each of `rows`.
    @inline(__always)
    mutating func put(bits rows: Range<Int>, _ isSet: (Int) -> Bool) {
        reserve((rows.count &+ 7) >> 3)
        var (byte, number): (UInt8, UInt8) = (0, 0)
        for row in rows {
            byte |= (isSet(row) ? 1 : 0) &<< number
            number &+= 1
            if number == 8 {
                put(byte)
                (byte, number) = (0, 0)
            }
        }
        if number > 0 { put(byte) }
    }

    // MARK: Keys

    /// Where the key begins, for `endKey`.
    @inline(__always)
    mutating func beginKey() -> Int {
        reserve(ImageFormat.lengthBytes)
        count &+= ImageFormat.lengthBytes
        return count
    }

    /// - Parameter more: bytes of the key that stand elsewhere.
    @inline(__always)
    mutating func endKey(_ begin: Int, more: Int = 0) {
        let length = count &- begin &+ more
        let place = start.unsafelyUnwrapped + (begin &- ImageFormat.lengthBytes)
        place.storeBytes(of: UInt32(truncatingIfNeeded: length), as: UInt32.self)
        place.storeBytes(of: UInt8(length >> 32), toByteOffset: 4, as: UInt8.self)
        keyCount &+= 1
    }
}
