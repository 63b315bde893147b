import Millrace
import PlainEvaluator
import Values
import Wire

/// The text column of payments as some clients send it: as indices into a dictionary.
enum ShopDictionary {
    static let shops = ["north", "south", "east", "west", "centre"]
    private static let column = "shop"

    /// The schema of batches whose shops are 32-bit indices.
    static func schema(_ fields: [Field]) -> ArrowSchema {
        var schema = ArrowSchema(fields: fields)
        let index = schema.fields.firstIndex { $0.name == column }!
        schema.fields[index].dictionary = ArrowDictionary(id: 0)
        return schema
    }

    /// The rows with indices in place of shops.
    static func encode(_ batch: ColumnBatch) -> ColumnBatch {
        ColumnBatch(
            batch.columns.map { values in
                guard values.name == column else { return values }
                let indices = (0..<values.rowCount).map { row -> Int32? in
                    guard case .text(let shop) = values[row] else { return nil }
                    return Int32(shops.firstIndex(of: shop)!)
                }
                return Column(column, indices)
            })
    }

    /// The DictionaryBatch message of `shops`, as pyarrow writes it.
    static let message: [UInt8] = {
        let text = """
            ffffffffa800000014000000000000000c0014000600050008000c000c0000000002040014000000300000000000000008000a0000000400\
            080000001000000000000a0018000c00040008000a0000004c00000010000000050000000000000000000000030000000000000000000000\
            0000000000000000000000000000000018000000000000001800000000000000180000000000000000000000010000000500000000000000\
            000000000000000000000000050000000a0000000e00000012000000180000006e6f727468736f757468656173747765737463656e747265
            """
        let digits = text.utf8.map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }()
}
