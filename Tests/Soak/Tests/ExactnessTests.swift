import Engine
import Language
import PlainEvaluator
import Testing
import Values

@testable import Soak

/// What numbers mean at their edges, case by case, with answers worked out by hand.
@Suite struct ExactnessTests {
    /// Definitions over `t`, and what they answered, batch by batch.
    struct Stream {
        let engine: EngineRun

        init(_ sql: String, shardCount: Int = 1) throws {
            let compiled = Compiler.compile([SourceText(name: "test", text: sql)])
            let definitions = try #require(compiled.definitions, "\(compiled.diagnostics.map(\.message))")
            engine = try EngineRun(definitions, shardCount: shardCount)
        }

        /// The first view's columns by row; nil for late rows.
        @discardableResult
        func send(_ rows: [[Value]], mode: BatchMode = .compute, given: Set<Int> = []) -> [[Value]?] {
            engine.apply(rows, table: 0, mode: mode, given: given)!.map { $0.status == 0 ? $0.views[0] : nil }
        }
    }

    private func column(_ answers: [[Value]?], _ index: Int) -> [Value] {
        answers.map { $0?[index] ?? .text(Array("late".utf8)) }
    }

    private func moment(_ year: Int64, _ month: Int64, _ day: Int64, _ hour: Int64 = 0, _ minute: Int64 = 0) -> Value {
        let days = CalendarDay(year: year, month: month, day: day).daysSince1970
        return .integer(((days * 24 + hour) * 60 + minute) * 60_000_000)
    }

    @Test func `outliers that came and went leave nothing behind after a million evictions`() throws {
        let stream = try Stream(
            """
            CREATE TABLE t (ts bigint, x double precision) WITH (event_time = ts);
            SELECT sum(x) OVER w AS s, avg(x) OVER w AS a, stddev_pop(x) OVER w AS d, var_samp(x) OVER r AS v FROM t
            WINDOW w AS (ORDER BY ts RANGE 1000 PRECEDING), r AS (ORDER BY ts ROWS 9 PRECEDING);
            """)
        let outliers = [1e40, -1e40, 1e20, .infinity, -.infinity, .nan, 1e15]
        var time: Int64 = 0
        for _ in 0..<100 {
            var rows: [[Value]] = []
            for number in 0..<10_000 {
                time += 1
                let isOutlier = number % 1000 < 7 && number < 8000
                rows.append([.integer(time), .double(isOutlier ? outliers[number % 1000] : 0.1 * Double(number % 77))])
            }
            stream.send(rows, mode: .ingest)
        }
        let few = stream.send((0..<20).map { [.integer(time + 5000 + $0), .double(1.5)] })
        for (index, answer) in few.enumerated() {
            #expect(answer?[0] == .double(1.5 * Double(index + 1)))
            #expect(answer?[1] == .double(1.5))
            #expect(answer?[2] == .double(0))
        }
        #expect(few.last! == [.double(30), .double(1.5), .double(0), .double(0)])
    }

    @Test func `integers past 2^53 and sums past 2^63 are exact`() throws {
        let stream = try Stream(
            """
            CREATE TABLE t (ts bigint, l bigint) WITH (event_time = ts);
            SELECT sum(l) OVER w AS s, min(l) OVER w AS least, max(l) OVER w AS greatest, lag(l) OVER (ORDER BY ts) AS before
            FROM t WINDOW w AS (ORDER BY ts ROWS 2 PRECEDING);
            """)
        let values: [Int64] = [9_007_199_254_740_993, .max, .max, .max - 1, .min, 9_007_199_254_740_993, 1]
        let answers = stream.send(values.enumerated().map { [.integer(Int64($0.offset)), .integer($0.element)] })
        for index in values.indices {
            let inside = values[max(0, index - 2)...index]
            #expect(answers[index]![0] == .decimal(inside.reduce(Int128(0)) { $0 + Int128($1) }))
            #expect(answers[index]![1] == .integer(inside.min()!))
            #expect(answers[index]![2] == .integer(inside.max()!))
            #expect(answers[index]![3] == (index == 0 ? .null : .integer(values[index - 1])))
        }
    }

