import Millrace
import Testing
import Values

@testable import MillraceCommand

private let fields = [
    Field(name: "id", type: .bigint, isNullable: false), Field(name: "name", type: .text), Field(name: "amount", type: .double),
]

/// Hands out `text` in pieces of so many bytes, so that records are cut everywhere.
private func pieces(_ text: String, _ size: Int) -> (inout [UInt8], Int) -> Int {
    var rest = Array(text.utf8)[...]
    return { bytes, most in
        let piece = rest.prefix(min(size, most))
        bytes += piece
        rest = rest.dropFirst(piece.count)
        return piece.count
    }
}

private func read(_ text: String, pieceBytes: Int = 1 << 20, _ fields: [Field] = fields) throws -> ColumnBatch? {
    var reader = CSVReader(name: "x.csv", fields: fields, refill: pieces(text, pieceBytes))
    return try reader.next(rowsMax: 1_000)
}

@Test(arguments: [1, 2, 3, 7, 1_000])
func `records are the same however the bytes arrive`(pieceBytes: Int) throws {
    let text = "\u{FEFF}name,id,ignored,amount\r\n\"a, \"\"b\"\"\",1,x,1.5\r\n,2,\"two\nlines\",\n\n\"\",3,,NaN"
    let batch = try #require(try read(text, pieceBytes: pieceBytes))
    #expect(batch["id"]!.values == .integers([1, 2, 3]))
    #expect((0..<3).map { batch["name"]![$0] } == [.text("a, \"b\""), .null, .text("")])
    #expect(batch["amount"]!.nulls == [false, true, false])
}

@Test(arguments: [
    ("", "x.csv:1: the text is empty; its first line must name the columns"),
    ("name\nx\n", "x.csv:1: there is no column \"id\", which is NOT NULL; the first line must name the table's columns"),
    ("id,id\n", "x.csv:1: column \"id\" occurs twice"),
    ("id,name\n1,x\n2\n", "x.csv:3: 1 fields; the first line names 2 columns"),
    ("id,name\n\"1\n\",x\n", "x.csv:2: column \"id\": '1\n' is not of type bigint"),
    ("id,name\n1,\"a\nb\"\nx,c\n", "x.csv:4: column \"id\": 'x' is not of type bigint"),
    ("id,amount\n1,1.5\n2,0x10\n", "x.csv:3: column \"amount\": '0x10' is not of type double precision"),
    ("id\n,\n", "x.csv:2: 2 fields; the first line names 1 columns"),
    ("id,name\n,x\n", "x.csv:2: column \"id\" is empty, and it is NOT NULL"),
    ("id,name\n1,\"x\n", "x.csv:2: a quoted field that is never closed"),
    ("id,name\n1,\"x\"y\n", "x.csv:2: text after the closing quote of a field; write a quote inside a quoted field twice"),
    ("id,name\n1,x\"y\n", "x.csv:2: a quote inside an unquoted field; put the whole field in quotes and write the quote twice"),
])
func `what is wrong is said with file and line`(text: String, message: String) {
    #expect(throws: InputError(message)) { try read(text) }
}

@Test(arguments: [
    ("1970-01-01 00:00:00", ValueType.timestamp, Scalar.integer(0)),
    ("2024-02-29T12:30:45.123456Z", .timestamptz, .integer(1_709_209_845_123_456)),
    ("2024-02-29 12:30:45.5+01:30", .timestamptz, .integer(1_709_204_445_500_000)),
    ("2024-02-29 12:30:45.5+01:30", .timestamp, .integer(1_709_209_845_500_000)),
    ("2024-02-29", .timestamptz, .integer(1_709_164_800_000_000)),
    ("2024-02-29", .date, .integer(19_782)),
    ("-9223372036854775808", .bigint, .integer(.min)), ("+12", .smallint, .integer(12)),
    ("12.345", .numeric(precision: 6, scale: 2), .decimal(1235)), ("-0.5", .numeric(precision: 3, scale: 0), .decimal(-1)),
    ("7", .numeric(precision: 6, scale: 3), .decimal(7000)), ("TRUE", .boolean, .boolean(true)),
    ("off", .boolean, .boolean(false)),
    ("1 day 02:00:00.5", .interval, .interval(Interval(days: 1, microseconds: 7_200_500_000))),
    ("-2 mons", .interval, .interval(Interval(months: -2))),
    ("1e3", .double, .double(1000)), ("Infinity", .double, .double(.infinity)),
])
func `texts become values`(text: String, type: ValueType, value: Scalar) {
    var column = Column("c", type: type)
    #expect(ValueParser.append(Array(text.utf8)[...], to: &column))
    #expect(column[0] == value)
}

