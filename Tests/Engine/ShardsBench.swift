import Bounds
import Language
import Plan
import Values

@testable import Engine

/// Several shards that walk one sequence of batches, each at its own pace: a shard takes a stage of a batch when it has taken
/// that stage of all batches before, and all shards have finished the stage before of this one. Who goes next is drawn.
final class ShardsBench {
    struct Entry {
        var table: Int
        var rows: [[Scalar]]
        var mode: BatchMode
        /// Of a batch that is replayed.
        var forcedRefusals: [ForcedRefusal] = []
    }

    /// What a batch was answered with.
    struct Answer {
        var statuses: [RowStatus]
        /// By view of the table's plan: the rows that it answers, with their cells.
        var views: [(name: String, rows: [(row: Int, cells: [Scalar])])]
        var refusedForMemory: [ForcedRefusal] = []
    }

    private(set) var plan: CompiledPlan
    private var shards: [ShardBox]
    private var batches: [(batch: Batch, columns: TestColumns)] = []
    private var phases: [Int] = []
    private var remaining: [Int] = []
    private static let complete = Int.max

    private final class ShardBox {
        var shard: Shard
        var cursors: [Int]
        init(_ plan: CompiledPlan, _ index: Int, of count: Int, stages: Int, memoryBytesMax: Int) {
            shard = Shard(plan: plan, index: index, count: count, memoryBytesMax: memoryBytesMax)
            cursors = Array(repeating: 0, count: stages)
        }
    }

    convenience init(_ definitions: Definitions, shardCount: Int, memoryBytesMax: Int = 64 << 20) throws {
        self.init(try CompiledPlan(Planner.plan(definitions)), shardCount: shardCount, memoryBytesMax: memoryBytesMax)
    }

    init(_ plan: CompiledPlan, shardCount: Int, memoryBytesMax: Int = 64 << 20) {
        self.plan = plan
        let stages = max(1, plan.plan.clocks.max() ?? 1)
        shards = (0..<shardCount).map { [plan] in
            ShardBox(plan, $0, of: shardCount, stages: stages, memoryBytesMax: memoryBytesMax)
        }
    }

    /// Changes definitions behind everything that has run.
    @discardableResult
    func change(to definitions: Definitions) throws -> Transition {
        let transition = Transition(from: plan.plan, to: Planner.plan(definitions))
        plan = try CompiledPlan(transition.plan)
        for box in shards {
            box.shard.change(to: plan, by: transition)
            box.cursors = Array(repeating: batches.count, count: max(1, plan.plan.clocks.max() ?? 1))
        }
        return transition
    }

    /// Does what is left to do of the last change.
    func finishChange() {
        for box in shards {
            for _ in 0..<10_000 where box.shard.isChanging { box.shard.carryOn(visits: 64) }
        }
    }

    // MARK: Images

    /// Behind everything that has run.
    @discardableResult
    func beginImage(waitingBytesMax: Int = 64 << 20, blockBytes: Int = Bounds.imageBlockBytes) -> Bool {
        shards.map { $0.shard.beginImage(waitingBytesMax: waitingBytesMax, blockBytes: blockBytes) }.allSatisfy { $0 }
    }

    func abandonImage() { for box in shards { box.shard.abandonImage() } }
    func takeImageOnly(visits: Int) { for box in shards { box.shard.takeImage(visits: visits) } }
    func carryOn(visits: Int) { for box in shards { box.shard.carryOn(visits: visits) } }

    /// Pieces by shard.
    func takeImage(visits: Int, into pieces: inout [[ImagePiece]]) {
        for (number, box) in shards.enumerated() {
            box.shard.takeImage(visits: visits)
            box.shard.drainImage { pieces[number].append($0) }
        }
    }

    func finishImage(into pieces: inout [[ImagePiece]]) {
        for _ in 0..<100_000 where shards.contains(where: { $0.shard.isImaging }) { takeImage(visits: 50, into: &pieces) }
        takeImage(visits: 1, into: &pieces)
    }

    func load(_ pieces: [ImagePiece]) throws {
        for box in shards {
            for (number, piece) in pieces.enumerated() { try box.shard.load(piece.bytes, number: number) }
            try box.shard.finishLoading()
        }
    }

    func load(bytes pieces: [[UInt8]], isWhole: Bool = true) throws {
        for box in shards {
            for (number, piece) in pieces.enumerated() {
                try piece.withUnsafeBytes { bytes in try box.shard.load(bytes, number: number) }
            }
            if isWhole { try box.shard.finishLoading() }
        }
    }

    var usedBytes: Int { shards.reduce(0) { $0 + $1.shard.usedBytes } }

