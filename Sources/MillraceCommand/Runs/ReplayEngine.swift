import Engine
import Millrace
import Plan
import Values
import Wire

/// The engine without a server: batches go through the shards one behind the other, as the sequence would have them.
///
/// While the shards apply a batch, this task writes the one before and prepares the one behind:
///
///     this task     prepare 1 │ prepare 2 │ write 1, prepare 3 │ write 2, prepare 4 │ …
///     shards                  │ apply 1   │ apply 2            │ apply 3            │ …
final class ReplayEngine {
    static let batchRows = 16_384

    let viewColumns: [Field]
    private(set) var counts = RowCounts()

    private let plan: CompiledPlan
    /// By stream of the plan: place of the view that is written among its views.
    private let views: [Int?]
    private let shards: [ReplayShard]
    private var freeSlots: [ReplaySlot]
    private let writer: BatchWriter
    private var output = OutputBuffer()

    init(plan: Plan, viewName: String?, shardCount: Int, memoryBytesMax: Int) throws {
        self.plan = try CompiledPlan(plan)
        let name = try Self.choose(viewName, plan)
        views = plan.streams.map { stream in stream.views.firstIndex { $0.name == name } }
        viewColumns = plan.definitions.views.first { $0.name == name }!.columns
        writer = BatchWriter(fields: viewColumns)
        let compiled = self.plan
        shards = (0..<shardCount).map {
            ReplayShard(compiled, index: $0, count: shardCount, memoryBytesMax: memoryBytesMax / shardCount)
        }
        freeSlots = (0..<3).map { _ in ReplaySlot(compiled) }
    }

    /// The view to write: the one that was named, or the only one that no other view reads.
    private static func choose(_ name: String?, _ plan: Plan) throws -> String {
        let all = plan.definitions.views
        if let name {
            if all.contains(where: { $0.name == name }) { return name }
            throw InputError("--view \(name): there is no such view; there is \(all.map(\.name).joined(separator: ", "))")
        }
        let candidates = all.filter { !$0.isReadByView }
        if candidates.count == 1 { return candidates[0].name }
        if candidates.isEmpty { throw InputError("the definitions have no view; write CREATE VIEW, or a bare SELECT at the end") }
        throw InputError("which view? Write --view NAME; there is \(candidates.map(\.name).joined(separator: ", "))")
    }

    /// Takes all of the input; `progress` is told of the rows so far.
    func run(_ input: InputFiles, into file: RowsFile, progress: (Int) -> Void) async throws {
        var applied: ReplaySlot?
        var prepared = try prepareNext(input)
        while let current = prepared {
            let (batch, shards, stageCount) = (current.batch, shards, plan.plan.streams[current.stream].stages.count)
            async let applying: Void = Self.apply(batch, shards, stageCount: stageCount)
            if let applied { try write(applied, file) }
            prepared = try prepareNext(input)
            await applying
            applied = current
            progress(counts.rows)
        }
        if let applied { try write(applied, file) }
    }

    private func prepareNext(_ input: InputFiles) throws -> ReplaySlot? {
        guard let (table, rows) = try input.next() else { return nil }
        guard let stream = plan.plan.streams.firstIndex(where: { $0.table == table }) else {
            throw InputError("no view reads the table \(plan.plan.definitions.tables[table].name); leave its --input out")
        }
        let slot = freeSlots.removeLast()
        counts.rows += rows.rowCount
        try slot.prepare(rows, plan, stream: stream, shardCount: shards.count)
        return slot
    }

    private static func apply(_ batch: Batch, _ shards: [ReplayShard], stageCount: Int) async {
        for stage in 0..<stageCount {
            if stage > 0 { batch.prepareStage(stage) }
            if shards.count == 1 {
                shards[0].apply(batch, stage: stage)
                continue
            }
            await withTaskGroup { group in
                for shard in shards { group.addTask { shard.apply(batch, stage: stage) } }
            }
        }
    }

    private func write(_ slot: ReplaySlot, _ file: RowsFile) throws {
        slot.batch.finish()
        counts.late += slot.batch.count(of: .late)
        counts.refused += slot.batch.count(of: .refused)
        if let view = views[slot.stream] {
            output.removeAll()
            try slot.batch.write(view: view, writer: writer, into: &output)
            counts.answers += slot.batch.selection(view: view).count
            try file.write(message: output.bytes)
        }
        slot.release()
        freeSlots.append(slot)
    }
}

/// A shard in a box: shards are not copyable, and an array holds copies.
///
/// `@unchecked`: one task at a time applies to a shard, and `ReplayEngine.run` awaits it before the next one begins.
private final class ReplayShard: @unchecked Sendable {
    private var shard: Shard

    init(_ plan: CompiledPlan, index: Int, count: Int, memoryBytesMax: Int) {
        shard = Shard(plan: plan, index: index, count: count, memoryBytesMax: memoryBytesMax)
    }

    func apply(_ batch: Batch, stage: Int) { shard.apply(batch, stage: stage) }
}

/// A batch and the memory that its columns stand in while it is under way.
private final class ReplaySlot {
    let batch: Batch
    private(set) var stream = 0
    /// Keeps the memory that the batch's columns stand in.
    private var source: ArrowBatch?

    func prepare(_ rows: InputFiles.Batch, _ plan: CompiledPlan, stream: Int, shardCount: Int) throws {
        self.stream = stream
        let source = try rows.arrow()
        self.source = source
        batch.prepare(
            plan, stream: stream, columns: source.columns, rowCount: source.rowCount, mode: .compute, shardCount: shardCount,
            nowMicroseconds: nil)
    }

    init(_ plan: CompiledPlan) { batch = Batch(plan) }

    /// Lets the columns go; nothing of the batch may be read any more.
    func release() { source = nil }
}
