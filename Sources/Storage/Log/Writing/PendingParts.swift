/// What has been appended and not written yet: pointers to messages where they lie, and the small pieces between them, which
/// stand in a buffer of its own.
///
/// Invariant: no part points into memory that may go before `removeAll`: the caller's messages by contract, everything else is
/// held here.
struct PendingParts: ~Copyable {
    private(set) var parts: [UnsafeRawBufferPointer] = []
    private(set) var byteCount = 0
    private let buffer: UnsafeMutableRawBufferPointer
    private var used = 0
    private var held: [LogBytes] = []

    /// One system call takes no more.
    static let partsMax = 1_024
    private static let bufferBytes = 128 << 10

    init() {
        buffer = .allocate(byteCount: Self.bufferBytes, alignment: 64)
        parts.reserveCapacity(Self.partsMax)
        held.reserveCapacity(64)
    }

    deinit { buffer.deallocate() }

    /// Room for one more record of so many parts and bytes in the buffer.
    func hasRoom(parts count: Int, bufferBytes: Int) -> Bool {
        parts.count + count <= Self.partsMax && used + bufferBytes <= buffer.count
    }

    /// Room at the end, to be filled at once; valid until `removeAll`.
    mutating func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
        precondition(used + byteCount <= buffer.count, "room is asked for first")
        let start = buffer.baseAddress.unsafelyUnwrapped + used
        used += byteCount
        add(UnsafeRawBufferPointer(start: start, count: byteCount))
        return start
    }

    /// Bytes that the caller keeps where they are until `removeAll`.
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        byteCount += bytes.count
        let last = parts.count - 1
        if last >= 0, parts[last].baseAddress.unsafelyUnwrapped + parts[last].count == start {
            parts[last] = UnsafeRawBufferPointer(start: parts[last].baseAddress, count: parts[last].count + bytes.count)
        } else {
            parts.append(bytes)
        }
    }

    mutating func add(_ bytes: LogBytes) {
        held.append(bytes)
        add(bytes.bytes)
    }

    mutating func removeAll() {
        parts.removeAll(keepingCapacity: true)
        held.removeAll(keepingCapacity: true)
        byteCount = 0
        used = 0
    }
}