    func stream(of table: Int) -> Int? { plan.plan.streams.firstIndex { $0.table == table } }
    func shard<R>(_ index: Int, _ body: (borrowing Shard) -> R) -> R { body(shards[index].shard) }
    /// Memory of one shard is nearly used up, or not any more; as an entry of the sequence says.
    func admit(newKeys: Bool, of index: Int, among count: Int? = nil) {
        for box in shards {
            for stage in box.cursors.indices { box.shard.admit(newKeys: newKeys, of: index, among: count, stage: stage) }
        }
    }

    /// As the entry of a server's start says.
    func endAdmissionMarks() { for box in shards { box.shard.endAdmissionMarks() } }

    /// Puts batches of tables that the plan knows into the sequence and runs them to the end.
    func run(_ entries: [Entry], random: inout SeededRandom) -> [Answer] {
        let first = batches.count
        for entry in entries {
            let columns = TestColumns()
            let fields = plan.plan.definitions.tables[entry.table].columns
            for (index, field) in fields.enumerated() { columns.add(entry.rows.map { $0[index] }, field.type) }
            let batch = Batch(plan)
            batch.prepare(
                plan, stream: stream(of: entry.table)!, columns: columns.views, rowCount: entry.rows.count, mode: entry.mode,
                shardCount: shards.count, home: Int.random(in: 0..<shards.count, using: &random), nowMicroseconds: nil)
            batch.forcedRefusals = entry.forcedRefusals
            append(batch, columns)
        }
        walk(random: &random)
        return batches[first...].map { answer($0.batch) }
    }

    /// Looks up keys, given as columns of the table, at a time.
    func lookUp(table: Int, keys: [(column: Int, cells: [Scalar])], times: [Int64]) -> Answer {
        let columns = TestColumns()
        let fields = plan.plan.definitions.tables[table].columns
        for key in keys { columns.add(key.cells, fields[key.column].type) }
        let batch = Batch(plan)
        times.withUnsafeBufferPointer {
            batch.prepareLookUp(
                plan, stream: stream(of: table)!, keys: zip(keys, columns.views).map { ($0.column, $1) },
                times: $0.baseAddress!, rowCount: times.count, shardCount: shards.count)
        }
        append(batch, columns)
        var random = SeededRandom(seed: 1)
        walk(random: &random)
        return answer(batch)
    }

    private func append(_ batch: Batch, _ columns: TestColumns) {
        batches.append((batch, columns))
        phases.append(0)
        remaining.append(0)
        start(stage: 0, of: batches.count - 1)
    }

    private func start(stage first: Int, of position: Int) {
        let batch = batches[position].batch
        var stage = first
        while stage < stageCount(position) {
            if stage > 0 { batch.prepareStage(stage) }
            let participants = batch.participants(stage: stage)
            if participants != 0 {
                remaining[position] = participants.nonzeroBitCount
                phases[position] = stage
                return
            }
            stage += 1
        }
        batch.finish()
        phases[position] = Self.complete
    }

    private func stageCount(_ position: Int) -> Int {
        let batch = batches[position].batch
        return batch.plan.streams[batch.stream].stages.count
    }

    private func isReady(_ box: ShardBox, _ stage: Int) -> Bool {
        let position = box.cursors[stage]
        if position == batches.count || stage > 0 && position >= box.cursors[stage - 1] { return false }
        return stage == 0 || phases[position] >= stage || stage >= stageCount(position)
    }

    private func walk(random: inout SeededRandom) {
        while true {
            let ready = shards.indices.flatMap { shard in
                shards[shard].cursors.indices.filter { isReady(shards[shard], $0) }.map { (shard, $0) }
            }
            guard let (index, stage) = ready.randomElement(using: &random) else { return }
            let box = shards[index]
            let position = box.cursors[stage]
            box.cursors[stage] += 1
            guard stage < stageCount(position) else { continue }
            let batch = batches[position].batch
            box.shard.apply(batch, stage: stage)
            guard batch.participants(stage: stage) & (1 << UInt64(index)) != 0 else { continue }
            remaining[position] -= 1
            if remaining[position] == 0 { start(stage: stage + 1, of: position) }
        }
    }

    private func answer(_ batch: Batch) -> Answer {
        let stream = batch.plan.streams[batch.stream]
        return Answer(
            statuses: (0..<batch.rowCount).map { RowStatus(rawValue: batch.statuses[$0])! },
            views: stream.views.enumerated().map { index, view in
                let rows = batch.selection(view: index).map { row in
                    (row: Int(row), cells: view.registers.map { cell(batch.vectors[$0.index], $0.type, Int(row)) })
                }
                return (view.name, rows)
            },
            refusedForMemory: batch.refusedForMemory)
    }
}
