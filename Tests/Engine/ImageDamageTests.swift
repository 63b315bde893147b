import Bytes
import Foundation
import Language
import Plan
import Testing
import Values

@testable import Engine

/// Pieces that are cut, flipped or of something else throw, or load as something else; they never trap. A file's checksums find
/// such damage before; here they are not there. `MILLRACE_CASES=n` flips that many times.
@Suite struct ImageDamageTests {
    private static let text = """
        CREATE TABLE shop (id bigint PRIMARY KEY, name text, rate numeric(10,4));
        CREATE TABLE quote (at bigint NOT NULL, word text, price double precision);
        CREATE TABLE pay (ts bigint NOT NULL, card bigint, name text, n bigint, x double precision, p numeric(12,2), flag boolean,
          word text) WITH (event_time = ts, lateness = 20);
        CREATE VIEW a AS SELECT ts, sum(x) OVER w AS a, count(n) OVER w AS b, sum(n) OVER w AS c, max(word) OVER w AS d,
          stddev(x) OVER w AS e, count(DISTINCT word) OVER w AS f, sum(p) OVER w AS g, bool_or(flag) OVER w AS h,
          first_value(word IGNORE NULLS) OVER u AS i, nth_value(word, 2) IGNORE NULLS OVER u AS j, max(word) OVER u AS k,
          count(DISTINCT word) OVER u AS l, arg_max(word, n) OVER u AS m, sum(x) OVER u AS o, count(DISTINCT n) OVER u AS q,
          lag(word, 3) IGNORE NULLS OVER (PARTITION BY card ORDER BY ts) AS r, dense_rank() OVER (PARTITION BY card ORDER BY ts) AS s,
          mode(n) OVER w AS t, median(x) OVER w AS v, string_agg(word, ',') OVER r AS y, min(flag::integer) OVER u AS z
          FROM pay WINDOW w AS (PARTITION BY card ORDER BY ts RANGE 40 PRECEDING), u AS (PARTITION BY card ORDER BY ts),
            r AS (PARTITION BY name, card ORDER BY ts, word ROWS 6 PRECEDING);
        CREATE VIEW b AS SELECT p.ts, s.name, s.rate, q.price FROM pay p LEFT JOIN shop s ON s.id = p.card
          LEFT JOIN LATERAL (SELECT price FROM quote WHERE quote.word = p.word AND quote.at <= p.ts ORDER BY quote.at DESC LIMIT 1) q
            ON TRUE;
        """

