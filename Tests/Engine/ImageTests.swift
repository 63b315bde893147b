import Bounds
import Bytes
import Language
import Plan
import Testing
import Values

@testable import Engine

/// Images of shards: taken while batches go on, loaded by another number of shards, and continued to the last bit. Random
/// definitions are in `SoakTests`, random partitions in `ImageRandomTests`.
@Suite struct ImageTests {
    private static func definitions(_ text: String) throws -> Definitions {
        let (definitions, diagnostics) = Compiler.compile([SourceText(name: "t.sql", text: text)])
        return try #require(definitions, "\(diagnostics)")
    }

    // MARK: Definitions and rows

    /// Every kind of aggregate over bounded and unbounded frames.
    private static func everything(lateness: Int = 20, idleAfter: String = "") -> String {
        let calls = [
            "count(*)", "count(x)", "count(*) FILTER (WHERE flag)", "sum(i)", "sum(n)", "sum(p)", "sum(x)", "avg(n)", "avg(x)",
            "min(x)", "max(p)", "min(word)", "stddev(x)", "var_pop(x)", "bool_and(flag)", "bool_or(flag)", "first_value(word)",
            "last_value(x)", "nth_value(n, 3)", "count(DISTINCT n)", "count(DISTINCT word)", "sum(DISTINCT n)", "avg(DISTINCT x)",
            "mode(n)", "median(x)", "quantile_disc(n, 0.9)", "arg_min(n, x)", "arg_max(word, x)", "covar_samp(y, x)",
            "corr(y, x)", "skewness(x)", "kurtosis(x)", "bit_and(n)", "bit_xor(n)", "decayed_sum(x, 100)", "decayed_count(100)",
            "first_value(x IGNORE NULLS)", "last_value(word IGNORE NULLS)", "nth_value(n, 2) IGNORE NULLS", "array_agg(word)",
            "string_agg(word, ',')",
        ]
        let frames = [
            "RANGE 100 PRECEDING", "RANGE BETWEEN 300 PRECEDING AND 30 PRECEDING", "ROWS 40 PRECEDING",
            "ROWS UNBOUNDED PRECEDING",
            "GROUPS 5 PRECEDING EXCLUDE TIES",
        ]
        var columns = ["ts"]
        for (number, frame) in frames.enumerated() {
            let keys = ["key", "name", "name, key", "p", "x"][number]
            for call in calls {
                let isList = call.contains("_agg(")
                if isList && frame.contains("UNBOUNDED") { continue }
                columns.append("\(call) OVER w\(number) AS f\(columns.count)")
            }
            for call in ["lag(word, 2)", "lag(x) IGNORE NULLS", "row_number()", "rank()", "dense_rank()"] {
                columns.append("\(call) OVER (PARTITION BY \(keys) ORDER BY ts) AS f\(columns.count)")
            }
        }
        let windows = frames.enumerated().map {
            "w\($0) AS (PARTITION BY \(["key", "name", "name, key", "p", "x"][$0]) ORDER BY ts\($0 == 2 ? ", word" : "") \($1))"
        }
        return """
            CREATE TABLE events (ts bigint NOT NULL, key bigint, name text, i integer, n bigint, x double precision,
              y double precision, p numeric(12,2), flag boolean, word text)
              WITH (event_time = ts, lateness = \(lateness)\(idleAfter.isEmpty ? "" : ", idle_after = \(idleAfter)"));
            CREATE VIEW features AS SELECT \(columns.joined(separator: ", ")) FROM events WINDOW \(windows.joined(separator: ", "));
            """
    }

    private static func rows(_ count: Int, from start: inout Int64, keys: Int64, _ random: inout SeededRandom) -> [[Scalar]] {
        (0..<count).map { _ in
            start += Int64.random(in: 0...3, using: &random)
            let time = random.chance(20) ? start - Int64.random(in: 0...25, using: &random) : start
            func value(_ value: Scalar) -> Scalar { random.chance(15) ? .null : value }
            let number = Int64.random(in: -30...30, using: &random)
            return [
                .integer(time), value(.integer(Int64.random(in: 0..<keys, using: &random))), value(.text("name \(number % 3)")),
                value(.integer(number)), value(.integer(number * 1_000_000_007)),
                value(.double(Double.random(in: -1...1, using: &random))), value(.double(Double(number) * 0.1)),
                value(.decimal(Int128(number % 7))), value(.boolean(number % 2 == 0)), value(.text("word \(number % 9)")),
            ]
        }
    }

