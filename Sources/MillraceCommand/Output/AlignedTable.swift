/// Columns as wide as their widest text, numbers to the right.
func alignedTable(_ rows: [[String]], isNumber: [Bool]) -> String {
    let widths = isNumber.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    var text = ""
    for row in rows {
        var line = ""
        for (column, cell) in row.enumerated() {
            let space = String(repeating: " ", count: widths[column] - cell.count)
            line += (column == 0 ? "" : "  ") + (isNumber[column] ? space + cell : cell + space)
        }
        while line.last == " " { line.removeLast() }
        text += line + "\n"
    }
    return text
}
