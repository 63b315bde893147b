import Bytes
import Values

/// Where a row belongs in its key's log.
extension PartitionKernel {
    /// Behind the last row that is not after this one, by time and then by the tie-breakers, NULL last.
    func position(of view: BatchRows, _ row: Int, time: Int64, _ log: KeyLog, texts: TextTable) -> Int {
        var position = time == .max ? log.tail : log.firstPosition(atLeast: time + 1, from: log.tail)
        if code.tieCount == 0 { return position }
        while position > log.head && log.time(position - 1) == time && isTieBefore(view, row, log, position - 1, texts) {
            position -= 1
        }
        return position
    }

    /// Whether the row's tie-breakers come before those of the row at `position`.
    private func isTieBefore(_ view: BatchRows, _ row: Int, _ log: KeyLog, _ position: Int, _ texts: TextTable) -> Bool {
        let slot = position & log.mask
        for number in 0..<code.tieCount {
            let tie = code.ties[number]
            let vector = view.vectors[tie.register]
            let storedIsNull = log.column(tie.nulls, as: UInt8.self)[slot] != 0
            if vector.nulls[row] != 0 || storedIsNull {
                if (vector.nulls[row] != 0) == storedIsNull { continue }
                return storedIsNull
            }
            let order = compare(vector, row, tie, log, slot, texts)
            if order != 0 { return order < 0 }
        }
        return false
    }

    private func compare(_ vector: Vector, _ row: Int, _ tie: TieCode, _ log: KeyLog, _ slot: Int, _ texts: TextTable) -> Int {
        func order<T: Comparable>(_ left: T, _ right: T) -> Int { left < right ? -1 : left == right ? 0 : 1 }
        switch tie.form {
        case .boolean: return order(vector.booleans[row], log.column(tie.values, as: UInt8.self)[slot])
        case .integer: return order(vector.integers[row], log.column(tie.values, as: Int64.self)[slot])
        case .double:
            let (left, right) = (vector.doubles[row], log.column(tie.values, as: Double.self)[slot])
            if left.isNaN || right.isNaN { return order(left.isNaN ? 1 : 0, right.isNaN ? 1 : 0) }
            return order(left, right)
        case .decimal: return order(vector.decimals[row], log.column(tie.values, as: Int128.self)[slot])
        case .text: return TextTable.compare(vector.texts[row], texts.text(log.column(tie.values, as: UInt32.self)[slot]))
        case .interval:
            return order(
                vector.intervals[row].normalizedMicroseconds,
                log.column(tie.values, as: Interval.self)[slot].normalizedMicroseconds)
        case .array: arraysAreResults()
        }
    }

    /// Opens a gap at `position`; every column's younger rows move up by one.
    func shiftUp(_ record: KeyRecord, _ log: KeyLog, from position: Int, arena: borrowing Arena) {
        for number in 0..<code.distinctCount {
            let distinct = code.distincts[number]
            DistinctCount(record, distinct, code.inputs[distinct.input], log).makeRoom(at: position)
            if distinct.isUnbounded {
                WholeDistinctCount(record, distinct, code.inputs[distinct.input], log).end(before: position)
            }
        }
        if code.hasLinks {
            for number in 0..<code.inputCount where code.inputs[number].next >= 0 {
                Occurrences(record, code.inputs[number], log, arena.base).makeRoom(at: position)
            }
        }
        for number in 0..<code.columnCount {
            let column = code.columns[number]
            let start = log.base + column.offset * log.capacity
            // From the far end in runs that wrap neither at their source nor at their target.
            var end = log.tail
            while end > position {
                let last = (end - 1) & log.mask
                if last == log.mask {
                    start.copyMemory(from: start + last * column.width, byteCount: column.width)
                    end -= 1
                    continue
                }
                let run = min(end - position, last + 1)
                let first = last + 1 - run
                (start + (first + 1) * column.width).copyMemory(from: start + first * column.width, byteCount: run * column.width)
                end -= run
            }
        }
        if record.floor > position { record.floor += 1 }
    }
}