    // MARK: The same answers

    private struct Batch {
        var table = 0
        var rows: [[Scalar]]
        var mode = BatchMode.compute
    }

    /// Runs batches straight on, and with an image begun before one of them, which other shards load and go on from.
    ///
    /// - Parameters:
    ///   - abandoned: another image is begun before this batch, and not finished.
    ///   - blockBytes: 1 has keys of more than 8 rows written in blocks of so many.
    private func check(
        _ definitions: Definitions, _ batches: [Batch], begin: Int, abandoned: Int? = nil, shards: Int, loaders: Int,
        visits: Int = 3, blockBytes: Int = Bounds.imageBlockBytes,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let straight = try ShardsBench(definitions, shardCount: shards)
        let taken = try ShardsBench(definitions, shardCount: shards)
        var expected: [ShardsBench.Answer] = []
        var pieces: [[ImagePiece]] = Array(repeating: [], count: shards)
        for (number, batch) in batches.enumerated() {
            if number == begin || number == abandoned { taken.beginImage(blockBytes: blockBytes) }
            expected.append(run(straight, batch))
            #expect(isSame(run(taken, batch), expected[number]), "batch \(number)", sourceLocation: sourceLocation)
            if number >= begin {
                taken.takeImage(visits: visits, into: &pieces)
            } else {
                taken.takeImageOnly(visits: visits)
            }
        }
        taken.finishImage(into: &pieces)
        let loaded = try ShardsBench(definitions, shardCount: loaders)
        try loaded.load(pieces.flatMap { $0 })
        for (number, batch) in batches.enumerated().dropFirst(begin) {
            let answer = run(loaded, batch)
            #expect(isSame(answer, expected[number]), "batch \(number), loaded", sourceLocation: sourceLocation)
        }
    }

    private func run(_ bench: ShardsBench, _ batch: Batch) -> ShardsBench.Answer {
        var random = SeededRandom(seed: batch.rows.count)
        return bench.run([ShardsBench.Entry(table: batch.table, rows: batch.rows, mode: batch.mode)], random: &random)[0]
    }

    private func isSame(_ one: ShardsBench.Answer, _ other: ShardsBench.Answer) -> Bool {
        one.statuses == other.statuses
            && zip(one.views, other.views).allSatisfy { one, other in
                one.rows.count == other.rows.count
                    && zip(one.rows, other.rows).allSatisfy { one, other in
                        one.row == other.row && zip(one.cells, other.cells).allSatisfy { $0.bits == $1.bits }
                    }
            }
    }

    @Test(arguments: [(1, 1), (1, 3), (2, 1), (2, 3), (4, 1), (4, 3)], [1, Bounds.imageBlockBytes])
    func `every aggregate over few and many rows goes on to the last bit`(counts: (Int, Int), blockBytes: Int) throws {
        let (shards, loaders) = counts
        var random = SeededRandom(seed: shards * 10 + loaders)
        var time: Int64 = 0
        let batches = (0..<14).map { number in
            Batch(
                rows: Self.rows(number % 4 == 3 ? 200 : 40, from: &time, keys: number < 8 ? 4 : 40, &random),
                mode: number % 5 == 4 ? .evaluate : number % 5 == 2 ? .ingest : .compute)
        }
        try check(
            Self.definitions(Self.everything()), batches, begin: 6, abandoned: 4, shards: shards, loaders: loaders,
            blockBytes: blockBytes)
    }

    @Test(arguments: [7, 90, 1_000])
    func `keys that idle_after forgets in mid-image start anew after it`(idleAfter: Int) throws {
        var random = SeededRandom(seed: idleAfter)
        var time: Int64 = 0
        var batches: [Batch] = []
        for number in 0..<16 {
            if number % 4 == 3 { time += Int64(idleAfter) + 50 }
            batches.append(
                Batch(rows: Self.rows(30, from: &time, keys: 20, &random), mode: number % 3 == 2 ? .evaluate : .compute))
        }
        try check(
            Self.definitions(Self.everything(idleAfter: "\(idleAfter)")), batches, begin: 5, shards: 2, loaders: 3, visits: 1,
            blockBytes: 1)
    }

    // MARK: Keys with many rows

