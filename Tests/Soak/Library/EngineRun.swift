import Engine
import Language
import PlainEvaluator
import Plan
import Values
import Wire

/// The engine in this process: its shards take batches one behind the other.
struct EngineRun {
    let plan: CompiledPlan
    private let shards: [ShardBox]
    private let batch: Batch

    init(_ definitions: Definitions, shardCount: Int) throws {
        try self.init(CompiledPlan(Planner.plan(definitions)), shardCount: shardCount)
    }

    init(_ plan: CompiledPlan, shardCount: Int) {
        self.plan = plan
        shards = (0..<shardCount).map { ShardBox(plan, index: $0, count: shardCount) }
        batch = Batch(plan)
    }

    struct Answer {
        var status: UInt8
        /// By view of the definitions; nil where the view does not answer the row.
        var views: [[Value]?]
    }

    /// Rows by column of the table; nil where no view needs the table.
    func apply(_ rows: [[Value]], table: Int, mode: BatchMode, given: Set<Int> = []) -> [Answer]? {
        guard let stream = plan.plan.streams.firstIndex(where: { $0.table == table }) else { return nil }
        let columns = ArrowColumns()
        for (index, field) in plan.plan.definitions.tables[table].columns.enumerated() {
            columns.add(rows.map { $0[index] }, field.type)
        }
        if mode == .lookUp {
            let time = plan.plan.definitions.tables[table].eventTime ?? 0
            let times = rows.map { row -> Int64 in if case .integer(let time) = row[time] { time } else { 0 } }
            times.withUnsafeBufferPointer { times in
                batch.prepareLookUp(
                    plan, stream: stream, keys: given.sorted().map { ($0, columns.views[$0]) }, times: times.baseAddress!,
                    rowCount: rows.count, shardCount: shards.count)
            }
        } else {
            batch.prepare(
                plan, stream: stream, columns: columns.views, rowCount: rows.count, mode: mode, shardCount: shards.count,
                nowMicroseconds: nil)
        }
        for stage in plan.plan.streams[stream].stages.indices {
            if stage > 0 { batch.prepareStage(stage) }
            for box in shards { box.shard.apply(batch, stage: stage) }
        }
        batch.finish()
        let answers = read(stream: stream, rowCount: rows.count)
        withExtendedLifetime(columns) {}
        return answers
    }

    /// The server refuses what is asked of a time before the lateness bound, and of a stream that no event has come on.
    func canLookUp(_ rows: [[Value]], table: Int) -> Bool {
        guard let stream = plan.plan.streams.firstIndex(where: { $0.table == table }),
            let newest = shards[0].shard.newest(stream: stream)
        else { return false }
        let time = plan.plan.definitions.tables[table].eventTime ?? 0
        let (bound, isBeforeAll) = newest.subtractingReportingOverflow(plan.plan.streams[stream].lateness)
        return rows.allSatisfy { if case .integer(let moment) = $0[time] { isBeforeAll || moment >= bound } else { false } }
    }

    // MARK: Images

    /// - Parameter isInBlocks: keys of more than 8 rows are written in blocks of so many.
    func beginImage(isInBlocks: Bool) {
        for box in shards {
            if isInBlocks { box.shard.beginImage(blockBytes: 1) } else { box.shard.beginImage() }
        }
    }

    func takeImage(visits: Int, drains: Bool) {
        for box in shards {
            box.shard.takeImage(visits: visits)
            if drains { box.shard.drainImage { box.pieces.append($0) } }
        }
    }

    /// The rest of the image at once; all of its pieces.
    func finishImage() -> [ImagePiece] {
        while shards.contains(where: { $0.shard.isImaging }) { takeImage(visits: 1_000, drains: true) }
        takeImage(visits: 1, drains: true)
        return shards.flatMap(\.pieces)
    }

    /// Into shards that have taken no batch yet.
    func load(_ pieces: [ImagePiece]) throws(ImageError) {
        for box in shards {
            for (number, piece) in pieces.enumerated() { try box.shard.load(piece.bytes, number: number) }
            try box.shard.finishLoading()
        }
    }

    private func read(stream: Int, rowCount: Int) -> [Answer] {
        let names = plan.plan.definitions.views.map(\.name)
        var answers = (0..<rowCount).map { row in Answer(status: batch.statuses[row], views: names.map { _ in nil }) }
        for (number, view) in plan.plan.streams[stream].views.enumerated() {
            let place = names.firstIndex(of: view.name)!
            for row in batch.selection(view: number) {
                answers[Int(row)].views[place] = view.registers.map { cell($0, Int(row)) }
            }
        }
        return answers
    }

    private func cell(_ register: Register, _ row: Int) -> Value {
        let vector = batch.vectors[register.index]
        if vector.nulls[row] != 0 { return .null }
        switch register.type.form {
        case .boolean: return .boolean(vector.booleans[row] != 0)
        case .integer: return .integer(vector.integers[row])
        case .double: return .double(vector.doubles[row])
        case .decimal: return .decimal(vector.decimals[row])
        case .text:
            let text = vector.texts[row]
            return .text(Array(UnsafeBufferPointer(start: text.bytes, count: text.count)))
        case .interval: return .interval(vector.intervals[row])
        case .array:
            guard case .array(let element) = register.type else { return .null }
            return .list(elements(vector.arrays[row], element.type.form))
        }
    }

    private func elements(_ array: ArrayReference, _ form: Form) -> [Value] {
        var textStart = array.count * (1 + ArrayReference.elementBytes(form))
        return (0..<array.count).map { element in
            func load<T>(_ type: T.Type) -> T {
                array.values.loadUnaligned(fromByteOffset: element * ArrayReference.elementBytes(form), as: type)
            }
            if form == .text {
                let bytes = UnsafeBufferPointer(start: array.bytes! + textStart, count: array.textBytes(element))
                textStart += bytes.count
                return array.isNull(element) ? .null : .text(Array(bytes))
            }
            if array.isNull(element) { return .null }
            switch form {
            case .boolean: return .boolean(load(UInt8.self) != 0)
            case .integer: return .integer(load(Int64.self))
            case .double: return .double(load(Double.self))
            case .decimal: return .decimal(load(Int128.self))
            default: return .interval(load(Interval.self))
            }
        }
    }
}

/// Shards are not copyable, and an array holds copies.
private final class ShardBox {
    var shard: Shard
    var pieces: [ImagePiece] = []

    init(_ plan: CompiledPlan, index: Int, count: Int) {
        shard = Shard(plan: plan, index: index, count: count, memoryBytesMax: 256 << 20)
    }
}
