import Bytes
import Plan
import Values

/// The rows of one key in its old log and in its new one. Both rings have the same room, so a row has the same slot in both.
struct RebuiltRows {
    let old: PartitionKernel
    let oldRecord: KeyRecord
    let oldLog: KeyLog
    let new: PartitionKernel
    let record: KeyRecord
    let log: KeyLog

    private var rows: Range<Int> { oldLog.head..<oldLog.tail }

    // MARK: Columns

    func copy(offset: Int, to target: Int, width: Int) {
        if oldLog.count == 0 { return }
        let (source, target) = (oldLog.base + offset &* oldLog.capacity, log.base + target &* log.capacity)
        let first = oldLog.head & oldLog.mask
        let run = min(oldLog.count, oldLog.capacity &- first)
        (target + first &* width).copyMemory(from: source + first &* width, byteCount: run &* width)
        target.copyMemory(from: source, byteCount: (oldLog.count &- run) &* width)
    }

    private func copyTotal(_ from: Int, _ to: Int, bytes: Int) {
        (record.raw + to).copyMemory(from: oldRecord.raw + from, byteCount: bytes)
    }

    func copyTies(memory: borrowing ShardMemory) {
        for number in 0..<new.code.tieCount {
            let (from, to) = (old.code.ties[number], new.code.ties[number])
            copy(offset: from.values, to: to.values, width: to.form.storedBytes)
            copy(offset: from.nulls, to: to.nulls, width: 1)
            guard to.form == .text else { continue }
            for position in rows where log.column(to.nulls, as: UInt8.self)[position & log.mask] == 0 {
                memory.texts.retain(log.column(to.values, as: UInt32.self)[position & log.mask], in: memory.arena)
            }
        }
    }

    /// Fills an input's columns but for its links.
    func fill(_ input: InputCode, from source: KeyRebuild.Input, memory: borrowing ShardMemory) {
        let values = SourceRows(self, source)
        if input.values >= 0 && !input.isTime {
            copyValues(input, from: values)
            if input.form == .text {
                for position in rows {
                    memory.texts.retain(log.column(input.values, as: UInt32.self)[position & log.mask], in: memory.arena)
                }
            }
        }
        let own = source.source == .input && source.companion < 0 && source.carriesTotals ? old.code.inputs[source.number] : nil
        if input.counts >= 0 {
            if let own, own.counts >= 0 {
                copy(offset: own.counts, to: input.counts, width: 4)
                copyTotal(own.countTotal, input.countTotal, bytes: 8)
            } else {
                // Rows of an input that was never NULL have been counted by their positions.
                let given = own.map { !$0.mayBeNull } == true ? max(0, log.head - record.floor) : 0
                record.field(input.countTotal, as: Int64.self).pointee = Int64(given)
                for position in rows {
                    new.advance(
                        record, log, total: input.countTotal, column: input.counts, by: values.isThere(position) ? 1 : 0, position
                    )
                }
            }
        }
        if input.trues >= 0 {
            if let own, own.trues >= 0 {
                copy(offset: own.trues, to: input.trues, width: 4)
                copyTotal(own.trueTotal, input.trueTotal, bytes: 8)
            } else {
                for position in rows {
                    new.advance(
                        record, log, total: input.trueTotal, column: input.trues, by: values.isTrue(position) ? 1 : 0, position)
                }
            }
        }
        if input.sums < 0 { return }
        if let own, own.sums >= 0 {
            copy(offset: own.sums, to: input.sums, width: input.sumBytes)
            copyTotal(own.sumTotal, input.sumTotal, bytes: input.sumBytes)
        } else if input.sumBytes == 8 {
            sumUp(input, values, as: Int64.self)
        } else {
            sumUp(input, values, as: Int128.self)
        }
    }

    private func sumUp<T: FixedWidthInteger>(_ input: InputCode, _ values: SourceRows, as: T.Type) {
        var total: T = 0
        let sums = log.column(input.sums, as: T.self)
        for position in rows {
            sums[position & log.mask] = total
            if values.isThere(position) { total &+= T(truncatingIfNeeded: values.exact(position)) }
        }
        record.field(input.sumTotal, as: T.self).pointee = total
    }

