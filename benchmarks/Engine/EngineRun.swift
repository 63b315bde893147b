import CCountingAllocator
import Engine
import Linux
import Plan
import Wire

/// A shard that synthetic events go through, and the time it takes for them.
struct EngineRun: ~Copyable {
    let plan: CompiledPlan
    var shard: Shard
    let columns: SyntheticColumns
    private let batch: Batch
    private var output = OutputBuffer(capacity: 1 << 20)
    /// Of the events that were run, without what it took to make them up.
    private var allocationCount = 0

    private static let batchesMax = 1_024

    init(_ plan: CompiledPlan) {
        self.plan = plan
        shard = Shard(plan: plan, index: 0, count: 1, memoryBytesMax: EngineBenchmark.memoryBytesMax)
        columns = SyntheticColumns(plan.plan.definitions.tables[0].columns)
        batch = Batch(plan)
    }

    /// Nanoseconds that a number of events take, without what it takes to make them up.
    @discardableResult
    mutating func run(
        events: Int, _ keys: SyntheticColumns.Keys, mode: BatchMode = .compute, batchRows: Int = 1_024,
        writer: BatchWriter? = nil
    ) -> UInt64 {
        let step = (batchRows + SyntheticColumns.batchAlignment - 1) & -SyntheticColumns.batchAlignment
        let batches = min(EngineRun.batchesMax, SyntheticColumns.rowCount / step)
        var left = events
        var nanoseconds: UInt64 = 0
        while left > 0 {
            let slice = slice(rows: min(left, batches * batchRows), keys, batchRows, step)
            let allocations = millrace_allocation_count()
            let start = SystemClock.monotonicNanoseconds()
            for (views, rows) in slice {
                apply(views, rows, mode)
                if let writer, mode != .ingest { write(writer) }
            }
            nanoseconds += SystemClock.monotonicNanoseconds() - start
            allocationCount += millrace_allocation_count() - allocations
            left -= min(left, batches * batchRows)
        }
        return nanoseconds
    }

    private func slice(
        rows: Int, _ keys: SyntheticColumns.Keys, _ batchRows: Int, _ step: Int
    ) -> [(views: [ColumnView], rows: Int)] {
        columns.advance(rows: rows, keys)
        var slice: [(views: [ColumnView], rows: Int)] = []
        // Times and keys stand close together, the other columns' batches begin at whole bytes of their bitmaps.
        for (number, first) in stride(from: 0, to: rows, by: batchRows).enumerated() {
            let count = min(batchRows, rows - first)
            var views = columns.batch(first: number * step, rows: count)
            views[0].values = UnsafeRawPointer(columns.times + first)
            views[1].values = UnsafeRawPointer(columns.keys + first)
            slice.append((views, count))
        }
        return slice
    }

    @inline(__always)
    private mutating func apply(_ views: [ColumnView], _ rows: Int, _ mode: BatchMode) {
        batch.prepare(
            plan, stream: 0, columns: views, rowCount: rows, mode: mode, shardCount: 1, nowMicroseconds: nil)
        for stage in plan.plan.streams[0].stages.indices {
            if stage > 0 { batch.prepareStage(stage) }
            shard.apply(batch, stage: stage)
        }
        batch.finish()
    }

    private mutating func write(_ writer: BatchWriter) {
        output.removeAll()
        do { try batch.write(view: 0, writer: writer, into: &output) } catch { fatalError("\(error)") }
    }

    /// What the events that `body` runs ask of the allocator.
    mutating func allocations(_ body: (inout EngineRun) -> Void) -> Int {
        let before = allocationCount
        body(&self)
        return allocationCount - before
    }

    /// Nanoseconds per event once the state is warm: the better of two measurements of `seconds` each.
    mutating func nanosecondsPerEvent(
        _ keys: SyntheticColumns.Keys, batchRows: Int = 1_024, seconds: Double
    ) -> Double {
        // What moves along with the answers is brought up to the newest event first.
        run(events: max(batchRows, 256), keys, batchRows: batchRows)
        var best = Double.infinity
        for _ in 0..<2 {
            var (events, nanoseconds) = (0, UInt64(0))
            var portion = 1_024
            while Double(nanoseconds) < seconds * 1e9 {
                nanoseconds += run(events: portion, keys, batchRows: batchRows)
                events += portion
                portion = min(2 * portion, SyntheticColumns.rowCount)
            }
            best = min(best, Double(nanoseconds) / Double(events))
        }
        return best
    }
}
