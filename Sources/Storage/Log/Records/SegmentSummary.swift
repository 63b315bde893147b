/// What a finished segment says of itself in its last record, so that nobody has to read it all.
///
///     0              8             16           20
///     last_sequence  record_count  table_count  zero
///     24                                  …
///     of each table: newest_event (8 bytes), name as a text, zeros to 8      record_length  "DNEC"
///
/// The record's length stands at its end, so that it can be found from the file's end.
struct SegmentSummary: Hashable {
    /// Of the segment, or of what is before it where the segment has no record with one of its own.
    var lastSequence: UInt64
    var recordCount: UInt64 = 0
    /// The greatest event time of each table's batches, in microseconds since 1970-01-01.
    var newestEvents: [String: Int64] = [:]

    static let tailBytes = 8
    static let tailMagic: UInt32 = 0x4345_4E44

    /// Length of the whole record.
    var recordBytes: Int {
        LogFormat.recordHeaderBytes + newestEvents.keys.reduce(24 + Self.tailBytes) { $0 + Self.bytes(table: $1) }
    }

    static func bytes(table: String) -> Int { LogFormat.padded(12 + table.utf8.count) }

    mutating func add(table: String, newestEvent: Int64) {
        guard newestEvent > .min else { return }
        newestEvents[table] = max(newestEvents[table] ?? .min, newestEvent)
    }

    func encode() -> LogBytes {
        var body = BodyWriter()
        body.append(lastSequence)
        body.append(recordCount)
        body.append(UInt32(newestEvents.count))
        body.append(UInt32(0))
        for (table, newest) in newestEvents.sorted(by: { $0.key < $1.key }) {
            body.append(newest)
            body.append(text: table)
            body.pad()
        }
        body.append(UInt32(recordBytes))
        body.append(Self.tailMagic)
        return body.finish()
    }

    init(lastSequence: UInt64) { self.lastSequence = lastSequence }

    init(_ body: inout BodyReader) throws(BodyProblem) {
        lastSequence = try body.number()
        recordCount = try body.number()
        let count: UInt32 = try body.number()
        let zero: UInt32 = try body.number()
        for _ in 0..<count {
            let newest: Int64 = try body.number()
            newestEvents[try body.text()] = newest
            try body.pad()
        }
        let length: UInt32 = try body.number()
        let magic: UInt32 = try body.number()
        try body.end()
        guard zero == 0, Int(length) == recordBytes, magic == Self.tailMagic, newestEvents.count == Int(count) else {
            throw BodyProblem("an end that contradicts itself")
        }
    }
}
