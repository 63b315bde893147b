import Language
import Plan
import Testing
import Values

@testable import Engine

/// Joins case by case; random ones are in `RelationRandomTests`.
@Suite struct JoinTests {
    private static let events = Table(
        name: "events",
        columns: [
            Field(name: "ts", type: .bigint, isNullable: false), Field(name: "sku", type: .text), Field(name: "n", type: .bigint),
        ],
        eventTime: 0, lateness: 10)
    private static let products = Table(
        name: "products",
        columns: [
            Field(name: "sku", type: .text, isNullable: false), Field(name: "dept", type: .text),
            Field(name: "price", type: .bigint),
        ], primaryKey: [0])
    private static let prices = Table(
        name: "prices",
        columns: [Field(name: "sku", type: .text), Field(name: "at", type: .bigint), Field(name: "price", type: .bigint)])

    private let ts = Expression.column(0, .bigint)
    private let sku = Expression.column(1, .text)

    private var lookUp: Relation { .lookUp(.stream(0), ReferenceJoin(table: 1, keys: [sku], isInner: false)) }

    private func asOf(_ time: Expression, includesEqual: Bool = true) -> Relation {
        .asOf(
            .stream(0),
            AsOfJoin(
                table: 2, keys: [.init(column: 0, value: sku)], timeColumn: 1, time: time, includesEqual: includesEqual,
                isInner: false))
    }

    private func count(by key: Expression) -> WindowCall {
        let frame = Frame(mode: .range, start: .preceding(.integer(100)), end: .currentRow)
        return WindowCall(
            function: .count, arguments: [], window: Window(partitionBy: [key], orderBy: ts, frame: frame), type: .bigint)
    }

    private func bench(
        _ relation: Relation, _ columns: [Expression], shards: Int = 2, memoryBytesMax: Int = 64 << 20
    ) throws -> ShardsBench {
        let fields = columns.enumerated().map { Field(name: "x\($0.offset)", type: $0.element.type) }
        let view = View(name: "v", relation: .project(relation, columns), columns: fields, streams: [0])
        let tables = [Self.events, Self.products, Self.prices]
        return try ShardsBench(
            Definitions(tables: tables, views: [view]), shardCount: shards, memoryBytesMax: memoryBytesMax)
    }

    private func event(_ ts: Int64, _ sku: String?, _ n: Int64 = 0) -> [Scalar] {
        [.integer(ts), sku.map { .text($0) } ?? .null, .integer(n)]
    }
    private func product(_ sku: String, _ dept: String, _ price: Int64) -> [Scalar] {
        [.text(sku), .text(dept), .integer(price)]
    }
    private func price(_ sku: String?, _ at: Int64, _ price: Int64) -> [Scalar] {
        [sku.map { .text($0) } ?? .null, .integer(at), .integer(price)]
    }

    private func run(_ bench: ShardsBench, _ entries: (table: Int, rows: [[Scalar]])...) -> [ShardsBench.Answer] {
        var random = SeededRandom(seed: entries.count)
        return bench.run(
            entries.map { ShardsBench.Entry(table: $0.table, rows: $0.rows, mode: $0.table == 0 ? .compute : .ingest) },
            random: &random)
    }

    private func cells(_ answer: ShardsBench.Answer) -> [[Scalar]] { answer.views[0].rows.map(\.cells) }

    // MARK: Reference tables