    @Test func `NaN and infinity leave with their rows`() throws {
        let stream = try Stream(
            """
            CREATE TABLE t (ts bigint, x double precision) WITH (event_time = ts);
            SELECT sum(x) OVER w AS s, max(x) OVER w AS m, min(x) OVER w AS n FROM t WINDOW w AS (ORDER BY ts ROWS 1 PRECEDING);
            """)
        let values: [Double] = [1, .nan, 2, 3, .infinity, 4, 5, .infinity, -.infinity, 6, 7]
        let answers = stream.send(values.enumerated().map { [.integer(Int64($0.offset)), .double($0.element)] })
        func number(_ row: Int, _ column: Int) -> Double {
            if case .double(let value)? = answers[row]?[column] { value } else { 0 }
        }
        #expect(number(1, 0).isNaN && number(2, 0).isNaN && number(3, 0) == 5)
        #expect(number(4, 0) == .infinity && number(5, 0) == .infinity && number(6, 0) == 9)
        #expect(number(8, 0).isNaN && number(9, 0) == -.infinity && number(10, 0) == 13)
        #expect(number(1, 1).isNaN && number(2, 1).isNaN && number(3, 1) == 3, "NaN is above all numbers")
        #expect(number(1, 2) == 1 && number(2, 2) == 2)
    }

    @Test(arguments: 1...9) func `evaluate behind an idle gap takes nothing away from what was given up`(evaluated: Int) throws {
        let stream = try Stream(
            """
            CREATE TABLE t (ts bigint, k bigint, x bigint) WITH (event_time = ts, idle_after = 17);
            SELECT count(DISTINCT x) OVER w AS d, count(*) OVER w AS n, sum(x) OVER w AS s FROM t
            WINDOW w AS (PARTITION BY k ORDER BY ts);
            """)
        stream.send([[.integer(0), .integer(1), .integer(5)], [.integer(10), .integer(2), .integer(0)]])
        let asked = (0..<Int64(evaluated)).map { [Value.integer(40 + $0), .integer(1), .integer(7 + $0)] }
        let answers = stream.send(asked, mode: .evaluate)
        #expect(column(answers, 0) == (1...Int64(evaluated)).map { .integer($0) }, "what came before the gap is forgotten")
        let after = stream.send([[.integer(10), .integer(1), .integer(9)]])
        #expect(after == [[.integer(2), .integer(2), .decimal(14)]])
    }

    @Test func `a row exactly as late as allowed is taken, one later is not, whoever would have taken it`() throws {
        let stream = try Stream(
            """
            CREATE TABLE t (ts bigint, k bigint) WITH (event_time = ts, lateness = 10);
            SELECT count(*) OVER (ORDER BY ts RANGE 5 PRECEDING) AS c, sum(k) OVER (ORDER BY ts) AS s FROM t WHERE k > 0;
            """)
        let answers = stream.send(
            [[100, 1], [90, 2], [89, 4], [88, -1], [95, 8], [100, 16]].map { $0.map { .integer($0) } })
        let late = Value.text(Array("late".utf8))
        #expect(column(answers, 0) == [.integer(1), .integer(1), late, late, .integer(2), .integer(3)])
        #expect(column(answers, 1) == [.decimal(1), .decimal(2), late, late, .decimal(10), .decimal(27)])
    }

    @Test func `of equal timestamps a row sees those that came before it`() throws {
        let stream = try Stream(
            """
            CREATE TABLE t (ts bigint, k bigint) WITH (event_time = ts);
            SELECT count(*) OVER (ORDER BY ts) AS a, count(*) OVER (ORDER BY ts RANGE CURRENT ROW) AS b,
                   sum(k) OVER (ORDER BY ts, k) AS c
            FROM t;
            """)
        let answers = stream.send([[1, 7], [1, 5], [1, 6], [2, 1], [2, 0]].map { $0.map { .integer($0) } })
        #expect(column(answers, 0) == [1, 2, 3, 4, 5].map { .integer($0) })
        #expect(column(answers, 1) == [1, 2, 3, 1, 2].map { .integer($0) })
        #expect(column(answers, 2) == [7, 5, 11, 19, 18].map { .decimal($0) })
    }

