import Bytes

/// What evaluate took in goes again.
extension Partition {
    /// Takes back all rows of the batch, the last one first.
    mutating func takeBack(memory: inout ShardMemory) {
        while let entry = undo.popLast() {
            let record = KeyRecord(memory.arena.address(entry.record))
            if entry.isNewKey {
                removeKey(entry.record, memory: &memory)
                continue
            }
            removeRow(record, entry.position, memory: &memory)
            record.lastTime = entry.lastTime
            record.floor = entry.floor
        }
    }

    private mutating func removeRow(_ record: KeyRecord, _ position: Int, memory: inout ShardMemory) {
        let log = kernel.logView(record, memory.arena.base)
        for number in 0..<code.distinctCount {
            let distinct = code.distincts[number]
            DistinctCount(record, distinct, code.inputs[distinct.input], log).closeGap(at: position)
            if distinct.isUnbounded {
                WholeDistinctCount(record, distinct, code.inputs[distinct.input], log).end(before: position)
            }
        }
        if code.frameStateCount > 0 { kernel.frameStatesWillRemove(record, log, position, memory: &memory) }
        if code.groups >= 0 { takeBackCount(record, log, total: code.groupTotal, column: code.groups, position) }
        for number in 0..<code.inputCount { takeBackTotals(record, log, code.inputs[number], position) }
        if code.hasLinks {
            for number in 0..<code.inputCount where code.inputs[number].next >= 0 {
                let occurrences = Occurrences(record, code.inputs[number], log, memory.arena.base)
                occurrences.remove(position)
                occurrences.closeGap(at: position)
            }
        }
        if code.hasTexts { releaseTexts(log, position, memory: &memory) }
        for number in 0..<code.columnCount {
            let column = code.columns[number]
            let start = log.base + column.offset * log.capacity
            for younger in position + 1..<max(position + 1, log.tail) {
                (start + ((younger - 1) & log.mask) * column.width).copyMemory(
                    from: start + (younger & log.mask) * column.width, byteCount: column.width)
            }
        }
        record.count = log.count - 1
        let shorter = kernel.logView(record, memory.arena.base)
        // The block of the row before it too: it may have become the newest one.
        kernel.rebuildPartials(shorter, from: max(shorter.head, position - 1), texts: memory)
    }

    private func takeBackTotals(_ record: KeyRecord, _ log: KeyLog, _ input: InputCode, _ position: Int) {
        if input.counts >= 0 { takeBackCount(record, log, total: input.countTotal, column: input.counts, position) }
        if input.trues >= 0 { takeBackCount(record, log, total: input.trueTotal, column: input.trues, position) }
        if input.sums < 0 { return }
        if input.sumBytes == 8 {
            takeBackSum(record, log, input, position, as: Int64.self)
        } else {
            takeBackSum(record, log, input, position, as: Int128.self)
        }
    }

    private func takeBackCount(_ record: KeyRecord, _ log: KeyLog, total: Int, column: Int, _ position: Int) {
        let total = record.field(total, as: Int64.self)
        let values = log.column(column, as: UInt32.self)
        let behind = position + 1 == log.tail ? UInt32(truncatingIfNeeded: total.pointee) : values[(position + 1) & log.mask]
        let step = behind &- values[position & log.mask]
        for younger in position + 1..<max(position + 1, log.tail) { values[younger & log.mask] &-= step }
        total.pointee -= Int64(step)
    }

    private func takeBackSum<T: FixedWidthInteger>(
        _ record: KeyRecord, _ log: KeyLog, _ input: InputCode, _ position: Int, as: T.Type
    ) {
        let total = record.field(input.sumTotal, as: T.self)
        let values = log.column(input.sums, as: T.self)
        let behind = position + 1 == log.tail ? total.pointee : values[(position + 1) & log.mask]
        let step = behind &- values[position & log.mask]
        for younger in position + 1..<max(position + 1, log.tail) { values[younger & log.mask] &-= step }
        total.pointee &-= step
    }
}
