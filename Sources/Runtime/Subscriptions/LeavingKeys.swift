import Engine
import Values
import Wire

/// The keys that a subscriber was told of and that events may still leave: what was told last, and when to look again.
///
/// At each interval their windows are looked up as a `get` would, and what differs from what was told last is pushed. A key
/// whose windows are all empty, zero or NULL, as those of a key that nobody knows, is forgotten. What columns such as lag show
/// without an event is what a `get` shows.
final class LeavingKeys {
    private struct Key {
        var cells: KeyCells
        /// Of the windowed columns, as they were told last.
        var told: RowKey
    }

    /// Keys followed of one subscription; the ones told first are forgotten for further ones.
    static let keysMax = 16_384
    /// Keys looked up at once.
    static let keysPerLookUp = 512

    let intervalNanoseconds: UInt64
    private let fields: [Field]
    /// Of the view.
    private let keyColumns: [Int]
    private let windowed: [Int]
    private let reader: ResultReader
    private let writer: BatchWriter
    private var keys: [RowKey: Key] = [:]
    private var asking: [RowKey] = []
    private(set) var isAsked = false
    private(set) var dueNanoseconds: UInt64
    private var found = RowKeys()
    private var shown = RowKeys()

    init(intervalNanoseconds: UInt64, fields: [Field], keys: ViewKeys, nowNanoseconds: UInt64) {
        self.intervalNanoseconds = intervalNanoseconds
        self.fields = fields
        keyColumns = keys.columns ?? []
        windowed = keys.windowed
        reader = ResultReader(fields: fields)
        writer = BatchWriter(fields: fields, hasTrailer: true)
        dueNanoseconds = nowNanoseconds + intervalNanoseconds
    }

    var count: Int { keys.count }

    private func read(_ message: UnsafeRawBufferPointer) {
        reader.read(message)
        found.find(in: keyColumns.map { reader.columns[$0] }, rowCount: reader.rowCount)
        shown.find(in: windowed.map { reader.columns[$0] }, rowCount: reader.rowCount)
    }

    /// Rows that events caused are being sent.
    func pushed(_ message: UnsafeRawBufferPointer) {
        read(message)
        let columns = keyColumns.map { reader.columns[$0] }
        for row in 0..<reader.rowCount where reader.statuses[row] == Int64(RowStatus.ok.rawValue) {
            if keys[found[row]] == nil {
                if keys.count >= LeavingKeys.keysMax { keys.remove(at: keys.startIndex) }
                keys[found[row]] = Key(cells: KeyCells(columns, row: row), told: shown[row])
            } else {
                keys[found[row]]!.told = shown[row]
            }
        }
    }

    /// The keys to look up now, by their columns; nil where it is not time, or an answer is awaited.
    func ask(nowNanoseconds: UInt64) -> KeyColumns? {
        guard !isAsked && (!asking.isEmpty || nowNanoseconds >= dueNanoseconds) else { return nil }
        if asking.isEmpty {
            dueNanoseconds = nowNanoseconds + intervalNanoseconds
            asking = Array(keys.keys)
        }
        let next = asking.suffix(LeavingKeys.keysPerLookUp).compactMap { keys[$0]?.cells }
        asking.removeLast(min(LeavingKeys.keysPerLookUp, asking.count))
        guard !next.isEmpty else { return nil }
        isAsked = true
        return KeyColumns(next, types: keyColumns.map { fields[$0].type })
    }

    /// Keys remain to be asked for without waiting.
    var hasMore: Bool { !isAsked && !asking.isEmpty }

    /// What the windows show now. Writes the rows that differ from what was told last; returns how many.
    func answered(_ message: UnsafeRawBufferPointer, into output: inout OutputBuffer) throws(WireError) -> Int {
        isAsked = false
        read(message)
        var changed: [UInt32] = []
        for row in 0..<reader.rowCount {
            guard let known = keys[found[row]] else { continue }
            if known.told != shown[row] {
                changed.append(UInt32(row))
                keys[found[row]]!.told = shown[row]
            }
            if isSettled(row) { keys[found[row]] = nil }
        }
        guard !changed.isEmpty else { return 0 }
        try changed.withUnsafeBufferPointer { rows throws(WireError) in
            try writer.write(taking: rows, of: reader.columns, into: &output)
        }
        return changed.count
    }

    /// The batch could not be looked up; its keys have their turn again.
    func gaveUp() { isAsked = false }

    private func isSettled(_ row: Int) -> Bool {
        windowed.allSatisfy { index in
            let column = reader.columns[index]
            if column.isNull(row) { return true }
            switch column.scalar(row) {
            case .integer(let value): return value == 0
            case .double(let value): return value == 0
            case .decimal(let value): return value == 0
            default: return false
            }
        }
    }
}
