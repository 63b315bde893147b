import Bytes
import Values

/// What a key's log keeps of a row.
extension PartitionKernel {
    /// Whether the row has passed the input's filter and its arguments are not NULL.
    @inline(__always)
    func isPresent(_ view: BatchRows, _ row: Int, _ input: InputCode) -> Bool {
        let vectors = view.vectors
        if input.filter >= 0 && (vectors[input.filter].nulls[row] != 0 || vectors[input.filter].booleans[row] == 0) {
            return false
        }
        if input.companion >= 0 && vectors[input.companion].nulls[row] != 0 { return false }
        return input.argument < 0 || vectors[input.argument].nulls[row] == 0
    }

    /// Stores what the log keeps of the first `count` pending rows, each the newest of its key but for pending ones behind
    /// it, and carries totals, links and block partials on.
    @inline(__always)
    func store(_ view: BatchRows, _ count: Int, memory: borrowing ShardMemory) {
        for number in 0..<code.inputCount {
            let input = code.inputs[number]
            storeInput(view, number, input, count)
            if input.next < 0 { continue }
            for index in 0..<count {
                Occurrences(pending[index].record, input, pending[index].log, memory.arena.base).prefetch(
                    pending[index].position)
            }
            for index in 0..<count {
                Occurrences(pending[index].record, input, pending[index].log, memory.arena.base).append(
                    pending[index].position)
            }
        }
        if code.tieCount > 0 {
            for index in 0..<count { storeTies(view, index) }
        }
        if code.groups >= 0 {
            for index in 0..<count { storeGroup(pending[index].record, pending[index].log, position: pending[index].position) }
        }
        if code.partialCount > 0 { appendToPartials(count, texts: memory) }
    }

    /// Stores the one pending row, which stands before others of its key: what follows from the rows before them is put
    /// right for all of them.
    func storeInside(_ view: BatchRows, memory: borrowing ShardMemory) {
        let (record, log, position) = (pending[0].record, pending[0].log, pending[0].position)
        for number in 0..<code.inputCount {
            let input = code.inputs[number]
            let before = InputTotals(record, input)
            storeInput(view, number, input, 1)
            before.carry(record, log, input, over: position)
            if input.next >= 0 { Occurrences(record, input, log, memory.arena.base).insert(position) }
        }
        if code.tieCount > 0 { storeTies(view, 0) }
        if code.groups >= 0 {
            let before = record.field(code.groupTotal, as: Int64.self).pointee
            storeGroup(record, log, position: position)
            let step = record.field(code.groupTotal, as: Int64.self).pointee &- before
            InputTotals.carry(log.column(code.groups, as: UInt32.self), log, position, by: UInt32(truncatingIfNeeded: step))
        }
        rebuildPartials(log, from: position, texts: memory)
    }

    @inline(__always)
    private func storeInput(_ view: BatchRows, _ number: Int, _ input: InputCode, _ count: Int) {
        let present = pending.present
        if input.mayBeNull {
            findPresent(view, input, count)
        } else {
            present.update(repeating: 1, count: count)
        }
        if input.values >= 0 && !input.isTime { storeValues(view, number, input, count) }
        if input.counts >= 0 {
            for index in 0..<count {
                advance(
                    pending[index].record, pending[index].log, total: input.countTotal, column: input.counts,
                    by: Int64(present[index]), pending[index].position)
            }
        }
        if input.trues >= 0 {
            let booleans = view.vectors[input.argument].booleans
            for index in 0..<count {
                advance(
                    pending[index].record, pending[index].log, total: input.trueTotal, column: input.trues,
                    by: present[index] != 0 && booleans[pending[index].row] != 0 ? 1 : 0, pending[index].position)
            }
        }
        if input.sums >= 0 { storeSums(view, input, count) }
    }

