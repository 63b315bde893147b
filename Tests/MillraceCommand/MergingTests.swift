import Millrace
import Testing
import Values

@testable import MillraceCommand

/// An input whose rows are their times; cut into batches of two.
private func source(_ table: Int, _ times: [Int64?], isStream: Bool = true, isTimed: Bool = true) -> MergedInput.Source {
    var rest = times[...]
    return MergedInput.Source(table: table, timeColumn: isTimed ? 0 : nil, isStream: isStream) {
        if rest.isEmpty { return nil }
        defer { rest = rest.dropFirst(2) }
        return ColumnBatch([Column("t", Array(rest.prefix(2)))])
    }
}

private func text(_ table: Int, _ rows: ColumnBatch) -> [String] {
    (0..<rows.rowCount).map { row in
        if case .integer(let time) = rows.columns[0][row] { "\(table):\(time)" } else { "\(table):-" }
    }
}

private func merged(_ sources: [MergedInput.Source], rowsMax: Int = 3) throws -> [String] {
    var input = MergedInput(sources, rowsMax: rowsMax)
    var rows: [String] = []
    while let piece = try input.next() {
        #expect(piece.rows.rowCount <= rowsMax)
        rows += text(piece.table, piece.rows)
    }
    return rows
}

private func sorted(_ sources: [MergedInput.Source]) throws -> [String] {
    var input = try SortedInput(sources, rowsMax: 3)
    var rows: [String] = []
    while let piece = input.next() { rows += text(piece.table, piece.rows) }
    return rows
}

@Test func `one input keeps its order, late rows and all`() throws {
    #expect(try merged([source(0, [5, 3, 9, nil, 1])]) == ["0:5", "0:3", "0:9", "0:-", "0:1"])
}

@Test func `inputs are merged by the times of their next rows`() throws {
    #expect(
        try merged([source(0, [1, 4, 4, 9]), source(1, [2, 3, 5, 20])]) == [
            "0:1", "1:2", "1:3", "0:4", "0:4", "1:5", "0:9", "1:20",
        ])
}

@Test func `at equal times tables that are no streams come first, then the order of the inputs`() throws {
    let rows = try merged([source(0, [1, 2]), source(1, [1, 2]), source(2, [1, 2], isStream: false)])
    #expect(rows == ["2:1", "0:1", "1:1", "2:2", "0:2", "1:2"])
}

@Test func `an input without a time column is read whole before the others`() throws {
    #expect(
        try merged([source(0, [1, 2]), source(1, [9, 8, 7], isStream: false, isTimed: false)]) == [
            "1:9", "1:8", "1:7", "0:1", "0:2",
        ])
}

@Test func `a late row waits for its turn in its own input`() throws {
    #expect(try merged([source(0, [5, 1, 6]), source(1, [4, 5, 7])]) == ["1:4", "0:5", "0:1", "1:5", "0:6", "1:7"])
}

@Test func `sorting by event time is stable`() throws {
    #expect(try sorted([source(0, [5, 1, 5, 3]), source(1, [3, 2])]) == ["0:1", "1:2", "0:3", "1:3", "0:5", "0:5"])
}
