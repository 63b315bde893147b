import Engine
import Wire

/// What a group's slow subscribers have still to be sent when only the newest row of each key is: which rows of the log
/// these are, and those among them that the log had to evict.
///
/// Rows that came late or were refused are no vectors of their key: they are never the newest.
final class Conflation {
    /// Rows that were the newest of their keys when the log evicted their entry.
    struct Carried {
        var ordinal: UInt64
        var entry: ResultLog.Entry
        /// Rows of the group before the entry, and in it.
        var rowsBefore: Int64
        var rowCount: Int
        /// Rows that still are the newest.
        var newestCount: Int
        var message: [UInt8]
    }

    private var newest = NewestRows()
    /// By entry of the log: how many of its rows are the newest of their keys.
    private var counts: OrdinalQueue<Int>
    /// Ascending.
    private(set) var carried: [Carried] = []
    private var carriedBytes = 0
    /// Bound of carried rows, and of the table of keys.
    private let bytesMax: Int
    /// From this entry on every row has been offered.
    private(set) var from: UInt64
    private var keys = RowKeys()

    var heldBytes: Int { newest.heldBytes + carriedBytes }

    /// - Parameter log: entries `first ..< end` are those of the log.
    init(first: UInt64, end: UInt64, bytesMax: Int) {
        self.bytesMax = bytesMax
        counts = OrdinalQueue(first: first)
        for _ in first..<end { counts.append(0) }
        from = end
    }

    // MARK: Rows come

    /// The log has one entry more.
    func appended() { counts.append(0) }

    /// Rows of an entry: of the newest, or one that no longer waits alone. False where there is no room for their keys.
    func offer(
        _ rows: [UInt32], of ordinal: UInt64, reader: ResultReader, keyColumns: [Int], logFirst: UInt64
    ) -> Bool {
        from = min(from, ordinal)
        keys.find(in: keyColumns.map { reader.columns[$0] }, rowCount: reader.rowCount)
        let (numbers, statuses) = (reader.rowNumbers, reader.statuses)
        var newestHere = 0
        for index in rows {
            let row = Int(index)
            guard statuses[row] == Int64(RowStatus.ok.rawValue) else { continue }
            let outcome = newest.offer(
                keys[row], ordinal: ordinal, row: UInt32(truncatingIfNeeded: numbers[row]), bytesMax: bytesMax,
                isKept: { $0 >= logFirst || self.carriedIndex(of: $0) != nil })
            switch outcome {
            case .first: newestHere += 1
            case .replaced(let old):
                newestHere += 1
                if old == ordinal { newestHere -= 1 } else { replaced(in: old) }
            case .older: break
            case .full: return false
            }
        }
        counts[ordinal] += newestHere
        return true
    }

    private func replaced(in ordinal: UInt64) {
        if ordinal >= counts.first {
            counts[ordinal] -= 1
        } else if let index = carriedIndex(of: ordinal) {
            carried[index].newestCount -= 1
        }
    }

    private func carriedIndex(of ordinal: UInt64) -> Int? {
        let index = firstCarried(from: ordinal)
        return index < carried.count && carried[index].ordinal == ordinal ? index : nil
    }

    /// Index of the first carried entry with at least this ordinal.
    func firstCarried(from ordinal: UInt64) -> Int {
        var (low, high) = (0, carried.count)
        while low < high {
            let middle = (low + high) / 2
            if carried[middle].ordinal >= ordinal { high = middle } else { low = middle + 1 }
        }
        return low
    }

    // MARK: Rows are asked for

    func newestCount(of ordinal: UInt64) -> Int { counts[ordinal] }

    /// Of the rows read from an entry, those that are the newest of their keys.
    func selectNewest(of ordinal: UInt64, reader: ResultReader, keyColumns: [Int], into rows: inout [UInt32]) {
        rows.removeAll(keepingCapacity: true)
        keys.find(in: keyColumns.map { reader.columns[$0] }, rowCount: reader.rowCount)
        let numbers = reader.rowNumbers
        for row in 0..<reader.rowCount
        where newest.isNewest(keys[row], ordinal: ordinal, row: UInt32(truncatingIfNeeded: numbers[row])) {
            rows.append(UInt32(row))
        }
    }

    // MARK: The log evicts

    /// The log's first entry goes; nil where none of its rows is wanted.
    func evict(carrying record: Carried?) {
        counts.removeFirst()
        guard let record else { return }
        carried.append(record)
        carriedBytes += record.message.count
    }

    var mustTrim: Bool { carriedBytes > bytesMax }

    /// Makes room: entries go that nobody waits for or whose rows have all been replaced, then the oldest. Returns, ascending,
    /// what was lost of these: ordinals and rows.
    ///
    /// - Parameter neededFrom: the earliest place of a subscriber.
    func trim(neededFrom: UInt64) -> [(ordinal: UInt64, rows: Int)] {
        carried.removeAll { $0.newestCount == 0 || $0.ordinal < neededFrom }
        carriedBytes = carried.reduce(0) { $0 + $1.message.count }
        var lost: [(ordinal: UInt64, rows: Int)] = []
        // A quarter at once, so that the next time is not soon.
        while lost.count < carried.count, carriedBytes > bytesMax / 4 * 3 {
            let record = carried[lost.count]
            lost.append((record.ordinal, record.newestCount))
            carriedBytes -= record.message.count
        }
        carried.removeFirst(lost.count)
        return lost
    }
}
