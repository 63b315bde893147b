import Language
import Values
import Wire

/// Batches of one table, made up and encoded beforehand, so that sending one costs no more than writing its times into it.
///
/// Their rows come again and again, in the same order, each time with other event times and numbers of sequences: in those
/// columns, which stand where Arrow puts them, a batch is written anew just before it is sent.
///
///     frames:   header │ message … time column … │ header │ message … time column … │ …
public final class BatchPool {
    /// How a pool is filled.
    public enum Rows: Hashable, Sendable {
        case drawn(Int)
        /// Every key of the table's primary key once; the other columns are drawn.
        case everyKey(Int)

        var count: Int {
            switch self {
            case .drawn(let count), .everyKey(let count): count
            }
        }
    }

    /// What is wrong on purpose with some of the rows.
    public struct Disturbance: Hashable, Sendable {
        /// Share of rows that come late, by up to `lateByMicroseconds`.
        public var lateShare = 0.0
        public var lateByMicroseconds: Int64 = 0
        /// Share of rows that are the row before them once more.
        public var duplicateShare = 0.0

        public init() {}
    }

    public let table: Table
    public let schema: ArrowSchema
    public let rowsPerBatch: Int
    public var batchCount: Int { starts.count }
    /// Bytes of all frames.
    public var byteCount: Int { frames.count }

    private var frames = OutputBuffer(capacity: 1 << 20)
    /// Where each frame begins, and how many rows it has.
    private var starts: [Int] = []
    private var rowCounts: [Int] = []
    private let patched: [PatchedColumn]
    /// By batch and patched column: where its values stand in `frames`.
    private var places: [Int] = []
    /// By batch and row: the row whose times and numbers it has, and how late it is; empty where that is its own, and never.
    private var sourceRows: [Int32] = []
    private var behind: [Int64] = []

    /// - Parameters:
    ///   - rules: by column of the table.
    ///   - bytesMax: no further batch is made once the frames are so long; one is made at least.
    public init(
        table: Table, rules: [ColumnRule], rows: Rows, rowsPerBatch: Int, seed: UInt64, disturbance: Disturbance = Disturbance(),
        timeUnit: IntegerTimeUnit? = nil, bytesMax: Int = .max
    ) throws {
        precondition(rules.count == table.columns.count && rowsPerBatch > 0, "a rule for every column")
        self.table = table
        self.rowsPerBatch = rowsPerBatch
        let writer = BatchWriter(fields: table.columns)
        schema = writer.schema
        var generators: [ColumnGenerator] = []
        for (rule, field) in zip(rules, table.columns) {
            generators.append(try ColumnGenerator(rule, for: field, column: "\(table.name).\(field.name)"))
        }
        patched = generators.enumerated().compactMap { index, generator in
            generator.changing.map { PatchedColumn($0, column: index, type: generator.field.type, timeUnit: timeUnit) }
        }
        let firstKey = table.primaryKey.first.map { rules[$0].firstKey } ?? 1
        try fill(&generators, rows, firstKey, writer, RandomNumbers(seed: seed), disturbance, bytesMax: bytesMax)
    }

    private func fill(
        _ generators: inout [ColumnGenerator], _ rows: Rows, _ firstKey: Int64, _ writer: BatchWriter,
        _ numbers: consuming RandomNumbers,
        _ disturbance: Disturbance, bytesMax: Int
    ) throws {
        var random = numbers
        let buffers = generators.map { ColumnBuffer($0.field, capacity: rowsPerBatch) }
        let reader = try BatchReader(target: table.columns, source: schema)
        var scratch = ScratchBuffer()
        var first = 0
        while first < rows.count && (first == 0 || frames.count < bytesMax) {
            let count = min(rowsPerBatch, rows.count - first)
            for (column, buffer) in buffers.enumerated() {
                buffer.begin()
                if case .everyKey = rows, table.primaryKey == [column] {
                    generators[column].fill(buffer, rows: count, keysFrom: firstKey + Int64(first))
                } else {
                    generators[column].fill(buffer, rows: count, random: &random)
                }
            }
            disturb(disturbance, buffers, rows: count, random: &random)
            for buffer in buffers { buffer.finish(rows: count) }
            let start = frames.beginFrame()
            try writer.write(rows: count, columns: buffers.map(\.source), into: &frames)
            frames.endFrame(at: start, FrameHeader(kind: .compute))
            starts.append(start)
            rowCounts.append(count)
            try locate(reader, start, &scratch)
            first += count
        }
    }

