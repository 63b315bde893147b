import Bounds

/// A batch that changed the state, as it came, and what the server decided about it.
///
/// It owns nothing. On its way into the log its pointers are valid until `LogWriter.flush` has returned; out of the log, as
/// long as the record's memory is held.
public struct LogBatch {
    public enum Mode: UInt8, Hashable, Sendable {
        case compute = 0, ingest
    }

    public var mode: Mode
    public var rowCount: Int
    /// The server's clock when it decided which rows lie too far ahead, in microseconds since 1970-01-01 UTC.
    public var receivedMicroseconds: Int64
    /// The greatest event time of its rows, in microseconds since 1970-01-01; `.min` where there is none. Retention goes by it.
    public var newestEventMicroseconds: Int64
    /// 0: its batches are not numbered.
    public var producer: UInt64
    public var batchNumber: UInt64
    public var receivedUpTo: UInt64
    /// Rows that lay too far ahead of the server's clock.
    public var rowsRefusedByClock: UnsafeBufferPointer<UInt32>
    /// Rows that a partition had no memory left for.
    public var rowsRefusedByMemory: UnsafeBufferPointer<MemoryRefusal>
    /// One encapsulated Arrow record batch, as it came, at a multiple of 8.
    public var message: UnsafeRawBufferPointer

    public struct MemoryRefusal: BitwiseCopyable, Hashable, Sendable {
        /// The plan's number of the partition.
        public var partition: UInt32
        public var row: UInt32

        public init(partition: UInt32, row: UInt32) {
            self.partition = partition
            self.row = row
        }
    }

    public init(
        mode: Mode, rowCount: Int, receivedMicroseconds: Int64, newestEventMicroseconds: Int64 = .min, producer: UInt64 = 0,
        batchNumber: UInt64 = 0, receivedUpTo: UInt64 = 0,
        rowsRefusedByClock: UnsafeBufferPointer<UInt32> = UnsafeBufferPointer(start: nil, count: 0),
        rowsRefusedByMemory: UnsafeBufferPointer<MemoryRefusal> = UnsafeBufferPointer(start: nil, count: 0),
        message: UnsafeRawBufferPointer
    ) {
        self.mode = mode
        self.rowCount = rowCount
        self.receivedMicroseconds = receivedMicroseconds
        self.newestEventMicroseconds = newestEventMicroseconds
        self.producer = producer
        self.batchNumber = batchNumber
        self.receivedUpTo = receivedUpTo
        self.rowsRefusedByClock = rowsRefusedByClock
        self.rowsRefusedByMemory = rowsRefusedByMemory
        self.message = message
    }

    /// Bytes that its record takes in a segment.
    public var recordBytes: Int {
        LogFormat.recordHeaderBytes + Prefix.byteCount + refusalBytes + LogFormat.padded(message.count)
    }

    var bodyBytes: Int { recordBytes - LogFormat.recordHeaderBytes }
    var refusalBytes: Int { LogFormat.padded(4 * rowsRefusedByClock.count + 8 * rowsRefusedByMemory.count) }
}

/// Body:
///
///     0       4     5     8         16            24        32            40              48             52
///     schema  mode  zero  received  newest_event  producer  batch_number  received_up_to  clock_refused  memory_refused
///     56              60         64
///     message_length  row_count  rows refused by the clock, 4 bytes each; by memory, partition and row, 8 bytes each; zeros to 8
///     message; zeros to 8
extension LogBatch {
    enum Prefix {
        static let byteCount = 64
        static let mode = 4, zero = 5, received = 8, newestEvent = 16, producer = 24, batchNumber = 32, receivedUpTo = 40
        static let clockRefused = 48, memoryRefused = 52, messageLength = 56, rowCount = 60
    }

