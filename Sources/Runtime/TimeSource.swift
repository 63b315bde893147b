import Linux

/// Where a server's time comes from: read once per turn of a core's loop, and handed down from there.
///
/// The one seam through which time enters, so that a test or a simulator decides what time it is.
public protocol TimeSource: Sendable {
    /// Since an unspecified start; never goes back.
    func monotonicNanoseconds() -> UInt64
    /// Microseconds since 1970-01-01 UTC.
    func wallMicroseconds() -> Int64
}

/// The machine's own clocks.
public struct SystemTime: TimeSource {
    public init() {}
    public func monotonicNanoseconds() -> UInt64 { SystemClock.monotonicNanoseconds() }
    public func wallMicroseconds() -> Int64 { SystemClock.wallMicroseconds() }
}
