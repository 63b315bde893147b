import Engine
import Language
import Plan
import Values

@testable import Runtime

/// The definitions that the tests of this module run.
enum Fixture {
    static let sql = """
        CREATE TABLE events (ts bigint NOT NULL, key bigint NOT NULL, shop bigint NOT NULL, amount double precision)
            WITH (lateness = 10);
        CREATE TABLE visits (ts bigint NOT NULL, page bigint NOT NULL);
        CREATE VIEW per_key AS
            SELECT ts, key, count(*) OVER w AS events, sum(amount) OVER w AS amount FROM events
            WINDOW w AS (PARTITION BY key ORDER BY ts RANGE BETWEEN 100 PRECEDING AND CURRENT ROW);
        CREATE VIEW per_shop AS
            SELECT ts, count(*) OVER (PARTITION BY shop ORDER BY ts) AS events FROM events;
        CREATE VIEW per_page AS
            SELECT page, count(*) OVER (PARTITION BY page ORDER BY ts) AS visits FROM visits;
        """

    static let eventColumns = [
        Field(name: "ts", type: .bigint, isNullable: false), Field(name: "key", type: .bigint, isNullable: false),
        Field(name: "shop", type: .bigint, isNullable: false), Field(name: "amount", type: .double),
    ]
    static let visitColumns = [
        Field(name: "ts", type: .bigint, isNullable: false), Field(name: "page", type: .bigint, isNullable: false),
    ]

    static let plan = plan(of: sql)

    static func plan(of sql: String) -> Plan {
        let sources = [SourceText(name: "fixture.sql", text: sql)]
        let (definitions, diagnostics) = Compiler.compile(sources)
        guard let definitions else { fatalError(diagnostics.map { $0.rendered(sources: sources) }.joined(separator: "\n")) }
        return Planner.plan(definitions)
    }

    static func catalog() throws -> Catalog { Catalog(try CompiledPlan(plan), version: 1) }
}