    private static let plan: Result<CompiledPlan, Error> = Result {
        let (definitions, diagnostics) = Compiler.compile([SourceText(name: "t.sql", text: text)])
        return try CompiledPlan(Planner.plan(try #require(definitions, "\(diagnostics)")))
    }

    private func pays(_ batch: Int, _ count: Int = 40) -> [[Scalar]] {
        (0..<count).map { number in
            let value = Int64((number * 37 + batch * 11) % 23)
            return [
                .integer(Int64(batch * 12 + number / 4)), value == 3 ? .null : .integer(value % 4), .text("name \(value % 2)"),
                value % 5 == 0 ? .null : .integer(value), value % 6 == 0 ? .null : .double(Double(value) * 0.3),
                .decimal(Int128(value)), value % 7 == 0 ? .null : .boolean(value % 2 == 0),
                value % 4 == 0 ? .null : .text("word \(value)"),
            ]
        }
    }

    private func run(_ bench: ShardsBench, _ table: Int, _ rows: [[Scalar]], _ mode: BatchMode = .compute) {
        var random = SeededRandom(seed: 1)
        _ = bench.run([ShardsBench.Entry(table: table, rows: rows, mode: mode)], random: &random)
    }

    private func pieces() throws -> [[UInt8]] {
        let bench = ShardsBench(try Self.plan.get(), shardCount: 1)
        run(bench, 0, (0..<5).map { [.integer(Int64($0)), .text("shop \($0)"), $0 == 2 ? .null : .decimal(Int128($0))] })
        run(bench, 1, (0..<9).map { [.integer(Int64($0 * 3)), .text("word \($0 % 3)"), .double(0.5)] })
        for batch in 0..<6 { run(bench, 2, pays(batch)) }
        bench.beginImage()
        var pieces: [[ImagePiece]] = [[]]
        bench.finishImage(into: &pieces)
        return pieces[0].map { Array($0.bytes) }
    }

    /// Loads pieces into fresh shards; nil, or what was wrong. What loads is used.
    private func load(_ pieces: [[UInt8]], shardCount: Int = 1) throws -> ImageError? {
        let bench = ShardsBench(try Self.plan.get(), shardCount: shardCount)
        do {
            try bench.load(bytes: pieces)
        } catch let error as ImageError {
            #expect(!error.reason.isEmpty && !error.description(in: bench.plan.plan).isEmpty)
            return error
        }
        for (batch, mode) in [(6, BatchMode.evaluate), (6, .compute), (30, .compute), (31, .ingest)] {
            run(bench, 2, pays(batch, 12), mode)
        }
        _ = bench.lookUp(table: 2, keys: [(1, (0..<4).map { .integer($0) })], times: [500, 500, 500, 500])
        return nil
    }

    @Test func `whole pieces load in any order, and say so when one is missing, twice there or of another shard`() throws {
        let pieces = try pieces()
        #expect(pieces.count >= 6, "a beginning, states, tables and an end")
        #expect(try load(pieces) == nil)
        #expect(try load(pieces.reversed(), shardCount: 2) == nil)
        for number in pieces.indices {
            var some = pieces
            some.remove(at: number)
            #expect(try load(some) != nil, "piece \(number) is missing")
            #expect(try load(pieces + [pieces[number]]) != nil, "piece \(number) is there twice")
            some = pieces
            some[number][5] = 1
            some[number][6] = 2
            #expect(try load(some) != nil, "piece \(number) is of another shard")
        }
        #expect(try load([]) != nil)
    }

    @Test func `pieces cut at any byte throw, whatever their header says`() throws {
        let pieces = try pieces()
        for number in pieces.indices {
            for count in 0..<pieces[number].count {
                var cut = pieces
                cut[number].removeLast(cut[number].count - count)
                #expect(try load(cut) != nil)
                guard count >= 32 else { continue }
                withUnsafeBytes(of: UInt64(count - 32)) { cut[number].replaceSubrange(24..<32, with: $0) }
                #expect(try load(cut) != nil)
            }
        }
    }

    @Test func `pieces with flipped bits throw or load`() throws {
        let pieces = try pieces()
        let cases = ProcessInfo.processInfo.environment["MILLRACE_CASES"].flatMap { Int($0) } ?? 3_000
        var (thrown, loaded) = (0, 0)
        for seed in 0..<cases {
            var random = SeededRandom(seed: seed)
            var damaged = pieces
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let number = Int.random(in: damaged.indices, using: &random)
                let byte = Int.random(in: damaged[number].indices, using: &random)
                if random.chance(50) {
                    damaged[number][byte] ^= 1 << UInt8.random(in: 0...7, using: &random)
                } else {
                    damaged[number][byte] = [0, 0xFF, 0x80, 0x7F, 1].randomElement(using: &random)!
                }
            }
            if try load(damaged, shardCount: Int.random(in: 1...2, using: &random)) == nil { loaded += 1 } else { thrown += 1 }
        }
        #expect(thrown > cases / 10 && loaded > cases / 10)
    }

    @Test func `pieces of other definitions and other formats are refused by name`() throws {
        let pieces = try pieces()
        let other = Self.text.replacing("x double precision", with: "x real").replacing("rate numeric(10,4)", with: "rate bigint")
        let bench = try ShardsBench(
            try #require(Compiler.compile([SourceText(name: "t.sql", text: other)]).0), shardCount: 1)
        var refused: Set<String> = []
        for (number, piece) in pieces.enumerated() {
            do {
                try bench.load(bytes: [piece], isWhole: false)
            } catch let error as ImageError {
                refused.insert(error.description(in: bench.plan.plan))
                #expect(error.piece == 0, "\(number)")
            }
        }
        #expect(refused.contains { $0.contains("(pay by card)") && $0.contains("other definitions") }, "\(refused)")
        #expect(refused.contains { $0.contains("(join table shop)") }, "\(refused)")
        var later = pieces
        later[1][0] += 1
        #expect(try load(later)?.reason.contains("version 2") == true)
    }

    @Test func `an image larger than the memory bound throws`() throws {
        let large = ShardsBench(try Self.plan.get(), shardCount: 1)
        for batch in 0..<10 {
            run(
                large, 2,
                (0..<1_000).map {
                    [
                        .integer(Int64(batch)), .integer(Int64(batch * 1_000 + $0)), .null, .null, .null, .null, .null,
                        .text("a word of some bytes \($0)"),
                    ]
                })
        }
        large.beginImage()
        var pieces: [[ImagePiece]] = [[]]
        large.finishImage(into: &pieces)
        let small = ShardsBench(try Self.plan.get(), shardCount: 1, memoryBytesMax: 1 << 20)
        #expect { try small.load(pieces[0]) } throws: { ($0 as? ImageError)?.reason.contains("memory") == true }
    }
}
