import Bounds
import CKernels
import Linux

/// Records, one behind the other. Each `append` returns the sequence number that the record got.
extension LogWriter {
    @discardableResult
    public func append(_ start: LogStart) throws(LogError) -> UInt64 {
        try append(.start, start.encode())
    }

    /// They are in force from here on, and restated by every segment to come.
    @discardableResult
    public func append(_ definitions: LogDefinitions) throws(LogError) -> UInt64 {
        let body = definitions.encode()
        // Each segment to come begins with them.
        guard body.count < options.segmentBytes / 2 else {
            throw .tooLarge(what: "definitions", foundBytes: body.count, limitBytes: options.segmentBytes / 2)
        }
        let sequence = try append(.definitions, body)
        self.definitions = definitions
        return sequence
    }

    @discardableResult
    public func append(_ admission: LogAdmission) throws(LogError) -> UInt64 {
        try append(.admission, admission.encode())
    }

    /// States the schema and its dictionaries first, as far as the segment does not have them.
    @discardableResult
    public func append(_ batch: LogBatch, schema: LogSchema) throws(LogError) -> UInt64 {
        try checkUsable()
        let statement: StatedSchemas.Statement
        if let whole = stated.whole(schema), room(for: batch.recordBytes) {
            statement = whole
        } else {
            statement = try state(schema, andRoomFor: batch)
        }
        if !pending.hasRoom(parts: 6, bufferBytes: Self.batchBufferBytes) { try flush() }
        appendRecord(batch, schema: statement.number)
        stated.add(newestEvent: batch.newestEventMicroseconds, of: statement)
        return finishRecord()
    }

    /// Header, prefix, and what pads refusals and message.
    private static let batchBufferBytes = LogFormat.recordHeaderBytes + LogBatch.Prefix.byteCount + 2 * LogFormat.alignment

    // MARK: Schemas

    /// Rolls where schema and batch don't fit. Returns the statement in the segment that the batch goes to.
    private func state(_ schema: LogSchema, andRoomFor batch: LogBatch) throws(LogError) -> StatedSchemas.Statement {
        var statements = unstated(of: schema)
        let isNew = stated.statement(of: schema) == nil
        if !room(for: bytes(of: statements) + batch.recordBytes + stated.summaryGrowth(schema)) || isNew && stated.isFull {
            let needed = bytes(of: wholeStatement(of: schema)) + batch.recordBytes + SegmentSummary.bytes(table: schema.table)
            guard needed <= roomInNewSegment else {
                throw .tooLarge(what: "a batch of table \"\(schema.table)\"", foundBytes: needed, limitBytes: roomInNewSegment)
            }
            try roll()
            statements = unstated(of: schema)
        }
        for (kind, body) in statements { try appendStatement(kind, body) }
        return stated.state(schema, byteCount: bytes(of: statements))
    }

    func bytes(of statements: [(kind: RecordKind, body: LogBytes)]) -> Int {
        statements.reduce(0) { $0 + LogFormat.recordHeaderBytes + $1.body.count }
    }

    func unstated(of schema: LogSchema) -> [(kind: RecordKind, body: LogBytes)] {
        guard let statement = stated.statement(of: schema) else { return wholeStatement(of: schema) }
        return schema.dictionaries.filter { $0.revision > statement.revision }
            .map { (.dictionary, $0.encode(schema: statement.number)) }
    }

    private func wholeStatement(of schema: LogSchema) -> [(kind: RecordKind, body: LogBytes)] {
        let number = stated.nextNumber
        return [(.schema, schema.encode(number: number))]
            + schema.dictionaries.map { (.dictionary, $0.encode(schema: number)) }
    }

    // MARK: Records

    private func append(_ kind: RecordKind, _ body: LogBytes) throws(LogError) -> UInt64 {
        try checkUsable()
        let byteCount = LogFormat.recordHeaderBytes + body.count
        if !room(for: byteCount) {
            guard byteCount <= roomInNewSegment else {
                throw .tooLarge(what: "a record \(kind)", foundBytes: byteCount, limitBytes: roomInNewSegment)
            }
            try roll()
        }
        try reservePending()
        appendHeader(kind, sequence: nextSequence, body: body)
        return finishRecord()
    }

    private func finishRecord() -> UInt64 {
        defer { nextSequence += 1 }
        summary.lastSequence = nextSequence
        summary.recordCount += 1
        return nextSequence
    }

    /// A record that only says what others are understood by: its number is that of the last one before it.
    func appendStatement(_ kind: RecordKind, _ body: LogBytes, isRestated: Bool = false) throws(LogError) {
        try reservePending()
        appendHeader(kind, isRestated: isRestated, body: body)
    }

    func reservePending() throws(LogError) {
        if !pending.hasRoom(parts: 2, bufferBytes: LogFormat.recordHeaderBytes) { try flush() }
    }

    /// Header and body of a record that there is room for, in the segment and among what is pending.
    func appendHeader(_ kind: RecordKind, isRestated: Bool = false, sequence: UInt64? = nil, body: LogBytes?) {
        let header = RecordHeader(
            kind: kind.rawValue, isRestated: isRestated, bodyBytes: body?.count ?? 0, sequence: sequence ?? appendedSequence,
            place: position, syncedUpTo: syncedPosition,
            bodyChecksum: body.map { CKernels_crc32c($0.bytes.baseAddress, $0.count) } ?? 0)
        header.write(to: pending.take(LogFormat.recordHeaderBytes), salt: salt)
        if let body { pending.add(body) }
        position += header.recordBytes
        isSyncNoted = false
    }

    private func appendRecord(_ batch: LogBatch, schema: UInt32) {
        let start = pending.take(LogFormat.recordHeaderBytes + LogBatch.Prefix.byteCount)
        let prefix = start + LogFormat.recordHeaderBytes
        batch.writePrefix(to: prefix, schema: schema)
        var checksum = CKernels_crc32c(prefix, LogBatch.Prefix.byteCount)
        if batch.refusalBytes > 0 {
            add(UnsafeRawBufferPointer(batch.rowsRefusedByClock), &checksum)
            add(UnsafeRawBufferPointer(batch.rowsRefusedByMemory), &checksum)
            pad(4 * batch.rowsRefusedByClock.count + 8 * batch.rowsRefusedByMemory.count, &checksum)
        }
        add(batch.message, &checksum)
        pad(batch.message.count, &checksum)
        let header = RecordHeader(
            kind: RecordKind.batch.rawValue, isRestated: false, bodyBytes: batch.bodyBytes, sequence: nextSequence,
            place: position, syncedUpTo: syncedPosition, bodyChecksum: checksum)
        header.write(to: start, salt: salt)
        position += header.recordBytes
        isSyncNoted = false
    }

    private func add(_ bytes: UnsafeRawBufferPointer, _ checksum: inout UInt32) {
        checksum = CKernels_crc32cExtended(checksum, bytes.baseAddress, bytes.count)
        pending.add(bytes)
    }

    /// Zeros behind so many bytes up to a multiple of 8.
    private func pad(_ byteCount: Int, _ checksum: inout UInt32) {
        let missing = LogFormat.padded(byteCount) - byteCount
        guard missing > 0 else { return }
        let zeros = pending.take(missing)
        zeros.initializeMemory(as: UInt8.self, repeating: 0, count: missing)
        checksum = CKernels_crc32cExtended(checksum, zeros, missing)
    }
}