@Test(arguments: [
    ("2023-02-29", ValueType.date), ("2024-02-29 25:00", .timestamp), ("2024-02-29 12:30:45.1234567", .timestamp),
    ("2024-02-29 12", .timestamp), ("9223372036854775808", .bigint), ("70000", .smallint), ("1 2", .integer), ("-", .integer),
    ("12345.67", .numeric(precision: 6, scale: 2)), ("1.2.3", .numeric(precision: 6, scale: 2)), ("maybe", .boolean),
    (" 1", .double), ("1 fortnight", .interval), ("", .interval),
])
func `texts that are no values are refused`(text: String, type: ValueType) {
    var column = Column("c", type: type)
    #expect(!ValueParser.append(Array(text.utf8)[...], to: &column))
}

@Test func `rows are written as CSV that reads back, and as JSON`() throws {
    var batch = ColumnBatch(fields: [
        Field(name: "t", type: .timestamptz), Field(name: "d", type: .date),
        Field(name: "n", type: .numeric(precision: 5, scale: 2)),
        Field(name: "s", type: .text), Field(name: "i", type: .interval), Field(name: "x", type: .double),
    ])
    batch.withColumn(0) { $0.append(Int64(-1_500_000)) }
    batch.withColumn(1) { $0.append(Int64(-1)) }
    batch.withColumn(2) { $0.append(Int128(-5)) }
    batch.withColumn(3) { $0.append(utf8: "a\"b,\n\u{1}".utf8) }
    batch.withColumn(4) { $0.append(Interval(months: 14, days: 3, microseconds: -1_000_000)) }
    batch.withColumn(5) { $0.append(-Double.infinity) }
    for column in 0..<6 { batch.withColumn(column) { $0.appendNull() } }
    let text = String(decoding: CSVText.header(batch.fields) + CSVText.rows(batch), as: UTF8.self)
    #expect(
        text
            == "t,d,n,s,i,x\n1969-12-31 23:59:58.5+00,1969-12-31,-0.05,\"a\"\"b,\n\u{1}\",1 years 2 mons 3 days -00:00:01,-Infinity\n,,,,,\n"
    )
    #expect(try read(text, batch.fields) == batch)
    #expect(
        String(decoding: JSONText.rows(batch), as: UTF8.self)
            == #"{"t":"1969-12-31 23:59:58.5+00","d":"1969-12-31","n":-0.05,"s":"a\"b,\n\u0001","i":"1 years 2 mons 3 days -00:00:01","x":"-Infinity"}"#
            + "\n" + #"{"t":null,"d":null,"n":null,"s":null,"i":null,"x":null}"# + "\n")
}

@Test func `arrays are written as PostgreSQL writes them, and as JSON arrays`() {
    var batch = ColumnBatch(fields: [
        Field(name: "s", type: .array(.text)), Field(name: "n", type: .array(.numeric(precision: 5, scale: 2))),
        Field(name: "t", type: .array(.timestamp)), Field(name: "b", type: .array(.boolean)),
    ])
    let texts = ["a", "", "null", "two words", "a,b", "{}", #"q"\"#, "é"]
    batch.withColumn(0) { column in
        column.appendArray { elements in
            for text in texts { elements.append(utf8: text.utf8) }
            elements.appendNull()
        }
    }
    batch.withColumn(1) { column in
        column.appendArray { elements in
            elements.append(Int128(-5))
            elements.appendNull()
        }
    }
    batch.withColumn(2) { $0.appendArray { $0.append(Int64(0)) } }
    batch.withColumn(3) { column in
        column.appendArray { elements in
            elements.append(true)
            elements.append(false)
        }
    }
    for column in 0..<4 { batch.withColumn(column) { $0.appendNull() } }
    for column in 0..<4 { batch.withColumn(column) { $0.appendArray { _ in } } }
    #expect(
        String(decoding: CSVText.rows(batch), as: UTF8.self)
            == #""{a,"""",""null"",""two words"",""a,b"",""{}"",""q\""\\"",é,NULL}","{-0.05,NULL}","{""1970-01-01 00:00:00""}","{t,f}""#
            + "\n,,,\n{},{},{},{}\n")
    #expect(
        String(decoding: JSONText.rows(batch), as: UTF8.self)
            == #"{"s":["a","","null","two words","a,b","{}","q\"\\","é",null],"n":[-0.05,null],"t":["1970-01-01 00:00:00"],"b":[true,false]}"#
            + "\n" + #"{"s":null,"n":null,"t":null,"b":null}"# + "\n" + #"{"s":[],"n":[],"t":[],"b":[]}"# + "\n")
}
