import Language
import Testing
import Values

@testable import Workloads

@Suite struct WorkloadTests {
    private func definitions(_ sql: String) throws -> Definitions {
        let source = SourceText(name: "test.sql", text: sql)
        let (definitions, diagnostics) = Compiler.compile([source])
        return try #require(definitions, "\(diagnostics.map { $0.rendered(sources: [source]) })")
    }

    private static let sql = """
        CREATE TABLE orders (
          number bigint PRIMARY KEY, at timestamp NOT NULL, buyer integer, shop_id text, price numeric(8,2), paid boolean,
          note text, due date);
        CREATE TABLE shops (shop_id text PRIMARY KEY, town text);
        CREATE TABLE rates (since timestamp, shop text, rate double precision);
        CREATE TABLE unused (x integer);
        CREATE VIEW v AS
        SELECT o.at, count(*) OVER (PARTITION BY buyer ORDER BY at RANGE INTERVAL '1 hour' PRECEDING) AS n, s.town, r.rate
        FROM orders o LEFT JOIN shops s ON s.shop_id = o.shop_id
        LEFT JOIN LATERAL (SELECT rate FROM rates WHERE rates.shop = o.shop_id AND rates.since <= o.at
                           ORDER BY rates.since DESC LIMIT 1) r ON TRUE;
        """

    @Test func `columns without a rule get one by what they are for`() throws {
        let workload = try Workload(definitions(Self.sql), rules: [], weights: [:])
        #expect(workload.tables.map(\.role) == [.stream, .reference, .history])
        #expect(
            workload.tables[0].rules.map(\.description) == [
                "sequence(1, 1)", "time", "zipf(10000)", "zipf(10000) as #", "normal(100, 25)", "category(true, false*9)",
                "zipf(100) as note_#", "uniform(2024-01-01 00:00:00, 2024-12-31 00:00:00)",
            ])
        #expect(workload.tables[1].rules.map(\.description) == ["zipf(10000) as #", "zipf(100) as town_#"])
        #expect(workload.tables[2].rules[0].draw == .time)
        #expect(workload.tables[1].rowsBefore == 10_000)
    }

    @Test func `a rule is for a table's column, or for all of its name`() throws {
        let rules = try ["shop_id = zipf(5) as s#", "orders.shop_id = zipf(9) as s#"].map { try NamedRule(parsing: $0) }
        let workload = try Workload(definitions(Self.sql), rules: rules, weights: ["rates": 3])
        #expect(workload.tables[0].rules[3].keyCount == 9)
        #expect(workload.tables[1].rules[0].keyCount == 5)
        #expect(workload.tables[1].rowsBefore == 5)
        #expect(workload.tables.map(\.weight) == [1, 0.01, 3])
    }

    @Test(arguments: [
        ("order.price = time", "no table \"order\""), ("orders.prize = time", "no column \"prize\""), ("x1 = time", "x1"),
    ])
    func `a rule for nobody is refused`(rule: String, why: String) throws {
        let definitions = try definitions(Self.sql)
        let error = #expect(throws: RuleError.self) {
            try Workload(definitions, rules: [NamedRule(parsing: rule)], weights: [:])
        }
        #expect(error?.description.contains(why) == true)
        #expect(throws: RuleError.self) { try Workload(definitions, rules: [], weights: ["nobody": 1]) }
    }

    @Test(arguments: Preset.all.map(\.name))
    func `a preset compiles, and its rules make rows`(name: String) throws {
        let preset = try #require(Preset.named(name))
        let workload = try Workload(
            definitions(preset.sql), rules: NamedRule.parse(preset.rules, name: name), weights: preset.weights)
        for table in workload.tables {
            let pool = try workload.pool(of: table, rows: .drawn(100), rowsPerBatch: 10, seed: 1)
            let columns = try Pools.read(pool, batch: 0, at: EventSpan(start: 0, end: 1_000, firstEvent: 0))
            #expect(columns.count == pool.table.columns.count && columns.allSatisfy { $0.count == 10 })
        }
    }

    @Test func `key columns are traced through joins, unions and projections`() throws {
        let definitions = try definitions(Preset.named("ad-clicks")!.sql)
        #expect(definitions.keyColumns(view: 0, stream: 0) == [1, 2])
        #expect(definitions.keyColumns(view: 0, stream: 1) == [1, 2])
    }
}