    /// Fills 64 bytes at a multiple of 8.
    func writePrefix(to bytes: UnsafeMutableRawPointer, schema: UInt32) {
        bytes.storeBytes(of: schema.littleEndian, as: UInt32.self)
        bytes.storeBytes(of: UInt32(mode.rawValue).littleEndian, toByteOffset: Prefix.mode, as: UInt32.self)
        bytes.storeBytes(of: receivedMicroseconds.littleEndian, toByteOffset: Prefix.received, as: Int64.self)
        bytes.storeBytes(of: newestEventMicroseconds.littleEndian, toByteOffset: Prefix.newestEvent, as: Int64.self)
        bytes.storeBytes(of: producer.littleEndian, toByteOffset: Prefix.producer, as: UInt64.self)
        bytes.storeBytes(of: batchNumber.littleEndian, toByteOffset: Prefix.batchNumber, as: UInt64.self)
        bytes.storeBytes(of: receivedUpTo.littleEndian, toByteOffset: Prefix.receivedUpTo, as: UInt64.self)
        bytes.storeBytes(
            of: UInt32(rowsRefusedByClock.count).littleEndian, toByteOffset: Prefix.clockRefused, as: UInt32.self)
        bytes.storeBytes(
            of: UInt32(rowsRefusedByMemory.count).littleEndian, toByteOffset: Prefix.memoryRefused, as: UInt32.self)
        bytes.storeBytes(of: UInt32(message.count).littleEndian, toByteOffset: Prefix.messageLength, as: UInt32.self)
        bytes.storeBytes(of: UInt32(rowCount).littleEndian, toByteOffset: Prefix.rowCount, as: UInt32.self)
    }

    /// Reads a body that stands at a multiple of 8; returns the schema's number too.
    static func read(_ body: UnsafeRawBufferPointer) throws(BodyProblem) -> (LogBatch, schema: UInt32) {
        guard body.count >= Prefix.byteCount else { throw BodyProblem("a batch of \(body.count) bytes") }
        func number<Value: FixedWidthInteger & BitwiseCopyable>(_ place: Int, _: Value.Type) -> Value {
            Value(littleEndian: body.load(fromByteOffset: place, as: Value.self))
        }
        let clockCount = Int(number(Prefix.clockRefused, UInt32.self))
        let memoryCount = Int(number(Prefix.memoryRefused, UInt32.self))
        let messageBytes = Int(number(Prefix.messageLength, UInt32.self))
        let messageStart = Prefix.byteCount + LogFormat.padded(4 * clockCount + 8 * memoryCount)
        guard messageStart + LogFormat.padded(messageBytes) == body.count else {
            throw BodyProblem("a batch of \(body.count) bytes that says of itself other lengths")
        }
        let modeAndZero = number(Prefix.mode, UInt32.self)
        guard let mode = Mode(rawValue: UInt8(truncatingIfNeeded: modeAndZero)), modeAndZero <= 0xFF else {
            throw BodyProblem("a batch of mode \(modeAndZero)")
        }
        let refused = body.baseAddress! + Prefix.byteCount
        let batch = LogBatch(
            mode: mode, rowCount: Int(number(Prefix.rowCount, UInt32.self)),
            receivedMicroseconds: number(Prefix.received, Int64.self),
            newestEventMicroseconds: number(Prefix.newestEvent, Int64.self), producer: number(Prefix.producer, UInt64.self),
            batchNumber: number(Prefix.batchNumber, UInt64.self), receivedUpTo: number(Prefix.receivedUpTo, UInt64.self),
            rowsRefusedByClock: UnsafeBufferPointer(start: refused.assumingMemoryBound(to: UInt32.self), count: clockCount),
            rowsRefusedByMemory: UnsafeBufferPointer(
                start: (refused + 4 * clockCount).assumingMemoryBound(to: MemoryRefusal.self), count: memoryCount),
            message: UnsafeRawBufferPointer(rebasing: body[messageStart..<(messageStart + messageBytes)]))
        return (batch, number(0, UInt32.self))
    }
}
