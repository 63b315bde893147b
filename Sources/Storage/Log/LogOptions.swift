import Bounds

/// How a `LogWriter` writes.
public struct LogOptions: Hashable, Sendable {
    /// Bytes that each segment is made with. At least `Bounds.logSegmentBytesMin`; a record that does not fit in is refused.
    public var segmentBytes: Int
    /// Of the server that writes.
    public var epoch: UInt32
    /// By chance, another at each start: it keeps bytes that a client sends from being taken for records.
    public var salt: UInt32

    public init(segmentBytes: Int = Bounds.logSegmentBytes, epoch: UInt32, salt: UInt32) {
        precondition(
            segmentBytes >= Bounds.logSegmentBytesMin && segmentBytes <= Bounds.logSegmentBytesMax && segmentBytes & 7 == 0,
            "a segment has \(Bounds.logSegmentBytesMin) to \(Bounds.logSegmentBytesMax) bytes, a multiple of 8")
        self.segmentBytes = segmentBytes
        self.epoch = epoch
        self.salt = salt
    }

    /// Each segment's own.
    func salt(ofSegment number: UInt64) -> UInt32 { salt &+ UInt32(truncatingIfNeeded: number) &* 0x9E37_79B9 }
}