    private static let hot = """
        CREATE TABLE events (ts bigint NOT NULL, key bigint, x double precision, word text) WITH (event_time = ts, lateness = 500);
        CREATE VIEW v AS SELECT ts, sum(x) OVER w AS s, stddev(x) OVER w AS d, median(x) OVER w AS m, max(word) OVER w AS g,
          count(DISTINCT word) OVER w AS c, sum(x) OVER u AS t, count(DISTINCT x) OVER u AS e FROM events
        WINDOW w AS (PARTITION BY key ORDER BY ts RANGE 30000 PRECEDING), u AS (PARTITION BY key ORDER BY ts);
        CREATE VIEW plain AS SELECT ts, sum(x) OVER w AS s, count(*) OVER w AS c, avg(x) OVER w AS a FROM events
        WINDOW w AS (PARTITION BY key + 1 ORDER BY ts RANGE 9000 PRECEDING);
        """

    /// Rows of two keys that come in order but for some late ones.
    private static func hotRows(_ batch: Int, _ count: Int, from start: Int, _ random: inout SeededRandom) -> [[Scalar]] {
        (0..<count).map { number in
            let time = start + number - (random.chance(3) ? Int.random(in: 0...600, using: &random) : 0)
            return [
                .integer(Int64(time)), .integer(Int64(number % 7 / 6)), .double(Double.random(in: -1e6...1e6, using: &random)),
                .text("word \(number * batch % 701)"),
            ]
        }
    }

    @Test(arguments: [1, 2], [1, 1_000, Bounds.imageBlockBytes])
    func `keys of many thousand rows go on while they are written`(loaders: Int, blockBytes: Int) throws {
        var random = SeededRandom(seed: 3)
        let batches = (0..<14).map { batch in
            Batch(
                rows: Self.hotRows(
                    batch, batch < 10 ? 2_000 : 100, from: min(batch, 10) * 2_000 + max(0, batch - 10) * 100, &random),
                mode: batch == 12 ? .evaluate : batch == 10 ? .ingest : .compute)
        }
        try check(
            Self.definitions(Self.hot), batches, begin: 9, abandoned: 8, shards: 1, loaders: loaders, visits: 1,
            blockBytes: blockBytes)
    }

    @Test(arguments: [1, 2])
    func `full logs give up no row that is still to be written`(loaders: Int) throws {
        let definitions = try Self.definitions(
            """
            CREATE TABLE events (ts bigint NOT NULL, key bigint NOT NULL, x double precision NOT NULL) WITH (event_time = ts);
            CREATE VIEW v AS SELECT ts, sum(x) OVER w AS s, count(*) OVER w AS c, max(x) OVER w AS m FROM events
            WINDOW w AS (PARTITION BY key ORDER BY ts RANGE 200 PRECEDING);
            """)
        var random = SeededRandom(seed: 5)
        // In order, a hundred rows a key in the window: nothing but its log's room has a key give rows up.
        let batches = (0..<20).map { batch in
            Batch(
                rows: (0..<60).map {
                    [
                        .integer(Int64(batch * 60 + $0)), .integer(Int64($0 % 2)),
                        .double(Double.random(in: -1...1, using: &random)),
                    ]
                })
        }
        for begin in 8..<14 {
            try check(definitions, batches, begin: begin, shards: 1, loaders: loaders, visits: 1, blockBytes: 1)
        }
    }

    @Test(arguments: [1, 2])
    func `a key that is forgotten while it is written is in the image as it was`(loaders: Int) throws {
        var random = SeededRandom(seed: 4)
        var batches = (0..<4).map { Batch(rows: Self.hotRows($0, 2_000, from: $0 * 2_000, &random)) }
        // Far behind all windows: for one of the keys, then for both.
        for time in [8_000, 100_000, 200_000] {
            batches.append(Batch(rows: [[.integer(Int64(time)), .integer(0), .double(1), .text("a")]]))
        }
        batches.append(Batch(rows: Self.hotRows(9, 50, from: 200_100, &random)))
        try check(
            Self.definitions(Self.hot), batches, begin: 4, shards: 1, loaders: loaders, visits: 1, blockBytes: 1_000)
    }

