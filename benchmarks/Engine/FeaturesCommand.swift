import ArgumentParser
import Engine

/// What one more feature over a window that is there already costs.
struct FeaturesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Nanoseconds per event of 1 to 50 features over one window, each of a column of its own.")

    @Option(help: "Events in the window of the one key.") var population = 1_000
    @Option(help: "Seconds of each of two measurements; the better one counts.") var seconds = 0.1

    private struct Row: Encodable {
        var name: String
        /// By number of features.
        var nanosecondsPerEvent: [String: Double] = [:]
        /// Of each of the features from the second half on.
        var perFurtherFeature = 0.0
        var refused: String?
    }

    private static let counts = [1, 2, 10, 25, 50]

    /// Features of column c1 … c50, the columns' type, and whether it may be NULL.
    private static let families: [(name: String, call: String, type: String)] = [
        ("count(c)", "count(#)", "double precision"),
        ("count(*) FILTER (WHERE c)", "count(*) FILTER (WHERE #)", "boolean NOT NULL"),
        ("sum(integer)", "sum(#)", "integer NOT NULL"),
        ("sum(bigint)", "sum(#)", "bigint NOT NULL"),
        ("sum(double)", "sum(#)", "double precision NOT NULL"),
        ("avg(double)", "avg(#)", "double precision NOT NULL"),
        ("min(double)", "min(#)", "double precision NOT NULL"),
        ("max(double)", "max(#)", "double precision NOT NULL"),
        ("stddev(double)", "stddev(#)", "double precision NOT NULL"),
        ("first_value(double)", "first_value(#)", "double precision NOT NULL"),
        ("last_value(double)", "last_value(#)", "double precision NOT NULL"),
        ("bool_or(boolean)", "bool_or(#)", "boolean NOT NULL"),
        ("count(DISTINCT bigint)", "count(DISTINCT #)", "bigint NOT NULL"),
        ("median(double)", "median(#)", "double precision NOT NULL"),
    ]

    func run() throws {
        var rows: [Row] = []
        for family in Self.families {
            EngineBenchmark.progress(family.name)
            var row = Row(name: family.name)
            do {
                for count in Self.counts { row.nanosecondsPerEvent["\(count)"] = try measure(family.call, family.type, count) }
                row.perFurtherFeature = (row.nanosecondsPerEvent["50"]! - row.nanosecondsPerEvent["25"]!) / 25
            } catch let refused as EngineBenchmark.Refused {
                row.refused = refused.text.split(separator: "\n").first.map(String.init)
            }
            rows.append(row)
        }
        EngineBenchmark.progress("")
        try EngineBenchmark.output(rows)
    }

    private func measure(_ call: String, _ type: String, _ count: Int) throws -> Double {
        let columns = (1...50).map { "c\($0) \(type)" }.joined(separator: ", ")
        let features = (1...count).map { number in
            call.split(separator: "#", omittingEmptySubsequences: false).joined(separator: "c\(number)") + " OVER w AS f\(number)"
        }
        let plan = try EngineBenchmark.compile(
            """
            CREATE TABLE events (ts bigint NOT NULL, key bigint NOT NULL, \(columns));
            CREATE VIEW features AS SELECT ts, \(features.joined(separator: ", ")) FROM events
            WINDOW w AS (PARTITION BY key ORDER BY ts RANGE \(population - 1) PRECEDING);
            """)
        var run = EngineRun(plan)
        run.run(events: population * 5 / 4 + 1_024, .one, mode: .ingest)
        return run.nanosecondsPerEvent(.one, seconds: seconds)
    }
}