    /// Where the columns stand that are written anew.
    private func locate(_ reader: BatchReader, _ start: Int, _ scratch: inout ScratchBuffer) throws {
        var columns: [ColumnView] = []
        let message = UnsafeRawBufferPointer(rebasing: frames.bytes[(start + FrameHeader.byteCount)...])
        _ = try reader.read(message: trimmed(message, at: start), scratch: &scratch, into: &columns)
        for patch in patched { places.append(columns[patch.column].values - frames.bytes.baseAddress!) }
    }

    private func trimmed(_ message: UnsafeRawBufferPointer, at start: Int) -> UnsafeRawBufferPointer {
        let header = try! FrameHeader.parse(frames.bytes.baseAddress! + start)
        return UnsafeRawBufferPointer(rebasing: message[..<header.bodyLength])
    }

    private func disturb(_ disturbance: Disturbance, _ buffers: [ColumnBuffer], rows: Int, random: inout RandomNumbers) {
        if disturbance.duplicateShare > 0 {
            let base = sourceRows.count
            for row in 0..<rows {
                sourceRows.append(Int32(row))
                guard row > 0, random.fraction() < disturbance.duplicateShare else { continue }
                for buffer in buffers { buffer.copy(row - 1, to: row) }
                sourceRows[base + row] = sourceRows[base + row - 1]
            }
            sourceRows.append(contentsOf: repeatElement(0, count: rowsPerBatch - rows))
        }
        guard disturbance.lateShare > 0 else { return }
        for _ in 0..<rows {
            let isLate = random.fraction() < disturbance.lateShare
            behind.append(isLate ? 1 + Int64(random.below(UInt64(max(1, disturbance.lateByMicroseconds)))) : 0)
        }
        behind.append(contentsOf: repeatElement(0, count: rowsPerBatch - rows))
    }

    // MARK: Sending

    public func rows(of batch: Int) -> Int { rowCounts[batch] }

    /// Writes a batch's times and numbers, and its header. The frame is valid until the batch is prepared again.
    public func prepare(_ batch: Int, at span: EventSpan, header: FrameHeader) -> UnsafeRawBufferPointer {
        let bytes = frames.mutableBytes
        let rows = rowCounts[batch]
        let disturbed = batch * rowsPerBatch
        sourceRows.withUnsafeBufferPointer { sources in
            behind.withUnsafeBufferPointer { behind in
                for (number, patch) in patched.enumerated() {
                    patch.write(
                        span, rows: rows, sources: sources.isEmpty ? nil : sources.baseAddress! + disturbed,
                        behind: behind.isEmpty ? nil : behind.baseAddress! + disturbed,
                        to: bytes.baseAddress! + places[batch * patched.count + number])
                }
            }
        }
        let start = starts[batch]
        let end = batch + 1 < starts.count ? starts[batch + 1] : frames.count
        var header = header
        header.bodyLength = messageLength(at: start)
        header.write(to: bytes.baseAddress! + start)
        return UnsafeRawBufferPointer(rebasing: frames.bytes[start..<end])
    }

    /// The Arrow message of a batch, as `prepare` left it last.
    public func message(_ batch: Int) -> UnsafeRawBufferPointer {
        let start = starts[batch] + FrameHeader.byteCount
        return UnsafeRawBufferPointer(rebasing: frames.bytes[start..<start + messageLength(at: starts[batch])])
    }

    /// The body's length, where every frame header has it.
    private func messageLength(at start: Int) -> Int { Int(frames.bytes.load(fromByteOffset: start + 8, as: UInt32.self)) }
}
