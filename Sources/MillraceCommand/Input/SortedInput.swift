import Millrace

/// All rows of several inputs, sorted by time; holds them in memory. Rows of one time keep the order of `MergedInput`.
struct SortedInput {
    private struct Place {
        var time: Int64
        var isStream: Bool
        var source: Int
        var row: Int
    }

    private let tables: [Int]
    private let stores: [ColumnBatch]
    private let places: [Place]
    private var taken = 0
    private let rowsMax: Int

    init(_ sources: [MergedInput.Source], rowsMax: Int) throws {
        self.rowsMax = rowsMax
        tables = sources.map(\.table)
        var stores: [ColumnBatch] = []
        var places: [Place] = []
        for (index, source) in sources.enumerated() {
            var store = ColumnBatch([])
            while let batch = try source.next() {
                if store.columns.isEmpty { store = batch } else { store.append(batch) }
            }
            for row in 0..<store.rowCount {
                places.append(
                    Place(time: store.time(row, column: source.timeColumn), isStream: source.isStream, source: index, row: row))
            }
            stores.append(store)
        }
        places.sort {
            if $0.time != $1.time { return $0.time < $1.time }
            if $0.isStream != $1.isStream { return !$0.isStream }
            return ($0.source, $0.row) < ($1.source, $1.row)
        }
        self.stores = stores
        self.places = places
    }

    /// nil at the end of all inputs.
    mutating func next() -> MergedInput.Piece? {
        guard taken < places.count else { return nil }
        let table = tables[places[taken].source]
        var rows = ColumnBatch(fields: stores[places[taken].source].fields, reservingRows: min(rowsMax, places.count - taken))
        while taken < places.count, rows.rowCount < rowsMax, tables[places[taken].source] == table {
            // Rows that were side by side are taken together.
            let first = places[taken]
            var count = 1
            while taken + count < places.count, rows.rowCount + count < rowsMax,
                places[taken + count].source == first.source, places[taken + count].row == first.row + count
            {
                count += 1
            }
            rows.append(first.row..<first.row + count, of: stores[first.source])
            taken += count
        }
        return MergedInput.Piece(table: table, rows: rows)
    }
}
