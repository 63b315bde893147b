import Testing
import Values

@testable import Millrace

private let payments = [
    Field(name: "ts", type: .timestamptz, isNullable: false),
    Field(name: "card_id", type: .bigint, isNullable: false),
    Field(name: "amount", type: .double),
    Field(name: "shop", type: .text),
    Field(name: "fee", type: .numeric(precision: 6, scale: 2)),
    Field(name: "declined", type: .boolean, isNullable: false),
]

private struct Purchase: Codable, Equatable {
    enum Shop: String, Codable { case bakery, garage }
    var ts: Timestamp
    var cardId: Int
    var amount: Double?
    var shop: Shop?
    var fee: Int?
    var declined: Bool
}

@Test func `rows of a Codable type become columns and come back`() throws {
    let rows = [
        Purchase(ts: Timestamp(microseconds: 1), cardId: 42, amount: 9.5, shop: .bakery, fee: 3, declined: false),
        Purchase(ts: Timestamp(microseconds: 2), cardId: -7, amount: nil, shop: nil, fee: nil, declined: true),
    ]
    let batch = try ColumnBatch(encoding: rows, fields: payments, naming: .snakeCase)
    #expect(batch["card_id"]!.values == .integers([42, -7]))
    #expect(batch["fee"]![0] == .decimal(300))
    #expect(batch["shop"]![0] == .text("bakery"))
    #expect(batch["amount"]![1] == .null)
    let plain = ColumnBatch([
        Column("ts", [Timestamp(microseconds: 1)]), Column("card_id", [42]), Column("amount", [9.5]),
        Column("shop", ["bakery"]), Column("fee", [3]), Column("declined", [false]),
    ])
    #expect(try plain.decode(Purchase.self, naming: .snakeCase) == [rows[0]])
}

@Test func `a row that does not fit names its row and column`() {
    enum Keys: String, CodingKey { case ts, declined, cardID = "card_id" }
    struct Wrong: Encodable { var ts = 1; var cardID = "x"; var declined = false; typealias CodingKeys = Keys }
    struct Missing: Encodable { var ts = 1; var declined = false }
    struct Nested: Encodable { var ts = 1; var cardID = [1]; var declined = false; typealias CodingKeys = Keys }
    struct Wide: Encodable { var n = 70_000 }
    func message(_ rows: [some Encodable], _ fields: [Field] = payments) -> String? {
        let error = #expect(throws: MillraceError.self) { try ColumnBatch(encoding: rows, fields: fields) }
        #expect(error?.code == .badRows)
        return error?.message
    }
    #expect(message([Wrong()]) == "row 0, column \"card_id\": \"x\" does not fit bigint")
    #expect(message([Missing()]) == "row 0 has no value for column \"card_id\", which is NOT NULL")
    #expect(message([Nested()]) == "row 0, column \"card_id\": a list does not fit bigint")
    #expect(message([Wide()], [Field(name: "n", type: .smallint)]) == "row 0, column \"n\": 70000 does not fit smallint")
}

@Test(arguments: [
    ("cardId", "card_id"), ("URLHost", "url_host"), ("amount", "amount"), ("payments10m", "payments10m"), ("card_id", "card_id"),
    ("isHTTP", "is_http"), ("merchantID", "merchant_id"),
])
func `property names become snake case`(property: String, column: String) {
    #expect(ColumnNaming.snakeCase.column(property) == column)
}

@Test(arguments: [
    ("127.0.0.1:7400", ServerAddress.tcp(host: "127.0.0.1", port: 7400)), ("[::1]:80", .tcp(host: "::1", port: 80)),
    ("unix:/tmp/m.sock", .unix(path: "/tmp/m.sock")), ("localhost", nil), ("unix:", nil), (":7400", nil), ("::1:80", nil),
    ("host:70000", nil),
])
func `addresses`(text: String, address: ServerAddress?) {
    #expect(ServerAddress(text) == address)
}
