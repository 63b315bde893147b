import Millrace

/// Several inputs as one sequence of batches, in the order in which a server would have got their rows.
///
/// Every input keeps its own order. Between inputs the one whose next row is the earliest goes first; at equal times
/// tables that are not streams, then the order of the inputs. An input without a time column is read whole before anything else,
/// and a row without a time goes as soon as it is its turn.
struct MergedInput {
    /// Where the rows of one table come from.
    struct Source {
        /// Index into the definitions' tables.
        var table: Int
        /// The column that inputs are merged by; nil: the input goes first as a whole.
        var timeColumn: Int?
        var isStream: Bool
        /// The next rows, in the order they arrived; nil at the end.
        var next: () throws -> ColumnBatch?
    }

    struct Piece {
        var table: Int
        var rows: ColumnBatch
    }

    /// The place of a row among those of other inputs.
    private struct Key: Comparable {
        var time: Int64
        var isStream: Bool
        var position: Int

        static func < (left: Key, right: Key) -> Bool {
            if left.time != right.time { return left.time < right.time }
            if left.isStream != right.isStream { return !left.isStream }
            return left.position < right.position
        }
    }

    private struct Head {
        var source: Source
        var position: Int
        var batch: ColumnBatch?
        var row = 0

        func key(_ row: Int) -> Key {
            Key(time: batch!.time(row, column: source.timeColumn), isStream: source.isStream, position: position)
        }
    }

    private var heads: [Head]
    private let rowsMax: Int

    /// Pieces have at most `rowsMax` rows.
    init(_ sources: [Source], rowsMax: Int) {
        heads = sources.enumerated().map { Head(source: $1, position: $0) }
        self.rowsMax = rowsMax
    }

    /// nil at the end of all inputs.
    mutating func next() throws -> Piece? {
        var piece: Piece?
        while true {
            try fillHeads()
            guard let first = heads.indices.min(by: { heads[$0].key(heads[$0].row) < heads[$1].key(heads[$1].row) }) else {
                return piece
            }
            if let piece, piece.table != heads[first].source.table || piece.rows.rowCount == rowsMax { return piece }
            let range = run(of: first, atMost: rowsMax - (piece?.rows.rowCount ?? 0))
            let batch = heads[first].batch!
            if piece == nil {
                piece = Piece(table: heads[first].source.table, rows: batch.rows(range))
            } else {
                piece!.rows.append(range, of: batch)
            }
            heads[first].row = range.upperBound
            // Alone and whole: nothing is gained by waiting for more of it.
            if heads.count == 1 { return piece }
        }
    }

    /// Brings every input to its next row, and drops those that have none.
    private mutating func fillHeads() throws {
        for index in heads.indices.reversed() {
            while heads[index].batch == nil || heads[index].row == heads[index].batch!.rowCount {
                guard let batch = try heads[index].source.next() else {
                    heads.remove(at: index)
                    break
                }
                heads[index].batch = batch
                heads[index].row = 0
            }
        }
    }

    /// The rows of the first input that come before the next row of any other.
    private func run(of first: Int, atMost count: Int) -> Range<Int> {
        let head = heads[first]
        let end = min(head.batch!.rowCount, head.row + count)
        guard let limit = heads.indices.filter({ $0 != first }).map({ heads[$0].key(heads[$0].row) }).min() else {
            return head.row..<end
        }
        var row = head.row + 1
        while row < end && head.key(row) < limit { row += 1 }
        return head.row..<row
    }
}

extension ColumnBatch {
    /// The row's time; the least of all where it has none.
    func time(_ row: Int, column: Int?) -> Int64 {
        guard let column, !columns[column].nulls[row], case .integers(let times) = columns[column].values else { return .min }
        return times[row]
    }
}
