import CCountingAllocator
import Language
import Plan
import Testing
import Values
import Wire

@testable import Engine

/// In the steady state, when rings, tables and batches have the size they need, an event costs no allocation. The process's
/// allocator counts; batches go the whole way: prepare, apply, finish, write.
///
/// A debug build allocates for a batch what an optimised one does not, so what is compared are batches of few rows and of
/// many. `millrace-bench allocations` counts in the release build, string_agg too, for which a debug build allocates by
/// answer; there a batch costs none at all.
@Suite(.serialized) struct `Allocations per event` {
    private static let table = """
        CREATE TABLE events (
          ts bigint NOT NULL, key bigint NOT NULL, name text, i integer, n bigint, x double precision, y double precision,
          p numeric(12,2), flag boolean, word text, at timestamp
        ) WITH (event_time = ts, lateness = 20);
        """

    private static let aggregates = [
        "count(*)", "count(x)", "count(*) FILTER (WHERE flag)", "sum(i)", "sum(n)", "sum(p)", "sum(x)", "avg(n)", "avg(x)",
        "min(x)", "max(p)", "min(word)", "stddev(x)", "var_pop(x)", "bool_and(flag)", "bool_or(flag)", "first_value(word)",
        "last_value(x)", "nth_value(n, 3)", "count(DISTINCT n)", "count(DISTINCT word)", "sum(DISTINCT n)", "avg(DISTINCT x)",
        "approx_count_distinct(n)", "mode(n)", "median(x)", "quantile_cont(x, 0.99)", "quantile_disc(n, 0.9)",
        "arg_min(n, x)", "arg_max(word, x)", "covar_samp(y, x)", "corr(y, x)", "regr_slope(y, x)", "regr_r2(y, x)",
        "skewness(x)", "kurtosis(x)", "bit_and(n)", "bit_or(n)", "bit_xor(n)", "decayed_sum(x, 100)", "decayed_count(100)",
        "first_value(x IGNORE NULLS)", "last_value(word IGNORE NULLS)", "nth_value(n, 2) IGNORE NULLS",
        "array_agg(n)", "array_agg(word)",
    ]
    private static let ranks = ["lag(x)", "lag(word, 2)", "lag(n) IGNORE NULLS", "row_number()", "rank()", "dense_rank()"]
    private static let frames = [
        "RANGE 100 PRECEDING", "RANGE BETWEEN 100 PRECEDING AND 30 PRECEDING", "RANGE 100 PRECEDING EXCLUDE CURRENT ROW",
        "RANGE 1000 PRECEDING EXCLUDE TIES", "ROWS 20 PRECEDING", "ROWS BETWEEN 300 PRECEDING AND 3 PRECEDING",
        "GROUPS 10 PRECEDING EXCLUDE GROUP", "RANGE UNBOUNDED PRECEDING", "ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW",
    ]

    /// Definitions with one feature over every frame that the language takes it with; nil where it takes none.
    private static func definitions(_ call: String, partition: String) -> Definitions? {
        var features = ["ts", "x + y AS sum", "coalesce(word, 'none') AS word"]
        // What grows with all that ever came is not steady.
        let frames = call.contains("_agg(") ? Self.frames.filter { !$0.contains("UNBOUNDED") } : Self.frames
        for frame in ranks.contains(call) ? [""] : frames {
            let feature = "\(call) OVER (PARTITION BY \(partition) ORDER BY ts \(frame)) AS f\(features.count)"
            if compiled(["ts", feature]) != nil { features.append(feature) }
        }
        return features.count > 3 ? compiled(features) : nil
    }

    private static func compiled(_ features: [String]) -> Definitions? {
        let text = "\(table)\nCREATE VIEW features AS SELECT \(features.joined(separator: ", ")) FROM events;"
        return Compiler.compile([SourceText(name: "features.sql", text: text)]).0
    }

    @Test(.enabled(if: millrace_counts_allocations() != 0), arguments: aggregates + ranks) func `are none`(_ call: String) throws
    {
        guard let byKey = Self.definitions(call, partition: "key") else { return }
        for mode in [BatchMode.compute, .evaluate, .ingest] {
            var events = try SteadyEvents(byKey)
            let few = events.allocations(rows: SteadyEvents.shortRows, mode: mode)
            #expect(events.allocations(rows: SteadyEvents.rows, mode: mode) == few, "\(mode) by an integer")
        }
        if let byTexts = Self.definitions(call, partition: "name, key") {
            var events = try SteadyEvents(byTexts)
            let few = events.allocations(rows: SteadyEvents.shortRows, mode: .compute)
            #expect(events.allocations(rows: SteadyEvents.rows, mode: .compute) == few, "by a text and an integer")
        }
    }

