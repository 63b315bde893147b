import Testing
import Values
import Wire

@testable import Runtime

/// A subscriber's predicate.
@Suite struct `A predicate` {
    private static let fields = [
        Field(name: "payments_10m", type: .bigint), Field(name: "Odd \"name\"", type: .text),
        Field(name: "at", type: .timestamptz), Field(name: "price", type: .numeric(precision: 10, scale: 2)),
        Field(name: "merchants", type: .array(ElementType(.text)!)),
    ]

    private func refusal(of text: String) -> String {
        let error = #expect(throws: ErrorMessage.self) {
            try RowPredicate.compile(text, view: "card_risk", columns: Self.fields, timeZone: "UTC")
        }
        #expect(error?.code == "bad_request")
        return error?.message ?? ""
    }

    @Test(arguments: [
        "payments_10m > 20", "\"Odd \"\"name\"\"\" LIKE 'a%' -- the end", "at > '2026-03-01' AND price BETWEEN 1 AND 2.5",
        "card_risk.payments_10m IN (1, 2, 3)", "CASE WHEN price IS NULL THEN true ELSE price > 3 END",
        "extract(hour FROM at) < 6",
    ])
    func `is any expression over the view's columns`(text: String) throws {
        _ = try RowPredicate.compile(text, view: "card_risk", columns: Self.fields, timeZone: "UTC")
    }

    @Test func `is the same however it is written`() throws {
        let texts = ["payments_10m > 20 AND price < 5", "  (payments_10m>20)\nand card_risk.price<5.0"]
        let relations = try texts.map {
            try RowPredicate.compile($0, view: "card_risk", columns: Self.fields, timeZone: "UTC").relation
        }
        #expect(Set(relations.prefix(1)).count == 1)
        #expect(
            try RowPredicate.compile("payments_10m > 20", view: "card_risk", columns: Self.fields, timeZone: "UTC").relation
                == RowPredicate.compile("(card_risk.payments_10m>20)", view: "card_risk", columns: Self.fields, timeZone: "UTC")
                .relation)
    }

    @Test func `is refused with the place of what is wrong in the subscriber's own text`() {
        let message = refusal(of: "payments_10m > 20 AND\n  payment_10m < 3")
        #expect(message.contains("where:2:3: error:") && message.contains("payments_10m"), "\(message)")
        #expect(message.contains("\n    payment_10m < 3\n    ^^^^^^^^^^^\n"), "\(message)")
        let open = refusal(of: "payments_10m >")
        #expect(open.contains("where:1:15: error:"), "\(open)")
    }

    @Test(
        arguments: [
            ("count(*) > 3", "count"), ("count(*) OVER () > 3", "window"), ("payments_10m IN (SELECT 1)", ""),
            ("EXISTS (SELECT * FROM card_risk)", ""), ("true) UNION ALL SELECT * FROM card_risk WHERE (true", ""),
            ("true); CREATE TABLE t (a int", ""), ("true) ORDER BY (at", ""), ("payments_10m", ""), ("", ""),
            ("merchants IS NULL", ""),
            ("lag(price) OVER (ORDER BY at) > 1", ""), ("true) AND (true", nil), ("true) LIMIT (1", ""),
        ] as [(String, String?)])
    func `is nothing but an expression over one row`(text: String, quoted: String?) {
        guard let quoted else {
            #expect(throws: Never.self) {
                try RowPredicate.compile(text, view: "card_risk", columns: Self.fields, timeZone: "UTC")
            }
            return
        }
        #expect(refusal(of: text).contains(quoted))
    }

    @Test func `has a bound`() {
        #expect(refusal(of: String(repeating: "true AND ", count: 10_000) + "true").contains("bytes"))
    }
}
