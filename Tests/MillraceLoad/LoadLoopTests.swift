import Language
import Linux
import Testing
import Values
import Wire
import Workloads

@testable import MillraceLoad

@Suite struct LoadLoopTests {
    private func plan() throws -> LoadPlan {
        let source = SourceText(
            name: "t.sql",
            text: """
                CREATE TABLE t (ts bigint NOT NULL, k bigint);
                CREATE VIEW v AS SELECT count(*) OVER (PARTITION BY k ORDER BY ts RANGE 5 PRECEDING) AS n FROM t;
                """)
        let definitions = try #require(Compiler.compile([source]).definitions)
        let workload = try Workload(definitions, rules: [], weights: [:])
        let pool = try workload.pool(of: workload.tables[0], rows: .drawn(64), rowsPerBatch: 1, seed: 1)
        let sent = LoadPlan.Source(pool, open: Open(table: "t"), channel: 1, table: 0)
        return LoadPlan(
            definitions: definitions, sources: [sent], isStream: [true], weights: [1], get: nil, before: [], subscribed: [],
            mix: [.ingest: 1])
    }

    private func run(_ pace: Pace, seconds: Double, against server: StallingServer) throws -> LoadLoop.Outcome {
        let plan = try plan()
        var clock = LoadClock(start: 0, eventsPerSecond: 1_000)
        let connections = try Opening.connect(
            plan, to: server.address, token: "", senders: 1, subscribers: 0, clock: &clock, log: nil, fillsBefore: true)
        var options = LoadLoop.Options(pace: pace, warmUpNanoseconds: 0, durationNanoseconds: UInt64(seconds * 1e9))
        options.drainNanosecondsMax = 500_000_000
        return try LoadLoop(plan, options, connections: connections, clock: clock, log: nil) { _ in }.run()
    }

    /// A hundred requests would have been sent during the stall: all of them waited, on average for half of it.
    @Test func `a stall is charged to every request whose time came meanwhile`() throws {
        let server = try StallingServer(stallNanoseconds: 100_000_000, afterAnswers: 100)
        let outcome = try run(.open(requestsPerSecond: 1_000), seconds: 0.5, against: server)
        server.join()
        let latency = outcome.recorder.all
        #expect(outcome.lost == 0 && outcome.unsent == 0)
        #expect(latency.totalCount == 500)
        #expect(latency.max >= 99_000_000)
        // Those of the first 75 milliseconds of the stall, 15 in a hundred, have waited 25 and more.
        #expect(latency.valueAtPercentile(86) >= 24_000_000)
    }

    @Test func `a closed loop has no more under way than it may`() throws {
        let server = try StallingServer(stallNanoseconds: 0, afterAnswers: 1)
        let outcome = try run(.closed(inFlightMax: 4), seconds: 0.3, against: server)
        server.join()
        #expect(outcome.lost == 0)
        #expect(outcome.recorder.answered == outcome.recorder.sent && outcome.recorder.answered > 4)
    }

    @Test func `what a broken connection leaves unanswered is lost`() throws {
        let server = try StallingServer(stallNanoseconds: 0, afterAnswers: 1, answersMax: 50)
        let outcome = try run(.closed(inFlightMax: 8), seconds: 5, against: server)
        server.join()
        #expect(outcome.recorder.answered == 50)
        #expect(outcome.lost > 0 && outcome.recorder.sent == 50 + outcome.lost)
        #expect(outcome.broken.count == 1)
        let description = LoadDescription(
            workload: "t", command: "", server: "", pace: .closed(inFlightMax: 8), connections: 1, subscribers: 0, batchRows: 1,
            seed: 1, warmUpSeconds: 0)
        #expect(!Summary(outcome, of: description, verification: nil).isGood)
    }

    @Test func `a server that is not there is said with the command that starts one`() throws {
        let error = #expect(throws: LoadError.self) {
            var clock = LoadClock(start: 0, eventsPerSecond: 1)
            _ = try Opening.connect(
                plan(), to: .unix(path: "/tmp/no-such-server"), token: "", senders: 1, subscribers: 0, clock: &clock, log: nil,
                fillsBefore: true)
        }
        #expect(error?.description.contains("millrace serve") == true)
    }
}
