import Language
import Values
import Wire

@testable import Workloads

/// Tables and pools for tests.
enum Pools {
    static func table(_ columns: [Field], primaryKey: [Int] = []) -> Table {
        Table(name: "t", columns: columns, primaryKey: primaryKey)
    }

    /// The values of one column of a table, over all batches of its pool, at one span each.
    static func values(
        _ rule: String, type: ValueType, rows: Int = 100_000, rowsPerBatch: Int = 1_000, seed: UInt64 = 7,
        isNullable: Bool = true,
        disturbance: BatchPool.Disturbance = BatchPool.Disturbance()
    ) throws -> [Scalar] {
        let field = Field(name: "c", type: type, isNullable: isNullable)
        let pool = try BatchPool(
            table: table([field]), rules: [ColumnRule(parsing: rule)], rows: .drawn(rows), rowsPerBatch: rowsPerBatch, seed: seed,
            disturbance: disturbance)
        return try (0..<pool.batchCount).flatMap { try read(pool, batch: $0, at: EventSpan(start: 0, end: 0, firstEvent: 0))[0] }
    }

    /// The columns of a batch, as a server would read them.
    static func read(_ pool: BatchPool, batch: Int, at span: EventSpan) throws -> [[Scalar]] {
        let frame = pool.prepare(batch, at: span, header: FrameHeader(kind: .compute, channel: 1, requestID: 9))
        let header = try FrameHeader.parse(frame.baseAddress!)
        try header.check(UnsafeRawBufferPointer(rebasing: frame[FrameHeader.byteCount...]))
        let reader = try BatchReader(target: pool.table.columns, source: pool.schema)
        var scratch = ScratchBuffer()
        var columns: [ColumnView] = []
        let rows = try reader.read(message: pool.message(batch), scratch: &scratch, into: &columns)
        return columns.map { column in (0..<rows).map(column.scalar) }
    }
}

extension Scalar {
    var number: Double {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        case .decimal(let value): Double(value)
        default: .nan
        }
    }
}