    @Test func `a month before the 29th, 30th and 31st of March is the last of February, and so moves back by the hour`() throws {
        let stream = try Stream(
            """
            CREATE TABLE t (ts timestamp, k bigint);
            SELECT count(*) OVER (ORDER BY ts RANGE INTERVAL '1 month' PRECEDING) AS c,
                   sum(k) OVER (ORDER BY ts RANGE INTERVAL '1 month' PRECEDING) AS s,
                   min(k) OVER (ORDER BY ts RANGE INTERVAL '1 month' PRECEDING) AS m,
                   count(DISTINCT k) OVER (ORDER BY ts RANGE INTERVAL '1 month' PRECEDING) AS d
            FROM t;
            """)
        let rows: [[Value]] = [
            [moment(2023, 2, 28, 8), .integer(1)], [moment(2023, 2, 28, 9, 30), .integer(2)],
            [moment(2023, 2, 28, 23), .integer(4)],
            // From 28 February 10:00, then 09:00, then 09:31, then 1 March 00:00.
            [moment(2023, 3, 29, 10), .integer(8)], [moment(2023, 3, 30, 9), .integer(16)],
            [moment(2023, 3, 31, 9, 31), .integer(32)], [moment(2023, 4, 1), .integer(64)],
        ]
        let answers = stream.send(rows)
        #expect(column(answers, 0) == [1, 2, 3, 2, 4, 4, 4].map { .integer($0) })
        #expect(column(answers, 1) == [1, 3, 7, 12, 30, 60, 120].map { .decimal($0) })
        #expect(column(answers, 2) == [1, 1, 1, 4, 2, 4, 8].map { .integer($0) })
        #expect(column(answers, 3) == [1, 2, 3, 2, 4, 4, 4].map { .integer($0) })
    }

    @Test(
        arguments: [
            // New York's clocks go forward on 10 March 2024 at 07:00 UTC: the day before noon has 23 hours.
            ("America/New_York", [(3, 9, 16, 30), (3, 9, 17, 0), (3, 10, 16, 0)], day: [1, 2, 2], hours: [1, 2, 3]),
            // Berlin's go back on 27 October 2024 at 01:00 UTC: the day before noon has 25.
            ("Europe/Berlin", [(10, 26, 10, 0), (10, 26, 10, 30), (10, 27, 11, 0)], day: [1, 2, 3], hours: [1, 2, 1]),
        ] as [(String, [(Int64, Int64, Int64, Int64)], day: [Int64], hours: [Int64])])
    func `a day is one of the zone's clocks, 24 hours are not`(
        zone: String, times: [(Int64, Int64, Int64, Int64)], day: [Int64], hours: [Int64]
    ) throws {
        let stream = try Stream(
            """
            SET TimeZone = '\(zone)';
            CREATE TABLE t (ts timestamptz, k bigint);
            SELECT count(*) OVER (ORDER BY ts RANGE INTERVAL '1 day' PRECEDING) AS d,
                   count(*) OVER (ORDER BY ts RANGE INTERVAL '24 hours' PRECEDING) AS h
            FROM t;
            """)
        let answers = stream.send(times.map { [moment(2024, $0.0, $0.1, $0.2, $0.3), .integer(1)] })
        #expect(column(answers, 0) == day.map { .integer($0) })
        #expect(column(answers, 1) == hours.map { .integer($0) })
    }

    @Test func `equal values do not vary, however many there are and whatever was there before`() throws {
        let stream = try Stream(
            """
            CREATE TABLE t (ts bigint, x double precision) WITH (event_time = ts);
            SELECT stddev_samp(x) OVER w AS a, stddev_pop(x) OVER w AS b, var_samp(x) OVER w AS c, var_pop(x) OVER w AS d
            FROM t WINDOW w AS (ORDER BY ts ROWS 4999 PRECEDING);
            """)
        stream.send((0..<5000).map { [.integer($0), .double(Double($0) * 1e17)] }, mode: .ingest)
        for (number, value) in [0.1, 1e40, 1.0 / 3, 123_456.789].enumerated() {
            let start = Int64(number + 1) * 5000
            stream.send((start..<start + 4999).map { [.integer($0), .double(value)] }, mode: .ingest)
            let answer = stream.send([[.integer(start + 4999), .double(value)]])
            #expect(answer[0] == [.double(0), .double(0), .double(0), .double(0)])
        }
    }

    @Test func `a look-up has no current row`() throws {
        let stream = try Stream(
            """
            CREATE TABLE t (ts bigint, k bigint, x double precision) WITH (event_time = ts, lateness = 100);
            SELECT lag(x, 0) OVER w AS l0, lag(x) OVER w AS l1, row_number() OVER w AS n, count(*) OVER w AS c,
                   sum(x) OVER (PARTITION BY k ORDER BY ts RANGE 5 PRECEDING) AS s
            FROM t WINDOW w AS (PARTITION BY k ORDER BY ts);
            """)
        stream.send([[.integer(10), .integer(1), .double(1)], [.integer(20), .integer(1), .double(2)]])
        let answer = stream.send(
            [[.integer(15), .integer(1), .null], [.integer(20), .integer(1), .null]], mode: .lookUp, given: [1])
        #expect(
            answer == [
                [.null, .double(1), .null, .integer(1), .double(1)], [.null, .double(2), .null, .integer(2), .double(2)],
            ])
    }
}
