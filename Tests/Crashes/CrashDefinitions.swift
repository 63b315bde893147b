import Language
import PlainEvaluator
import Values

/// The tables that the load fills, and the views that it asks: windows by time and by rows, texts, exact and inexact sums, a join, windows
/// over windows, and for every table a view that counts the rows of each batch. No view reads the notes of payments: long ones fill the log.
struct CrashDefinitions: Sendable {
    /// Tables by their place in the definitions.
    enum Table: Int, CaseIterable, Sendable { case payments, visits, shops, loose }

    static let text = """
        CREATE TABLE payments (
            ts timestamptz NOT NULL, batch bigint NOT NULL, line bigint NOT NULL, card bigint NOT NULL, shop text,
            amount double precision, ok boolean NOT NULL, note text
        ) WITH (lateness = '10 hours');
        CREATE TABLE visits (
            at bigint NOT NULL, batch bigint NOT NULL, line bigint NOT NULL, card bigint NOT NULL, page text, price numeric(12, 2)
        ) WITH (event_time = at, lateness = 36000);
        CREATE TABLE shops (
            at bigint NOT NULL, batch bigint NOT NULL, line bigint NOT NULL, shop text PRIMARY KEY, rate double precision
        ) WITH (event_time = at, lateness = 36000);
        CREATE TABLE loose (
            at bigint NOT NULL, batch bigint NOT NULL, line bigint NOT NULL, card bigint NOT NULL, note text
        ) WITH (event_time = at, lateness = 36000);

        CREATE VIEW card_risk AS
            SELECT p.ts, p.batch, p.line, p.card, p.shop, s.rate,
                count(*) OVER recent AS payments, count(*) FILTER (WHERE NOT p.ok) OVER recent AS declined,
                sum(p.amount) OVER recent AS amount, max(p.amount) OVER recent AS largest,
                count(DISTINCT p.shop) OVER recent AS shops, lag(p.line) OVER card AS previous,
                string_agg(p.shop, ',') OVER (card ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS last_shops
            FROM payments p LEFT JOIN shops s ON s.shop = p.shop
            WINDOW card AS (PARTITION BY p.card ORDER BY p.ts),
                   recent AS (card RANGE BETWEEN INTERVAL '20 minutes' PRECEDING AND CURRENT ROW);
        CREATE VIEW shop_turnover AS
            SELECT ts, batch, line, shop, sum(amount) OVER w AS turnover, count(amount) OVER w AS n FROM payments
            WINDOW w AS (PARTITION BY shop ORDER BY ts RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW);
        CREATE VIEW visit_counts AS
            SELECT at, batch, line, card, page, count(*) OVER w AS n, sum(price) OVER w AS spent, first_value(page) OVER w AS first_page
            FROM visits WINDOW w AS (PARTITION BY card ORDER BY at RANGE BETWEEN 900 PRECEDING AND CURRENT ROW);
        CREATE VIEW busy_pages AS
            SELECT at, batch, line, page, sum(n) OVER (PARTITION BY page ORDER BY at RANGE BETWEEN 300 PRECEDING AND CURRENT ROW) AS busy
            FROM visit_counts;
        CREATE VIEW loose_cards AS
            SELECT at, batch, line, card, row_number() OVER w AS place, last_value(note) OVER w AS note FROM loose
            WINDOW w AS (PARTITION BY card ORDER BY at);

        \(Table.allCases.map(audit).joined(separator: "\n"))
        """

    /// How many rows of each batch the server has, and their numbers' sum.
    private static func audit(_ table: Table) -> String {
        let time = table == .payments ? "ts" : "at"
        return """
            CREATE VIEW \(table)_audit AS SELECT \(time), batch, count(*) OVER w AS lines, sum(line) OVER w AS total FROM \(table)
                WINDOW w AS (PARTITION BY batch ORDER BY \(time));
            """
    }

    let definitions: Definitions

    init() {
        let sources = [SourceText(name: "crashes.sql", text: Self.text)]
        let (definitions, diagnostics) = Compiler.compile(sources)
        guard let definitions else { fatalError(diagnostics.map { $0.rendered(sources: sources) }.joined(separator: "\n")) }
        self.definitions = definitions
    }

    func fields(_ table: Table) -> [Field] { definitions.tables[table.rawValue].columns }

    /// Every view over the table, in the order of the definitions.
    func views(_ table: Table) -> [String] { definitions.views.filter { $0.streams.contains(table.rawValue) }.map(\.name) }

    func evaluator() -> Evaluator { Evaluator(definitions, zone: .utc) }
}
