import Testing

@testable import Language

/// A generator of random numbers from a seed (SplitMix64, Steele, Lea and Flood 2014).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// One random change to a text: what a slip of the hand or a broken file would do, and worse.
enum Mutation: CaseIterable {
    case deleteToken, repeatToken, swapTokens, insertToken, flipByte, truncate, nest, repeatSlice

    func apply(to text: [UInt8], tokens: [Range<Int>], using random: inout SeededGenerator) -> [UInt8] {
        guard let token = tokens.randomElement(using: &random), let other = tokens.randomElement(using: &random) else {
            return text
        }
        var text = text
        switch self {
        case .deleteToken: text.removeSubrange(token)
        case .repeatToken: text.insert(contentsOf: [32] + text[token] + [32], at: token.upperBound)
        case .swapTokens:
            let (first, second) = token.lowerBound < other.lowerBound ? (token, other) : (other, token)
            guard first.upperBound <= second.lowerBound else { return text }
            let (left, right) = (Array(text[first]), Array(text[second]))
            text.replaceSubrange(second, with: left)
            text.replaceSubrange(first, with: right)
        case .insertToken:
            let words = [
                "OVER", "(", ")", ",", "::", "NULL", "'", "\"", "--", "/*", "CASE", "ROWS", "INTERVAL '1 day'", "*", "ASOF",
                "JOIN", "LATERAL", "QUALIFY", "IGNORE NULLS", "UNION ALL", "USING (a)", "LIMIT 1", "-", "NOT",
                "$1", "ORDER BY", "AS", ";", "\u{1F600}", "[1]", "IN (1)", "FILTER (WHERE true)",
            ]
            text.insert(contentsOf: Array((" " + words.randomElement(using: &random)! + " ").utf8), at: token.lowerBound)
        case .flipByte: text[token.lowerBound] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &random)
        case .truncate: text.removeSubrange(token.lowerBound...)
        case .nest:
            let depth = Int.random(in: 1...700, using: &random)
            let pair = [
                ("(", ")"), ("abs(", ")"), ("CASE WHEN true THEN ", " END"), ("- ", ""), ("", "::text"), ("NOT ", ""),
                ("1 + ", ""),
            ].randomElement(using: &random)!
            text.insert(contentsOf: Array(String(repeating: pair.1, count: depth).utf8), at: token.upperBound)
            text.insert(contentsOf: Array(String(repeating: pair.0, count: depth).utf8), at: token.lowerBound)
        case .repeatSlice:
            let slice = min(token.lowerBound, other.lowerBound)..<max(token.upperBound, other.upperBound)
            text.insert(contentsOf: [32] + text[slice].prefix(4_000), at: slice.upperBound)
        }
        return text
    }
}

@Suite struct `Mutations of valid definitions` {
    static let originals: [String] = {
        let expressions = `Types of expressions`.types.map(\.0)
        let chunks = stride(from: 0, to: expressions.count, by: 12).map { first in
            let outputs = expressions[first..<min(first + 12, expressions.count)].enumerated().map { "\($1) AS x\($0)" }
            return
                "\(Compiled.table)\nSELECT \(outputs.joined(separator: ",\n  "))\nFROM t WINDOW w AS (PARTITION BY i ORDER BY ts);"
        }
        let several = """
            SET TimeZone = 'Europe/Berlin';
            CREATE TABLE pay (ts timestamptz NOT NULL, card bigint, shop text, amount numeric(12,2), ok boolean, PRIMARY KEY (card)) WITH (event_time = ts, lateness = '5 minutes');
            CREATE VIEW risk AS WITH base AS (SELECT *, date_trunc('day', ts) AS day FROM pay WHERE ok IS NOT FALSE)
            SELECT ts, card, count(*) FILTER (WHERE ok) OVER h AS n_h, sum(amount) OVER (c ROWS BETWEEN 9 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW) AS s_10,
              extract(epoch FROM ts - lag(ts, 1) OVER c) AS gap, CASE WHEN amount > 100 THEN 'big' ELSE lower(shop) || '?' END AS kind
            FROM base b WINDOW c AS (PARTITION BY card ORDER BY ts), h AS (c RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW);
            SELECT f.card, n_h / NULLIF(s_10, 0) AS rate FROM (SELECT * FROM risk) f WHERE n_h BETWEEN 2 AND 20 AND kind LIKE 'b%';
            """
        let joined = """
            CREATE TABLE pay (ts timestamptz NOT NULL, card bigint, shop text, amount numeric(12,2));
            CREATE TABLE shops (shop text PRIMARY KEY, risk integer);
            CREATE TABLE rates (shop text, since timestamptz NOT NULL, rate double precision);
            CREATE TABLE logins (at timestamptz NOT NULL, card bigint, ok boolean);
            CREATE VIEW merged AS SELECT ts, card, 0 AS kind, NULL AS ok FROM pay UNION ALL (SELECT at, card, 1, ok FROM logins);
            CREATE VIEW rated AS SELECT p.*, r.rate, x.since, (SELECT risk FROM shops s WHERE s.shop = p.shop) AS risk
            FROM pay p ASOF LEFT JOIN rates r ON p.shop = r.shop AND p.ts >= r.since
              LEFT JOIN LATERAL (SELECT since FROM rates h WHERE h.shop = p.shop AND h.since < p.ts ORDER BY h.since DESC LIMIT 1) x ON TRUE
              LEFT JOIN shops z ON z.shop = p.shop WHERE EXISTS (SELECT 1 FROM shops t WHERE t.shop = p.shop);
            SELECT card, lag(kind IGNORE NULLS) OVER w AS before, last_value(ok) IGNORE NULLS OVER w AS was, median(kind) OVER w AS m,
              percentile_disc(0.9) WITHIN GROUP (ORDER BY kind) FILTER (WHERE ok) OVER w AS p90, decayed_sum(kind, INTERVAL '1 hour') OVER w AS d,
              string_agg(kind::text, ',') OVER (PARTITION BY card ORDER BY ts GROUPS 3 PRECEDING EXCLUDE TIES) AS s
            FROM merged WINDOW w AS (PARTITION BY card ORDER BY ts) QUALIFY m > 0;
            """
        return chunks + Array(repeating: several, count: chunks.count) + Array(repeating: joined, count: chunks.count)
    }()

    @Test func `begin at definitions that compile`() {
        for text in Set(Self.originals) {
            let sources = [SourceText(name: "original.sql", text: text)]
            let (definitions, diagnostics) = Compiler.compile(sources)
            #expect(definitions != nil, "\(diagnostics.map { $0.rendered(sources: sources) }.joined())")
        }
    }

    /// `seed` of one run of 1,250 mutations; eight of them are 10,000. To repeat one alone: `--filter 'Mutations'` and the
    /// seed in this list.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64]) func `neither crash nor hang`(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        for _ in 0..<1_250 {
            let original = Array(Self.originals.randomElement(using: &random)!.utf8)
            var text = original
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let tokens = Tokens(text.filter { $0 != 0 }).list.map { Int($0.start)..<Int($0.end) }
                text = Mutation.allCases.randomElement(using: &random)!.apply(
                    to: text.filter { $0 != 0 }, tokens: tokens, using: &random)
            }
            let sources = [SourceText(name: "mutation.sql", text: String(decoding: text, as: UTF8.self))]
            let (definitions, diagnostics) = Compiler.compile(sources)
            #expect(definitions != nil || diagnostics.contains { $0.severity == .error }, "seed \(seed)")
            for diagnostic in diagnostics {
                #expect(diagnostic.rendered(sources: sources).utf8.count < 4_000, "seed \(seed)")
            }
        }
    }
}