    @Test func `no step writes more of a key than a block, its first use least of all`() throws {
        let definitions = try Self.definitions(
            """
            CREATE TABLE events (ts bigint NOT NULL, x bigint NOT NULL) WITH (event_time = ts);
            CREATE VIEW v AS SELECT ts, sum(x) OVER w AS s, max(x) OVER w AS m, count(DISTINCT x) OVER u AS c FROM events
            WINDOW w AS (ORDER BY ts RANGE 40000 PRECEDING), u AS (ORDER BY ts);
            """)
        let bench = try ShardsBench(definitions, shardCount: 1)
        func rows(_ range: Range<Int>) -> Batch { Batch(rows: range.map { [.integer(Int64($0)), .integer(Int64($0))] }) }
        // 40,000 rows in one log, and 60,000 values of rows given up.
        for batch in 0..<10 { _ = run(bench, rows(batch * 10_000..<batch * 10_000 + 10_000)) }
        bench.beginImage(blockBytes: 16 << 10)
        var pieces: [[ImagePiece]] = [[]]
        var written = bench.shard(0) { $0.imageBytes }
        var (longest, steps) = (0, 0)
        func step(_ body: () -> Void) {
            let before = bench.shard(0) { $0.imageBytes }
            body()
            let more = bench.shard(0) { $0.imageBytes } - before
            (longest, steps, written) = (max(longest, more), steps + 1, written + more)
        }
        // The first use, and those that have rows given up.
        for number in 0..<20 { step { _ = run(bench, rows(100_000 + number..<100_001 + number)) } }
        #expect(longest < 64 << 10)
        while bench.shard(0, { $0.isImaging }) { step { bench.takeImageOnly(visits: 1) } }
        #expect(longest < 64 << 10 && written > 800_000 && steps > 50)
        bench.takeImage(visits: 1, into: &pieces)
        let loaded = try ShardsBench(definitions, shardCount: 1)
        try loaded.load(pieces[0])
        for number in 0..<20 { _ = run(loaded, rows(100_000 + number..<100_001 + number)) }
        #expect(isSame(run(loaded, rows(100_020..<100_100)), run(bench, rows(100_020..<100_100))))
    }

    private static let joined = """
        CREATE TABLE shop (id bigint PRIMARY KEY, name text, rate numeric(10,4), flag boolean);
        CREATE TABLE quote (at bigint NOT NULL, word text, price double precision, note text);
        CREATE TABLE pay (ts bigint NOT NULL, shop bigint, word text, amount bigint) WITH (event_time = ts, lateness = 30);
        CREATE VIEW v AS SELECT p.ts, s.name, s.rate, s.flag, q.price, q.note, upper(s.name) AS big,
          sum(p.amount) OVER (PARTITION BY s.name ORDER BY p.ts RANGE 50 PRECEDING) AS total
          FROM pay p LEFT JOIN shop s ON s.id = p.shop
          LEFT JOIN LATERAL (SELECT price, note FROM quote WHERE quote.word = p.word AND quote.at <= p.ts ORDER BY quote.at DESC LIMIT 1)
            q ON TRUE;
        """

    @Test(arguments: [1, 2, 4], [1, 2, 3])
    func `joined rows and their history go on, replaced ones as they were at the mark`(shards: Int, loaders: Int) throws {
        var random = SeededRandom(seed: shards * 7 + loaders)
        var batches: [Batch] = []
        for number in 0..<30 {
            let now = Int64(number * 10)
            func null(_ value: Scalar) -> Scalar { random.chance(15) ? .null : value }
            switch number % 3 {
            case 0:
                batches.append(
                    Batch(
                        table: 0,
                        rows: (0..<12).map { _ in
                            let id = Int64.random(in: 0..<60, using: &random)
                            return [
                                .integer(id), null(.text("shop \(id % 5) of \(number)")), null(.decimal(Int128(id * 31))),
                                null(.boolean(id % 2 == 0)),
                            ]
                        }))
            case 1:
                batches.append(
                    Batch(
                        table: 1,
                        rows: (0..<20).map { _ in
                            let word = Int64.random(in: 0..<15, using: &random)
                            return [
                                .integer(now - Int64.random(in: 0...40, using: &random)), .text("w\(word)"),
                                null(.double(Double.random(in: 0...1, using: &random))), null(.text("note \(number)")),
                            ]
                        }))
            default:
                batches.append(
                    Batch(
                        table: 2,
                        rows: (0..<25).map { _ in
                            [
                                .integer(now - Int64.random(in: 0...30, using: &random)),
                                null(.integer(Int64.random(in: 0..<60, using: &random))),
                                null(.text("w\(Int64.random(in: 0..<15, using: &random))")), .integer(Int64(number)),
                            ]
                        }, mode: number % 9 == 8 ? .evaluate : .compute))
            }
        }
        try check(Self.definitions(Self.joined), batches, begin: 13, shards: shards, loaders: loaders)
    }

