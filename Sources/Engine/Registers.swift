import Synchronization
import Values

/// One register of a batch: `rows` values in the type's form, side by side, and one byte a row that is 1 where it is NULL.
/// A value beside a set null byte is unspecified but initialised.
///
/// A vector may stand in the receive buffer itself (fixed-width Arrow columns that are in register form already);
/// those are only read.
public struct Vector {
    public var values: UnsafeMutableRawPointer
    public var nulls: UnsafeMutablePointer<UInt8>

    public init(values: UnsafeMutableRawPointer, nulls: UnsafeMutablePointer<UInt8>) {
        self.values = values
        self.nulls = nulls
    }

    @inline(__always) public var booleans: UnsafeMutablePointer<UInt8> { values.assumingMemoryBound(to: UInt8.self) }
    @inline(__always) public var integers: UnsafeMutablePointer<Int64> { values.assumingMemoryBound(to: Int64.self) }
    @inline(__always) public var doubles: UnsafeMutablePointer<Double> { values.assumingMemoryBound(to: Double.self) }
    @inline(__always) public var decimals: UnsafeMutablePointer<Int128> { values.assumingMemoryBound(to: Int128.self) }
    @inline(__always) public var texts: UnsafeMutablePointer<TextReference> { values.assumingMemoryBound(to: TextReference.self) }
    @inline(__always) public var arrays: UnsafeMutablePointer<ArrayReference> {
        values.assumingMemoryBound(to: ArrayReference.self)
    }
    @inline(__always) public var intervals: UnsafeMutablePointer<Interval> { values.assumingMemoryBound(to: Interval.self) }
}

/// What became of a row; travels beside its answer.
public enum RowStatus: UInt8, Sendable {
    case ok = 0
    /// Further behind its stream's newest event than `lateness`: no key took it, its features are NULL.
    case late = 1
    /// Too far ahead of the clock, without event time, or with a new key when memory is full.
    case refused = 2

    /// Says it of a row. Several shards may, each about the same row and all of them the same.
    func mark(_ status: UnsafeMutablePointer<UInt8>) {
        UnsafeMutableRawPointer(status).assumingMemoryBound(to: Atomic<UInt8>.self).pointee.store(rawValue, ordering: .relaxed)
    }
}

/// What is asked of a batch.
public enum BatchMode: UInt8, Sendable {
    /// Ingest and answer.
    case compute
    /// Ingest, answer nothing.
    case ingest
    /// Answer as `compute` would have, keep nothing.
    case evaluate
    /// Rows hold key columns and a time (`get`): frames end at that time, there is no current row. Keeps nothing.
    case lookUp
}
