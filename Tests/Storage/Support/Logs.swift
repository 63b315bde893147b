import Linux
import Storage
import Values
import Wire

/// A log's records as values, so that what was written can be compared with what is read.
enum Entry: Hashable {
    case start(LogStart)
    case definitions(LogDefinitions)
    case admission(LogAdmission)
    case batch(BatchEntry)
}

struct BatchEntry: Hashable {
    var table: String
    var mode = LogBatch.Mode.compute
    var rowCount = 1
    var received: Int64 = 0
    var newestEvent: Int64 = .min
    var producer: UInt64 = 0
    var batchNumber: UInt64 = 0
    var receivedUpTo: UInt64 = 0
    var clock: [UInt32] = []
    var memory: [LogBatch.MemoryRefusal] = []
    var message: [UInt8]
    /// Dictionary messages that are in force for it, when read.
    var dictionaries: [[UInt8]] = []
    var views: [String] = []
}

let directory = "log"

extension LogWriter {
    /// The messages stay where they are until the log is flushed, which it is here.
    @discardableResult
    func append(_ entry: Entry, schema: LogSchema) throws -> UInt64 {
        switch entry {
        case .start(let start): return try append(start)
        case .definitions(let definitions): return try append(definitions)
        case .admission(let admission): return try append(admission)
        case .batch(let entry):
            return try entry.clock.withUnsafeBufferPointer { clock in
                try entry.memory.withUnsafeBufferPointer { memory in
                    try entry.message.withUnsafeBytes { message in
                        let sequence = try append(
                            LogBatch(
                                mode: entry.mode, rowCount: entry.rowCount, receivedMicroseconds: entry.received,
                                newestEventMicroseconds: entry.newestEvent, producer: entry.producer,
                                batchNumber: entry.batchNumber, receivedUpTo: entry.receivedUpTo, rowsRefusedByClock: clock,
                                rowsRefusedByMemory: memory, message: message), schema: schema)
                        try flush()
                        return sequence
                    }
                }
            }
        }
    }
}

func makeWriter(
    _ disk: some Disk, segmentBytes: Int = 64 << 10, segment: UInt64 = 1, nextSequence: UInt64 = 1, epoch: UInt32 = 1,
    definitions: LogDefinitions? = nil
) throws -> LogWriter {
    try LogWriter(
        disk: disk, directory: directory, options: LogOptions(segmentBytes: segmentBytes, epoch: epoch, salt: 0xC0FF_EE00),
        segment: segment, nextSequence: nextSequence, definitions: definitions)
}

/// Continues what recovery has left.
func makeWriter(_ disk: some Disk, after recovery: LogRecovery, segmentBytes: Int = 64 << 10) throws -> LogWriter {
    try makeWriter(
        disk, segmentBytes: segmentBytes, segment: recovery.nextSegment, nextSequence: recovery.lastSequence + 1,
        epoch: recovery.epoch + 1)
}

/// Everything from a sequence number on, by number; checks that each batch's schema is stated before it.
func readLog(_ disk: some Disk, from first: UInt64 = 1) throws -> (entries: [UInt64: Entry], tornTail: TornTail?) {
    let reader = try LogReader(disk: disk, directory: directory, from: first)
    var entries: [UInt64: Entry] = [:]
    var schemas: [UInt32: (record: LogSchemaRecord, dictionaries: [(id: Int64, message: [UInt8])])] = [:]
    var segment: UInt64 = 0
    while let record = try reader.next() {
        if record.segment != segment {
            schemas = [:]
            segment = record.segment
        }
        let entry: Entry
        switch record.content {
        case .schema(let schema):
            schemas[schema.number] = (schema, [])
            continue
        case .dictionary(let dictionary):
            let place = try DictionaryMessage(dictionary.message)
            if !place.isDelta { schemas[dictionary.schema]?.dictionaries.removeAll { $0.id == place.id } }
            schemas[dictionary.schema]?.dictionaries.append((place.id, Array(dictionary.message)))
            continue
        case .start(let start): entry = .start(start)
        case .definitions(let definitions): entry = .definitions(definitions)
        case .admission(let admission): entry = .admission(admission)
        case .batch(let batch, let number):
            guard let schema = schemas[number] else { throw TestError("batch \(record.sequence) of an unknown schema \(number)") }
            entry = .batch(
                BatchEntry(
                    table: schema.record.table, mode: batch.mode, rowCount: batch.rowCount,
                    received: batch.receivedMicroseconds, newestEvent: batch.newestEventMicroseconds,
                    producer: batch.producer, batchNumber: batch.batchNumber, receivedUpTo: batch.receivedUpTo,
                    clock: Array(batch.rowsRefusedByClock), memory: Array(batch.rowsRefusedByMemory),
                    message: Array(batch.message), dictionaries: schema.dictionaries.map(\.message),
                    views: schema.record.views))
        }
        if record.isContext { continue }
        guard entries.updateValue(entry, forKey: record.sequence) == nil else {
            throw TestError("sequence number \(record.sequence) came twice")
        }
    }
    return (entries, reader.tornTail)
}

struct TestError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// A schema without dictionaries.
func plainSchema(_ table: String, views: [String] = [], columns: [String] = ["a"]) throws -> LogSchema {
    let message = ArrowSchema(fields: columns.map { Field(name: $0, type: .bigint) }).encode()
    return try message.withUnsafeBytes { try LogSchema(table: table, views: views, message: $0) }
}

/// Bytes that no other message has.
func message(_ number: Int, byteCount: Int = 64) -> [UInt8] {
    (0..<byteCount).map { UInt8(truncatingIfNeeded: ($0 * 31) ^ (number * 17) ^ (number >> 8) | 1) }
}
