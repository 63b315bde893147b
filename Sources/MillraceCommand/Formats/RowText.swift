import Millrace
import Values

/// Batches as CSV (RFC 4180, LF): fields are quoted where they must be, NULL is an empty field, the empty text is `""`, and
/// arrays are PostgreSQL's `{a,b,NULL}`.
enum CSVText {
    static func header(_ fields: [Field]) -> [UInt8] {
        var text: [UInt8] = []
        for (index, field) in fields.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            append(text: Array(field.name.utf8)[...], to: &text)
        }
        text.append(UInt8(ascii: "\n"))
        return text
    }

    static func rows(_ batch: ColumnBatch) -> [UInt8] {
        var text: [UInt8] = []
        for row in 0..<batch.rowCount {
            for (index, column) in batch.columns.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                if column.nulls[row] { continue }
                switch column.values {
                case .texts(let values): append(text: values.utf8(row), to: &text)
                case .arrays:
                    var array: [UInt8] = []
                    ValueWriter.append(column, row: row, to: &array)
                    append(text: array[...], to: &text)
                default: ValueWriter.append(column, row: row, to: &text)
                }
            }
            text.append(UInt8(ascii: "\n"))
        }
        return text
    }

    private static func append(text field: ArraySlice<UInt8>, to text: inout [UInt8]) {
        let special: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r")]
        if !field.isEmpty && !field.contains(where: special.contains) {
            text += field
            return
        }
        text.append(UInt8(ascii: "\""))
        for byte in field {
            if byte == UInt8(ascii: "\"") { text.append(byte) }
            text.append(byte)
        }
        text.append(UInt8(ascii: "\""))
    }
}

/// Batches as JSON, one object a line. What JSON has no number for (NaN, the infinities, numerics beyond a double's digits)
/// and dates, times and intervals are strings; arrays are arrays of these.
enum JSONText {
    static func rows(_ batch: ColumnBatch) -> [UInt8] {
        let names = batch.columns.map { column in
            var name: [UInt8] = []
            append(string: Array(column.name.utf8)[...], to: &name)
            return name + [UInt8(ascii: ":")]
        }
        var text: [UInt8] = []
        for row in 0..<batch.rowCount {
            text.append(UInt8(ascii: "{"))
            for (index, column) in batch.columns.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                text += names[index]
                append(column, row: row, to: &text)
            }
            text += "}\n".utf8
        }
        return text
    }

    private static func append(_ column: Column, row: Int, to text: inout [UInt8]) {
        if column.nulls[row] {
            text += "null".utf8
            return
        }
        if case .arrays(let arrays) = column.values {
            text.append(UInt8(ascii: "["))
            for element in arrays.rows(row) {
                if element > arrays.rows(row).lowerBound { text.append(UInt8(ascii: ",")) }
                append(arrays.elements, row: element, to: &text)
            }
            text.append(UInt8(ascii: "]"))
            return
        }
        if isLiteral(column, row: row) {
            ValueWriter.append(column, row: row, to: &text)
            return
        }
        var string: [UInt8] = []
        ValueWriter.append(column, row: row, to: &string)
        append(string: string[...], to: &text)
    }

    /// Whether the value's text is a JSON number or boolean as it is.
    private static func isLiteral(_ column: Column, row: Int) -> Bool {
        switch column.values {
        case .booleans: true
        case .integers: column.type.isInteger
        case .doubles(let values): values[row].isFinite
        case .decimals(let values): values[row].magnitude < 1 << 53
        case .texts, .intervals, .arrays: false
        }
    }

    private static func append(string: ArraySlice<UInt8>, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for byte in string {
            switch byte {
            case UInt8(ascii: "\""): text += "\\\"".utf8
            case UInt8(ascii: "\\"): text += "\\\\".utf8
            case UInt8(ascii: "\n"): text += "\\n".utf8
            case UInt8(ascii: "\r"): text += "\\r".utf8
            case UInt8(ascii: "\t"): text += "\\t".utf8
            case 0..<0x20:
                text += "\\u00".utf8
                let digits = Array("0123456789abcdef".utf8)
                text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}