    private func copyValues(_ input: InputCode, from source: SourceRows) {
        let width = input.form.storedBytes
        if let offset = source.valuesOffset {
            copy(offset: offset, to: input.values, width: width)
            if source.isAsStored {
                guard input.nulls >= 0 else { return }
                if let nulls = source.nullsOffset { return copy(offset: nulls, to: input.nulls, width: 1) }
            }
        }
        for position in rows {
            let slot = position & log.mask
            let isThere = source.isThere(position)
            if input.nulls >= 0 { log.column(input.nulls, as: UInt8.self)[slot] = isThere ? 0 : 1 }
            if !isThere {
                storeNull(input, slot)
            } else if source.valuesOffset == nil {
                storeExact(input, source.exact(position), slot)
            }
            if isThere && input.form == .double {
                let doubles = log.column(input.values, as: Double.self)
                if doubles[slot].isNaN { doubles[slot] = StoredValue.stored(doubles[slot]) }
            }
        }
    }

    private func storeNull(_ input: InputCode, _ slot: Int) {
        switch input.form {
        case .integer: log.column(input.values, as: Int64.self)[slot] = 0
        case .double: log.column(input.values, as: UInt64.self)[slot] = StoredValue.nullDoubleBits
        case .boolean: log.column(input.values, as: UInt8.self)[slot] = StoredValue.nullBoolean
        case .decimal: log.column(input.values, as: Int128.self)[slot] = StoredValue.nullDecimal
        case .text: log.column(input.values, as: UInt32.self)[slot] = TextInterner.none
        case .interval: log.column(input.values, as: Interval.self)[slot] = Interval(months: StoredValue.nullMonths)
        case .array: arraysAreResults()
        }
    }

    /// What sums and counts have told.
    private func storeExact(_ input: InputCode, _ value: Int128, _ slot: Int) {
        switch input.form {
        case .integer: log.column(input.values, as: Int64.self)[slot] = Int64(truncatingIfNeeded: value)
        case .decimal: log.column(input.values, as: Int128.self)[slot] = value
        case .boolean: log.column(input.values, as: UInt8.self)[slot] = value == 0 ? 0 : 1
        case .double, .text, .interval, .array: preconditionFailure("only integers, numerics and booleans are told by sums")
        }
    }

    // MARK: Links and what follows from rows

    /// Links rows with equal values, and takes over what given-up rows have left behind.
    func link(_ input: InputCode, from source: KeyRebuild.Input, memory: borrowing ShardMemory) {
        let own = source.source == .input && source.companion < 0 ? old.code.inputs[source.number] : nil
        var keepsGivenUp = false
        if let own, source.carriesTotals, own.givenUp >= 0, input.givenUp >= 0 {
            keepsGivenUp = true
            copyTotal(own.givenUp, input.givenUp, bytes: 12)
            oldRecord.field(own.givenUp, as: UInt32.self).update(repeating: 0, count: 3)
        }
        guard let own, own.next >= 0 else { return new.link(record, log, input, memory.arena.base) }
        let occurrences = Occurrences(record, input, log, memory.arena.base)
        occurrences.clearTable()
        copy(offset: own.previous, to: input.previous, width: 4)
        copy(offset: own.next, to: input.next, width: 4)
        let (previous, next) = (occurrences.previous, occurrences.next)
        for position in rows {
            let slot = position & log.mask
            if !keepsGivenUp && previous[slot] == Occurrences.givenUp { previous[slot] = 0 }
            if occurrences.hasTable && next[slot] == 0 { occurrences.addToTable(position) }
        }
    }

    func countGroups() {
        if new.code.groups < 0 { return }
        if old.code.groups >= 0 {
            copy(offset: old.code.groups, to: new.code.groups, width: 4)
            return copyTotal(old.code.groupTotal, new.code.groupTotal, bytes: 8)
        }
        for position in rows { new.storeGroup(record, log, position: position) }
    }

    // MARK: Folds

    func copy(fold: FoldCode, to target: FoldCode, memory: borrowing ShardMemory) {
        let bytes = fold.kind == .lastPresent ? (fold.n * fold.form.storedBytes + 15) & ~15 + 16 : fold.bytes
        copyTotal(fold.offset, target.offset, bytes: bytes)
        if fold.kind == .lastPresent {
            if fold.form == .text { PresentValues(record, target).retain(memory: memory) }
            return
        }
        if new.foldState(record, target) != 1 { return }
        if fold.isValue && fold.form == .text {
            memory.texts.retain(record.field(target.offset, as: UInt32.self).pointee, in: memory.arena)
        }
        if fold.hasValue && fold.valueForm == .text {
            memory.texts.retain(record.field(target.offset + FoldCode.valueOffset, as: UInt32.self).pointee, in: memory.arena)
        }
    }
}