    @Test(.enabled(if: millrace_counts_allocations() != 0)) func `are counted`() {
        let before = millrace_allocation_count()
        let block = UnsafeMutableRawPointer.allocate(byteCount: 1 << 10, alignment: 64)
        defer { block.deallocate() }
        #expect(millrace_allocation_count() > before)
    }
}

/// Batches of the same values at ever later times, some of their rows late within the bound.
private struct SteadyEvents: ~Copyable {
    static let rows = 48
    static let shortRows = 8
    private static let batches = 16

    private var shard: Shard
    private let batch: Batch
    private let plan: CompiledPlan
    private let writer: BatchWriter
    private var output = OutputBuffer(capacity: 1 << 20)
    private let columns: [TestColumns]
    /// Views of all rows of the batches, and of their first ones.
    private let whole: [[ColumnView]]
    private let short: [[ColumnView]]
    private let times: UnsafeMutablePointer<Int64>
    private var now: Int64 = 0

    init(_ definitions: Definitions) throws {
        plan = try CompiledPlan(Planner.plan(definitions))
        shard = Shard(plan: plan, index: 0, count: 1, memoryBytesMax: 64 << 20)
        batch = Batch(plan)
        writer = BatchWriter(fields: plan.plan.streams[0].views[0].columns, hasTrailer: true)
        times = .allocate(capacity: SteadyEvents.rows)
        times.initialize(repeating: 0, count: SteadyEvents.rows)
        var random = SeededRandom(seed: 11)
        let fields = plan.plan.definitions.tables[0].columns
        columns = (0..<SteadyEvents.batches).map { _ in
            let columns = TestColumns()
            for (index, field) in fields.enumerated() {
                let cells = (0..<SteadyEvents.rows).map { _ in SteadyEvents.cell(index, field.type, &random) }
                columns.add(cells, field.type)
            }
            return columns
        }
        whole = columns.map { [times] in
            var views = $0.views
            views[0].values = UnsafeRawPointer(times)
            return views
        }
        short = whole.map { views in
            views.map {
                var view = $0
                view.rowCount = SteadyEvents.shortRows
                return view
            }
        }
    }

    deinit { times.deallocate() }

    private static func cell(_ column: Int, _ type: ValueType, _ random: inout SeededRandom) -> Scalar {
        if column > 1 && random.chance(10) { return .null }
        let number = Int64.random(in: 0..<(column == 1 ? 3 : 40), using: &random)
        switch type.form {
        case .boolean: return .boolean(number % 2 == 0)
        case .double: return .double(Double(number) * 0.25)
        case .decimal: return .decimal(Int128(number))
        case .text: return .text("word \(column == 2 ? number % 2 : number)")
        default: return .integer(number)
        }
    }

    private mutating func apply(_ number: Int, _ rows: Int, _ mode: BatchMode) {
        for row in 0..<rows {
            now += row % 4 == 0 ? 3 : 0
            times[row] = row % 7 == 6 ? now - 15 : now
        }
        batch.prepare(
            plan, stream: 0, columns: (rows == SteadyEvents.rows ? whole : short)[number % SteadyEvents.batches], rowCount: rows,
            mode: mode, shardCount: 1, nowMicroseconds: nil)
        for stage in plan.plan.streams[0].stages.indices {
            if stage > 0 { batch.prepareStage(stage) }
            shard.apply(batch, stage: stage)
        }
        batch.finish()
        if mode == .ingest { return }
        output.removeAll()
        do { try batch.write(view: 0, writer: writer, into: &output) } catch { Issue.record(error) }
    }

    /// Of a few hundred batches, once the state is warm.
    mutating func allocations(rows: Int, mode: BatchMode) -> Int {
        for number in 0..<120 { apply(number, SteadyEvents.rows, .compute) }
        for number in 0..<30 { apply(number, rows, mode) }
        let before = millrace_allocation_count()
        for number in 0..<120 { apply(number, rows, mode) }
        return Int(millrace_allocation_count() - before)
    }
}