    // MARK: While definitions change

    @Test(arguments: [1, 2]) func `an image begun while keys still have a change to make has them behind it`(shards: Int) throws {
        let before = """
            CREATE TABLE pay (ts bigint NOT NULL, card bigint NOT NULL, amount bigint, price double precision) WITH (lateness = 10);
            CREATE VIEW a AS SELECT ts, sum(amount) OVER w AS s FROM pay WINDOW w AS (PARTITION BY card ORDER BY ts RANGE 500 PRECEDING);
            """
        let after = before.replacing("AS s FROM", with: "AS s, min(amount) OVER w AS m, avg(amount) OVER w AS v FROM")
        func rows(_ number: Int) -> Batch {
            Batch(
                rows: (0..<50).map {
                    [.integer(Int64(number * 20 + $0 / 3)), .integer(Int64(($0 * 7 + number) % 90)), .integer(Int64($0)), .null]
                })
        }
        let (straight, taken) = (
            try ShardsBench(Self.definitions(before), shardCount: shards),
            try ShardsBench(Self.definitions(before), shardCount: shards)
        )
        for number in 0..<6 { _ = (run(straight, rows(number)), run(taken, rows(number))) }
        for bench in [straight, taken] { try bench.change(to: Self.definitions(after)) }
        #expect(taken.shard(0) { $0.isChanging })
        taken.beginImage()
        var pieces: [[ImagePiece]] = Array(repeating: [], count: shards)
        var expected: [ShardsBench.Answer] = []
        for number in 6..<12 {
            expected.append(run(straight, rows(number)))
            #expect(isSame(run(taken, rows(number)), expected[number - 6]))
            taken.takeImage(visits: 2, into: &pieces)
        }
        taken.finishImage(into: &pieces)
        #expect(!taken.shard(0) { $0.isChanging })
        let loaded = ShardsBench(taken.plan, shardCount: 3)
        try loaded.load(pieces.flatMap { $0 })
        for number in 6..<12 { #expect(isSame(run(loaded, rows(number)), expected[number - 6])) }
    }

    @Test func `a change of definitions abandons an image, and the next one is whole`() throws {
        let before = """
            CREATE TABLE pay (ts bigint NOT NULL, card bigint NOT NULL, amount bigint);
            CREATE VIEW a AS SELECT ts, sum(amount) OVER w AS s FROM pay WINDOW w AS (PARTITION BY card ORDER BY ts RANGE 500 PRECEDING);
            """
        let after = before.replacing("AS s FROM", with: "AS s, min(amount) OVER w AS m FROM")
        let bench = try ShardsBench(Self.definitions(before), shardCount: 1)
        func rows(_ number: Int) -> Batch {
            Batch(rows: (0..<40).map { [.integer(Int64(number * 20)), .integer(Int64($0)), .integer(Int64($0 + number))] })
        }
        for number in 0..<3 { _ = run(bench, rows(number)) }
        bench.beginImage()
        try bench.change(to: Self.definitions(after))
        #expect(bench.shard(0) { $0.imageProgress } == .abandoned(.definitionsChanged))
        bench.beginImage()
        var pieces: [[ImagePiece]] = [[]]
        bench.finishImage(into: &pieces)
        let loaded = ShardsBench(bench.plan, shardCount: 2)
        try loaded.load(pieces[0])
        for number in 3..<6 { #expect(isSame(run(loaded, rows(number)), run(bench, rows(number)))) }
        bench.finishChange()
        #expect(!bench.shard(0) { $0.isChanging })
    }

    // MARK: Bounds

    @Test func `an image that nobody drains pauses, and is abandoned when keys are used; state goes on`() throws {
        let definitions = try Self.definitions(
            """
            CREATE TABLE pay (ts bigint NOT NULL, card bigint NOT NULL, word text);
            CREATE VIEW a AS SELECT ts, count(*) OVER w AS n, max(word) OVER w AS m FROM pay
            WINDOW w AS (PARTITION BY card ORDER BY ts RANGE 500 PRECEDING);
            """)
        let (bench, straight) = (try ShardsBench(definitions, shardCount: 1), try ShardsBench(definitions, shardCount: 1))
        let word = String(repeating: "w", count: 500)
        func rows(_ number: Int) -> Batch {
            Batch(rows: (0..<4_000).map { [.integer(Int64(number)), .integer(Int64($0)), .text("\($0) \(word)")] })
        }
        for bench in [bench, straight] { _ = run(bench, rows(0)) }
        bench.beginImage(waitingBytesMax: 1 << 20)
        for _ in 0..<100 { bench.takeImageOnly(visits: 500) }
        #expect(bench.shard(0) { $0.imageProgress } == .taking)
        let waiting = bench.shard(0) { $0.imageBytes }
        #expect(waiting > 1 << 19 && waiting < 2 << 20)
        #expect(isSame(run(bench, rows(1)), run(straight, rows(1))))
        guard case .abandoned(.tooMuchWaits) = bench.shard(0, { $0.imageProgress }) else {
            Issue.record("4 MB of keys were used, and 1 MB may wait")
            return
        }
        #expect(bench.shard(0) { $0.imageBytes } == 0)
        var pieces: [[ImagePiece]] = [[]]
        bench.beginImage()
        bench.finishImage(into: &pieces)
        let loaded = try ShardsBench(definitions, shardCount: 1)
        try loaded.load(pieces[0])
        #expect(isSame(run(loaded, rows(2)), run(straight, rows(2))))
    }

    @Test func `hundreds of abandoned images leave the next one whole`() throws {
        let definitions = try Self.definitions(Self.joined)
        let bench = try ShardsBench(definitions, shardCount: 1)
        let shops = Batch(table: 0, rows: (0..<300).map { [.integer(Int64($0)), .text("s\($0)"), .null, .null] })
        let pays = Batch(table: 2, rows: (0..<300).map { [.integer(1), .integer(Int64($0)), .null, .integer(1)] })
        for batch in [shops, pays] { _ = run(bench, batch) }
        var refused = 0
        for number in 0..<600 {
            if !bench.beginImage() { refused += 1 }
            if number % 3 == 0 { bench.takeImageOnly(visits: 5) }
            bench.abandonImage()
            if number % 7 == 0 { bench.carryOn(visits: 10) }
        }
        #expect(refused < 600)
        bench.finishChange()
        var pieces: [[ImagePiece]] = [[]]
        #expect(bench.beginImage())
        bench.finishImage(into: &pieces)
        let loaded = try ShardsBench(definitions, shardCount: 2)
        try loaded.load(pieces[0])
        #expect(isSame(run(loaded, pays), run(bench, pays)))
    }

    @Test(arguments: [1, 3]) func `marks of admission go on by the shards that they name`(loaders: Int) throws {
        let definitions = try Self.definitions(
            """
            CREATE TABLE pay (ts bigint NOT NULL, card bigint NOT NULL);
            CREATE VIEW a AS SELECT ts, count(*) OVER (PARTITION BY card ORDER BY ts RANGE 500 PRECEDING) AS n FROM pay;
            """)
        let bench = try ShardsBench(definitions, shardCount: 2)
        func rows(_ time: Int, _ cards: Range<Int>) -> Batch {
            Batch(rows: cards.map { [.integer(Int64(time)), .integer(Int64($0))] })
        }
        _ = run(bench, rows(0, 0..<100))
        bench.admit(newKeys: false, of: 1)
        bench.beginImage()
        var pieces: [[ImagePiece]] = [[], []]
        bench.finishImage(into: &pieces)
        let loaded = try ShardsBench(definitions, shardCount: loaders)
        try loaded.load(pieces.flatMap { $0 })
        let answer = run(bench, rows(1, 50..<300))
        #expect(answer.statuses.contains(.refused))
        #expect(isSame(run(loaded, rows(1, 50..<300)), answer))
    }
}

extension Scalar {
    /// Doubles by their bits; NaN is NaN.
    var bits: Scalar {
        if case .double(let value) = self { return value.isNaN ? .text("NaN") : .decimal(Int128(value.bitPattern)) }
        if case .array(let values) = self { return .array(values.map(\.bits)) }
        return self
    }
}
