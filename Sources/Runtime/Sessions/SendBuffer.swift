import Linux
import Wire

/// Bytes on their way to one peer: frames are appended at the end, the socket takes from the front.
///
/// Memory is returned when everything is sent and it had grown past what an active connection usually needs.
/// Invariant: `buffer` begins at a frame's multiple of 8, so that frames appended to it are aligned.
struct SendBuffer: ~Copyable {
    private var buffer = OutputBuffer(capacity: firstBytes)
    private var sent = 0
    static let keptBytesMax = 1 << 20
    private static let firstBytes = 256

    var unsentBytes: Int { buffer.count - sent }
    /// Where the next frame will stand; until something is sent.
    var count: Int { buffer.count }

    /// The body of the frame that stands at a place. Valid until the next one is appended or anything is sent.
    func body(ofFrameAt place: Int) -> UnsafeRawBufferPointer? {
        guard place + FrameHeader.byteCount <= buffer.count else { return nil }
        let frame = UnsafeRawBufferPointer(rebasing: buffer.bytes[place...])
        guard let header = try? FrameHeader.parse(frame.baseAddress!), header.frameLength <= frame.count else { return nil }
        return UnsafeRawBufferPointer(rebasing: frame[FrameHeader.byteCount..<FrameHeader.byteCount + header.bodyLength])
    }
    /// Memory it holds beyond what every connection has.
    var heldBytes: Int { buffer.capacity - SendBuffer.firstBytes }

    /// A frame whose body `writeBody` appends; nothing is appended where that throws.
    mutating func appendFrame(
        _ header: FrameHeader, isChecked: Bool, writeBody: (inout OutputBuffer) throws(WireError) -> Void
    ) throws(WireError) {
        let place = buffer.beginFrame()
        do throws(WireError) {
            try writeBody(&buffer)
        } catch {
            buffer.truncate(to: place)
            throw error
        }
        buffer.endFrame(at: place, header, isChecked: isChecked)
    }

    mutating func appendFrame(_ header: FrameHeader, isChecked: Bool, body: UnsafeRawBufferPointer) {
        buffer.appendFrame(header, isChecked: isChecked, body: body)
    }

    mutating func removeAll() {
        buffer = OutputBuffer(capacity: SendBuffer.firstBytes)
        sent = 0
    }

    /// Gives back what an active connection needed and one that is silent doesn't.
    mutating func releaseMemory() { if unsentBytes == 0 && heldBytes > 0 { removeAll() } }

    enum Outcome { case emptied, blocked, failed }

    /// Adds to `sentBytes` what the kernel took. `keepsMemory`: for the next answers, up to a bound.
    mutating func send(to connection: any Connection, keepsMemory: Bool, sentBytes: inout UInt64) -> Outcome {
        while unsentBytes > 0 {
            switch connection.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[sent...])) {
            case .bytes(let count):
                sent += count
                sentBytes += UInt64(count)
            case .wouldBlock:
                compact()
                return .blocked
            case .ended, .failed: return .failed
            }
        }
        if buffer.capacity > SendBuffer.keptBytesMax || !keepsMemory { removeAll() } else { buffer.removeAll() }
        sent = 0
        return .emptied
    }

    /// Moves the unsent bytes to the front once more than half of the buffer is sent, so that a slow peer costs no more
    /// memory than twice what it has not read, and each byte is moved once on average.
    private mutating func compact() {
        guard sent > unsentBytes else { return }
        let removed = sent & ~7
        buffer.removeFirst(removed)
        sent -= removed
    }
}
