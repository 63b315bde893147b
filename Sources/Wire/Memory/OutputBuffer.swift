/// Bytes under way out: grows, is emptied, and keeps its memory for the next time.
///
/// Invariants: `base` is aligned to 64; `0 <= count <= capacity`; all of `count` bytes are initialised.
public struct OutputBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer
    public private(set) var capacity: Int
    public private(set) var count = 0

    static let alignment = 64

    public init(capacity: Int = 4096) {
        self.capacity = max(capacity, Self.alignment)
        base = .allocate(byteCount: self.capacity, alignment: Self.alignment)
    }

    deinit { base.deallocate() }

    /// Valid until the buffer grows, or ends.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// The same for patching what has been written.
    public var mutableBytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: base, count: count) }

    public mutating func removeAll() { count = 0 }

    /// Forgets what was written past `newCount` bytes.
    public mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count)
        count = newCount
    }

    /// Makes room for `more` bytes; pointers into the buffer are invalid afterwards.
    @inline(__always)
    public mutating func reserve(_ more: Int) {
        if capacity - count < more { grow(more) }
    }

    /// Appends `more` bytes that the caller initialises before anyone reads them.
    @inline(__always)
    public mutating func appendUninitialized(_ more: Int) -> UnsafeMutableRawPointer {
        reserve(more)
        defer { count += more }
        return base + count
    }

    public mutating func append(_ source: UnsafeRawBufferPointer) {
        guard let start = source.baseAddress else { return }
        appendUninitialized(source.count).copyMemory(from: start, byteCount: source.count)
    }

    public mutating func append(_ source: [UInt8]) {
        source.withUnsafeBytes { append($0) }
    }

    public mutating func appendZeros(_ more: Int) {
        appendUninitialized(more).initializeMemory(as: UInt8.self, repeating: 0, count: more)
    }

    /// Zeros until `count` is a multiple of `alignment`, a power of two.
    @inline(__always)
    public mutating func pad(to alignment: Int = 8) {
        let more = -count & (alignment - 1)
        if more > 8 { return appendZeros(more) }
        // One store whatever is missing.
        reserve(8)
        (base + count).storeBytes(of: 0, as: UInt64.self)
        count += more
    }

    /// Forgets the first `byteCount` bytes, which were sent. O(rest).
    public mutating func removeFirst(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= count)
        base.copyMemory(from: base + byteCount, byteCount: count - byteCount)
        count -= byteCount
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let needed = max(count + more, capacity * 2)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: needed, alignment: Self.alignment)
        larger.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = larger
        capacity = needed
    }
}

extension OutputBuffer {
    /// Appends one frame. `header.bodyLength`, checksum and flag are set here; `isChecked` asks for a checksum of the body.
    public mutating func appendFrame(_ header: FrameHeader, isChecked: Bool = false, body: UnsafeRawBufferPointer) {
        let place = beginFrame()
        append(body)
        endFrame(at: place, header, isChecked: isChecked)
    }

    /// Leaves room for a header, so that a body can be written straight behind it; `endFrame` completes the frame. The buffer
    /// must stand at a multiple of 8, which it does when it holds whole frames.
    public mutating func beginFrame() -> Int {
        precondition(count & 7 == 0, "frames start at multiples of 8")
        let place = count
        _ = appendUninitialized(FrameHeader.byteCount)
        return place
    }

    /// Completes the frame that was begun at `place` with all that was appended since.
    public mutating func endFrame(at place: Int, _ header: FrameHeader, isChecked: Bool = false) {
        var header = header
        let bodyStart = place + FrameHeader.byteCount
        header.bodyLength = count - bodyStart
        precondition(header.bodyLength <= header.kind.bodyBytesMax, "the writer keeps to the limit of its kind")
        if isChecked && header.bodyLength > 0 {
            header.flags.insert(.bodyChecksum)
            header.bodyChecksum = FrameHeader.checksum(UnsafeRawBufferPointer(rebasing: bytes[bodyStart...]))
        }
        pad()
        header.write(to: base + place)
    }
}
