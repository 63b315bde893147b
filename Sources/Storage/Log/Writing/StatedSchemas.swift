import Bounds

/// Which schemas and dictionaries the segment in use has stated already, and how far events reach in its tables.
struct StatedSchemas {
    struct Statement {
        var number: UInt32
        /// Index into `tables`.
        var table: Int
        /// The latest of its dictionaries that is stated.
        var revision: UInt64
    }

    private var statements: [LogSchema: Statement] = [:]
    /// Batches mostly come from the sender of the one before.
    private var last: (schema: LogSchema, statement: Statement)?
    private var tables: [String] = []
    private var newestEvents: [Int64] = []
    /// Bytes of the statements: what a next segment may have to say again.
    private(set) var byteCount = 0
    /// Bytes that the tables take in the segment's last record.
    private(set) var summaryBytes = 0

    var isFull: Bool { statements.count >= Bounds.logSchemasMax }
    /// The number for a schema that is to be stated next.
    var nextNumber: UInt32 { UInt32(statements.count + 1) }

    /// Its statement, where everything about it has been stated.
    mutating func whole(_ schema: LogSchema) -> Statement? {
        if let last, last.schema === schema { return last.statement }
        guard let statement = statements[schema], statement.revision >= schema.revision else { return nil }
        last = (schema, statement)
        return statement
    }

    /// What has been stated of it; nil where nothing has.
    func statement(of schema: LogSchema) -> Statement? { statements[schema] }

    /// What its table adds to the segment's last record when it is stated.
    func summaryGrowth(_ schema: LogSchema) -> Int {
        tables.contains(schema.table) ? 0 : SegmentSummary.bytes(table: schema.table)
    }

    /// Everything about it has now been stated, in so many bytes.
    mutating func state(_ schema: LogSchema, byteCount: Int) -> Statement {
        let table = tables.firstIndex(of: schema.table) ?? tables.count
        if table == tables.count {
            summaryBytes += summaryGrowth(schema)
            tables.append(schema.table)
            newestEvents.append(.min)
        }
        let number = statements[schema]?.number ?? nextNumber
        let statement = Statement(number: number, table: table, revision: schema.revision)
        statements[schema] = statement
        self.byteCount += byteCount
        last = (schema, statement)
        return statement
    }

    mutating func add(newestEvent: Int64, of statement: Statement) {
        if newestEvent > newestEvents[statement.table] { newestEvents[statement.table] = newestEvent }
    }

    func add(to summary: inout SegmentSummary) {
        for (table, newest) in zip(tables, newestEvents) { summary.add(table: table, newestEvent: newest) }
    }

    mutating func removeAll() {
        statements.removeAll(keepingCapacity: true)
        tables.removeAll(keepingCapacity: true)
        newestEvents.removeAll(keepingCapacity: true)
        last = nil
        byteCount = 0
        summaryBytes = 0
    }
}
