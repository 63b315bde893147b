import Testing
import Values
import Wire

@testable import Millrace

/// Rows of: texts, whole numbers, when.
private func answer() -> ColumnBatch {
    var batch = ColumnBatch(fields: [
        Field(name: "merchants", type: .array(.text)), Field(name: "amounts", type: .array(.bigint)),
        Field(name: "card", type: .bigint),
    ])
    let rows: [([String?]?, [Int64?])] = [(["a", nil, "für"], [1, 2]), (nil, []), ([], [nil, -3]), (["b"], [4])]
    for (card, row) in rows.enumerated() {
        batch.withColumn(0) { column in
            guard let merchants = row.0 else { return column.appendNull() }
            column.appendArray { elements in
                for merchant in merchants {
                    if let merchant { elements.append(utf8: merchant.utf8) } else { elements.appendNull() }
                }
            }
        }
        batch.withColumn(1) { column in
            column.appendArray { elements in
                for amount in row.1 { if let amount { elements.append(amount) } else { elements.appendNull() } }
            }
        }
        batch.withColumn(2) { $0.append(Int64(card)) }
    }
    return batch
}

@Test func `arrays go over the wire and come back as they were`() throws {
    let batch = answer()
    let schema = ArrowSchema(fields: batch.fields)
    #expect(try schema.valueFields() == batch.fields)
    let read = try ColumnBatch(arrowMessage: batch.arrowMessage(), schema: schema, fields: batch.fields)
    #expect(read == batch)
    #expect(read["merchants"]![0] == .array([.text("a"), .null, .text("für")]))
    #expect((1..<4).map { read["merchants"]![$0] } == [.null, .array([]), .array([.text("b")])])
    #expect(read["amounts"]![2] == .array([.null, .integer(-3)]))
}

@Test func `a part of a batch holds the arrays of its rows`() throws {
    var part = answer().rows(2..<4)
    #expect(part["merchants"]![1] == .array([.text("b")]))
    part.append(answer().rows(0..<1))
    #expect(part["amounts"]![2] == .array([.integer(1), .integer(2)]))
    #expect(part["merchants"]![2] == .array([.text("a"), .null, .text("für")]))
    let read = try ColumnBatch(arrowMessage: part.arrowMessage(), schema: ArrowSchema(fields: part.fields), fields: part.fields)
    #expect(read == part)
    part.removeAll()
    #expect(part == ColumnBatch(fields: part.fields))
}

@Test func `a property takes an array as a list, of optionals where elements may be NULL`() throws {
    struct Row: Decodable, Equatable {
        var merchants: [String?]?
        var amounts: [Int?]
        var card: Int
    }
    let rows = try answer().decode(Row.self)
    #expect(
        rows == [
            Row(merchants: ["a", nil, "für"], amounts: [1, 2], card: 0), Row(merchants: nil, amounts: [], card: 1),
            Row(merchants: [], amounts: [nil, -3], card: 2), Row(merchants: ["b"], amounts: [4], card: 3),
        ])
    struct Plain: Decodable, Equatable { var merchants: [String] }
    #expect(try answer().rows(2..<4).decode(Plain.self) == [Plain(merchants: []), Plain(merchants: ["b"])])
}

@Test func `an array that does not fit its property names row, column and element`() {
    struct Row: Decodable { var merchants: [String] }
    struct Number: Decodable { var merchants: [Int?]? }
    struct Single: Decodable { var amounts: Int }
    struct List: Decodable { var card: [Int] }
    func message<Row: Decodable>(_ type: Row.Type, _ rows: Range<Int>) -> String? {
        #expect(throws: MillraceError.self) { try answer().rows(rows).decode(type) }?.message
    }
    #expect(message(Row.self, 0..<1) == #"row 0, column "merchants" (text[]), element 1: null cannot be read as String"#)
    #expect(message(Row.self, 1..<2) == #"row 0, column "merchants" (text[]): null cannot be read as a list"#)
    #expect(message(Number.self, 3..<4) == #"row 0, column "merchants" (text[]), element 0: text("b") cannot be read as Int"#)
    #expect(message(Single.self, 3..<4)?.hasSuffix("cannot be read as Int") == true)
    #expect(message(List.self, 0..<1) == #"row 0, column "card" (bigint): integer(0) cannot be read as a list"#)
}