    /// Which rows' arguments are there: neither NULL nor filtered out.
    @inline(__always)
    private func findPresent(_ view: BatchRows, _ input: InputCode, _ count: Int) {
        let present = pending.present
        if input.argument >= 0 {
            let nulls = view.vectors[input.argument].nulls
            for index in 0..<count { present[index] = nulls[pending[index].row] == 0 ? 1 : 0 }
        } else {
            present.update(repeating: 1, count: count)
        }
        if input.companion >= 0 {
            let nulls = view.vectors[input.companion].nulls
            for index in 0..<count { present[index] &= nulls[pending[index].row] == 0 ? 1 : 0 }
        }
        if input.filter >= 0 {
            let filter = view.vectors[input.filter]
            for index in 0..<count {
                let row = pending[index].row
                present[index] &= filter.nulls[row] == 0 && filter.booleans[row] != 0 ? 1 : 0
            }
        }
    }

    @inline(__always)
    private func storeValues(_ view: BatchRows, _ number: Int, _ input: InputCode, _ count: Int) {
        let vector = view.vectors[input.argument]
        let texts = pending.texts + number &* PendingRows.capacity
        let offset = input.values
        if input.mayBeNull {
            for index in 0..<count {
                let log = pending[index].log
                log.store(
                    input, vector, row: pending[index].row, isPresent: pending.present[index] != 0, text: texts[index],
                    slot: pending[index].position & log.mask)
            }
            return
        }
        switch input.form {
        case .integer:
            for index in 0..<count {
                let log = pending[index].log
                log.column(offset, as: Int64.self)[pending[index].position & log.mask] = vector.integers[pending[index].row]
            }
        case .double:
            for index in 0..<count {
                let log = pending[index].log
                log.column(offset, as: Double.self)[pending[index].position & log.mask] =
                    StoredValue.stored(vector.doubles[pending[index].row])
            }
        default:
            for index in 0..<count {
                let log = pending[index].log
                log.store(
                    input, vector, row: pending[index].row, isPresent: true, text: texts[index],
                    slot: pending[index].position & log.mask)
            }
        }
    }

    /// Columns of 4 bytes hold the low half of what came before the row; the record holds the whole total.
    @inline(__always)
    func advance(_ record: KeyRecord, _ log: KeyLog, total: Int, column: Int, by step: Int64, _ position: Int) {
        let total = record.field(total, as: Int64.self)
        log.column(column, as: UInt32.self)[position & log.mask] = UInt32(truncatingIfNeeded: total.pointee)
        total.pointee &+= step
    }

    @inline(__always)
    private func storeSums(_ view: BatchRows, _ input: InputCode, _ count: Int) {
        let vector = view.vectors[input.argument]
        for index in 0..<count {
            let row = pending[index].row
            let isPresent = pending.present[index] != 0
            if input.sumBytes == 8 {
                advanceSum(index, input, by: isPresent ? vector.integers[row] : 0)
            } else {
                let value = input.form == .decimal ? vector.decimals[row] : Int128(vector.integers[row])
                advanceSum(index, input, by: isPresent ? value : 0)
            }
        }
    }

    @inline(__always)
    private func advanceSum<T: FixedWidthInteger>(_ index: Int, _ input: InputCode, by step: T) {
        let log = pending[index].log
        let total = pending[index].record.field(input.sumTotal, as: T.self)
        log.column(input.sums, as: T.self)[pending[index].position & log.mask] = total.pointee
        total.pointee &+= step
    }

    private func storeTies(_ view: BatchRows, _ index: Int) {
        let (log, row) = (pending[index].log, pending[index].row)
        let slot = pending[index].position & log.mask
        for number in 0..<code.tieCount {
            let tie = code.ties[number]
            let vector = view.vectors[tie.register]
            log.column(tie.nulls, as: UInt8.self)[slot] = vector.nulls[row] == 0 ? 0 : 1
            switch tie.form {
            case .boolean: log.column(tie.values, as: UInt8.self)[slot] = vector.booleans[row]
            case .integer: log.column(tie.values, as: Int64.self)[slot] = vector.integers[row]
            case .double: log.column(tie.values, as: Double.self)[slot] = vector.doubles[row]
            case .decimal: log.column(tie.values, as: Int128.self)[slot] = vector.decimals[row]
            case .interval: log.column(tie.values, as: Interval.self)[slot] = vector.intervals[row]
            case .text:
                log.column(tie.values, as: UInt32.self)[slot] =
                    pending.texts[(code.inputCount &+ number) &* PendingRows.capacity &+ index]
            case .array: arraysAreResults()
            }
        }
    }
}
