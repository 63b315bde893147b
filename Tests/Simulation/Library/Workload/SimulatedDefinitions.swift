import Language
import PlainEvaluator
import Plan
import Values

/// Sets of definitions between which a run goes back and forth. What one adds to another is over columns that all of them keep, so
/// that it is full at once and every answer is what the set alone would say of all rows that ever came.
struct SimulatedDefinitions: Sendable {
    let sources: [SourceText]
    let definitions: Definitions
    let plan: Plan
    private let diagnostics: [Diagnostic]

    static let tables = [
        """
        CREATE TABLE payments (ts bigint NOT NULL, id bigint NOT NULL, card bigint NOT NULL, shop text, amount bigint NOT NULL,
                               note text)
            WITH (lateness = 50);
        CREATE TABLE visits (at timestamptz NOT NULL, id bigint NOT NULL, page bigint NOT NULL, seconds double precision);
        CREATE TABLE shops (shop text PRIMARY KEY, id bigint NOT NULL, rate bigint);
        """
    ]

    private static let others = """
        CREATE VIEW shop_turnover AS
            SELECT p.ts, p.id, p.shop, s.rate, sum(p.amount) OVER x AS turnover, array_agg(p.id) OVER x AS ids
            FROM payments p LEFT JOIN shops s ON s.shop = p.shop
            WINDOW x AS (PARTITION BY p.shop ORDER BY p.ts ROWS BETWEEN 4 PRECEDING AND CURRENT ROW);
        CREATE VIEW page_views AS
            SELECT at, id, page, count(*) OVER y AS n, sum(seconds) OVER y AS seconds, max(seconds) OVER y AS longest FROM visits
            WINDOW y AS (PARTITION BY page ORDER BY at RANGE BETWEEN INTERVAL '1 minute' PRECEDING AND CURRENT ROW);
        CREATE VIEW busy_shops AS
            SELECT ts, id, shop, sum(n) OVER (PARTITION BY shop ORDER BY ts RANGE BETWEEN 40 PRECEDING AND CURRENT ROW) AS busy
            FROM card_risk;
        """

    private static func cardRisk(_ more: String) -> String {
        """
        CREATE VIEW card_risk AS
            SELECT ts, id, card, shop, count(*) OVER w AS n, sum(amount) OVER w AS total, array_agg(id) OVER w AS ids,
                   lag(id) OVER (PARTITION BY card ORDER BY ts) AS previous\(more)
            FROM payments WINDOW w AS (PARTITION BY card ORDER BY ts RANGE BETWEEN 100 PRECEDING AND CURRENT ROW);
        """
    }

    private static let spread = """
        CREATE VIEW card_spread AS
            SELECT ts, id, card, max(amount) OVER w - min(amount) OVER w AS spread FROM payments
            WINDOW w AS (PARTITION BY card ORDER BY ts RANGE BETWEEN 60 PRECEDING AND CURRENT ROW);
        """

    static let all: [SimulatedDefinitions] = [
        SimulatedDefinitions([tables[0], cardRisk(""), others]),
        SimulatedDefinitions([tables[0], cardRisk(", max(amount) OVER w AS largest"), others]),
        SimulatedDefinitions([tables[0], cardRisk(""), others, spread]),
    ]

    private init(_ parts: [String]) {
        sources = [SourceText(name: "simulation.sql", text: parts.joined(separator: "\n"))]
        let (definitions, diagnostics) = Compiler.compile(sources)
        guard let definitions else {
            let sources = sources
            fatalError(diagnostics.map { $0.rendered(sources: sources) }.joined(separator: "\n"))
        }
        self.definitions = definitions
        self.diagnostics = diagnostics
        plan = Planner.plan(definitions)
    }

    /// What every run's servers compile is compiled once: only the text decides.
    @Sendable static func compile(_ sources: [SourceText]) -> (definitions: Definitions?, diagnostics: [Diagnostic]) {
        if let known = all.first(where: { $0.sources == sources }) { return (known.definitions, known.diagnostics) }
        return Compiler.compile(sources)
    }

    func evaluator() -> Evaluator { Evaluator(definitions, zone: .utc) }
}

/// A table, by its place in the definitions.
enum SimulatedTable: Int, CaseIterable, Sendable {
    case payments, visits, shops

    var name: String { SimulatedDefinitions.all[0].definitions.tables[rawValue].name }
    var fields: [Field] { SimulatedDefinitions.all[0].definitions.tables[rawValue].columns }
    /// The column that numbers rows over the whole run: batch × 100 + row.
    static let idColumn = "id"
}