    @Test(arguments: [1, 2, 4]) func `a row replaces the row with its key, for the events after it`(shards: Int) throws {
        let bench = try bench(lookUp, [.column(4, .text), .column(5, .bigint)], shards: shards)
        let answers = run(
            bench, (0, [event(1, "a")]), (1, [product("a", "toys", 5), product("b", "food", 1)]),
            (0, [event(2, "a"), event(2, "b"), event(2, "c"), event(2, nil)]),
            (1, [product("a", "a department with a longer name", 7)]), (0, [event(3, "a")]))
        #expect(cells(answers[0]) == [[.null, .null]])
        #expect(
            cells(answers[2]) == [
                [.text("toys"), .integer(5)], [.text("food"), .integer(1)], [.null, .null], [.null, .null],
            ])
        #expect(cells(answers[4]) == [[.text("a department with a longer name"), .integer(7)]])
        #expect(bench.shard(0) { $0.rowCount(joinTable: 0) } == 2)
    }

    @Test func `where one shard's memory is nearly used up, all refuse new keys and go on replacing`() throws {
        let bench = try bench(lookUp, [.column(5, .bigint)])
        _ = run(bench, (1, [product("a", "toys", 5)]))
        bench.admit(newKeys: false, of: 1)
        let answers = run(bench, (1, [product("a", "toys", 6), product("b", "food", 1)]), (0, [event(1, "a"), event(1, "b")]))
        #expect(answers[0].statuses == [.ok, .refused])
        #expect(cells(answers[1]) == [[.integer(6)], [.null]])
        bench.admit(newKeys: true, of: 1)
        #expect(run(bench, (1, [product("b", "food", 1)]))[0].statuses == [.ok])
    }

    @Test func `rows that find no memory are refused, and those that are there stay`() throws {
        let bench = try bench(lookUp, [.column(5, .bigint), .column(4, .text)], shards: 1, memoryBytesMax: 1 << 20)
        let long = String(repeating: "x", count: 10_000)
        let rows = (0..<200).map { product("\($0)", long, Int64($0)) }
        let answers = run(bench, (1, rows), (0, (0..<200).map { event(1, "\($0)") }))
        let taken = answers[0].statuses.count { $0 == .ok }
        #expect((50..<110).contains(taken))
        for (row, status) in answers[0].statuses.enumerated() {
            #expect(cells(answers[1])[row] == (status == .ok ? [.integer(Int64(row)), .text(long)] : [.null, .null]))
        }
    }

    // MARK: History tables

    @Test(arguments: [true, false]) func `an event sees the latest row that came before it`(includesEqual: Bool) throws {
        let bench = try bench(asOf(ts, includesEqual: includesEqual), [.column(5, .bigint)])
        let answers = run(
            bench, (2, [price("a", 10, 1), price("a", 20, 2), price(nil, 5, 9)]),
            (0, [event(9, "a"), event(10, "a"), event(15, "a"), event(20, "a"), event(20, nil)]),
            // One that comes late takes its place; of equal times the last one counts.
            (2, [price("a", 14, 3), price("a", 20, 4)]), (0, [event(15, "a"), event(21, "a")]))
        let (one, two): (Scalar, Scalar) = includesEqual ? (.integer(1), .integer(2)) : (.null, .integer(1))
        #expect(cells(answers[1]) == [[.null], [one], [.integer(1)], [two], [.null]])
        #expect(cells(answers[3]) == [[.integer(3)], [.integer(4)]])
    }

    @Test func `rows that no event to come can ask for are given up`() throws {
        let bench = try bench(asOf(ts), [.column(5, .bigint)])
        for number in 20..<2_000 {
            let time = Int64(number)
            // The second row is older than anything that an event may be: the one behind it hides it.
            let answers = run(
                bench, (2, [price("a", time, time), price("a", time - 15, -1)]), (0, [event(time, "a"), event(time - 9, "a")]))
            #expect(cells(answers[1]) == [[.integer(time)], [.integer(number < 29 ? -1 : time - 9)]])
        }
        #expect(bench.shard(0) { $0.rowCount(joinTable: 0) } < 40)
        // Another time than the stream's own is not bounded by its lateness.
        let past = Expression.call(.add, [ts, .constant(.integer(-5), .bigint)], .bigint)
        let unbounded = try self.bench(asOf(past), [.column(5, .bigint)])
        for number in 0..<100 { _ = run(unbounded, (2, [price("a", Int64(number), 0)]), (0, [event(Int64(number), "a")])) }
        #expect(unbounded.shard(0) { $0.rowCount(joinTable: 0) } == 100)
    }

    @Test(arguments: [1, 2, 4]) func `a table joined with itself shows an event the rows before it`(shards: Int) throws {
        let join = AsOfJoin(
            table: 0, keys: [.init(column: 1, value: sku)], timeColumn: 0, time: ts, includesEqual: false, isInner: false)
        let bench = try bench(.asOf(.stream(0), join), [.column(5, .bigint)], shards: shards)
        let answers = run(bench, (0, [event(1, "a", 7), event(2, "a", 8), event(2, "a", 9)]), (0, [event(3, "a", 1)]))
        #expect(cells(answers[0]) == [[.null], [.integer(7)], [.integer(7)]])
        #expect(cells(answers[1]) == [[.integer(9)]])
    }

    // MARK: Reading without an event

    @Test(arguments: [1, 2]) func `a look-up joins by the columns it brings, and knows nothing of other windows`(shards: Int)
        throws
    {
        // Windows by the joined department, and over that window's result.
        let inner = Relation.windows(lookUp, [count(by: .column(4, .text))])
        let outer = Relation.windows(inner, [count(by: .column(6, .bigint)), count(by: .column(1, .text))])
        let bench = try bench(
            outer, [.column(4, .text), .column(6, .bigint), .column(7, .bigint), .column(8, .bigint)], shards: shards)
        _ = run(
            bench, (1, [product("a", "toys", 5), product("b", "toys", 1)]),
            (0, [event(1, "a"), event(2, "b"), event(3, "b")]))
        let known = bench.lookUp(table: 0, keys: [(column: 1, cells: [.text("a"), .text("none")])], times: [3, 3])
        #expect(cells(known) == [[.text("toys"), .integer(3), .null, .integer(1)], [.null, .integer(0), .null, .integer(0)]])
        let unknown = bench.lookUp(table: 0, keys: [(column: 2, cells: [.integer(0)])], times: [3])
        #expect(cells(unknown) == [[.null, .null, .null, .null]])
    }
}
