import Bytes
import Values

/// What given-up rows leave behind for unbounded frames, in the record:
///
///     0   …  the aggregate so far: sum (two doubles, the second holds what rounding lost), moments, bits, or one value
///     24  1  0: nothing yet; 1: a value; 2: NULL (first, nth, last)
///     32  16 what arg_min and arg_max answer with
///
/// The last n values that are there stand otherwise: see `PresentValues`.
extension PartitionKernel {
    @inline(__always)
    func foldState(_ record: KeyRecord, _ fold: FoldCode) -> UInt8 { record.field(fold.offset + 24, as: UInt8.self).pointee }

    /// Takes the oldest row into all folds.
    func fold(_ record: KeyRecord, _ log: KeyLog, memory: inout ShardMemory) {
        for number in 0..<code.foldCount {
            let fold = code.folds[number]
            let input = code.inputs[fold.input]
            let isNull = log.isNull(input, log.head)
            let state = record.field(fold.offset + 24, as: UInt8.self)
            switch fold.kind {
            case .nth:
                if log.head - record.floor + 1 != fold.n { continue }
                keepValue(record, fold, input, log, isNull: isNull, memory: &memory)
            case .last:
                keepValue(record, fold, input, log, isNull: isNull, memory: &memory)
            case .nthPresent:
                if isNull || presentCount(record, log, input).before(log.head) + 1 != fold.n { continue }
                keepValue(record, fold, input, log, isNull: false, memory: &memory)
            case .lastPresent:
                if !isNull { PresentValues(record, fold).push(log, input, memory: &memory) }
            case .shape: takeIn(ShapeOfValues.self, record, fold, log)
            case .pairs: takeIn(MomentsOfPairs.self, record, fold, log)
            case .decay: takeIn(DecayedValues.self, record, fold, log)
            case .bitAnd, .bitOr, .bitXor:
                if !isNull { foldBits(record, fold, log.column(input.values, as: Int64.self)[log.head & log.mask]) }
            case .sum:
                if isNull { continue }
                addToSum(record, fold, log.column(input.values, as: Double.self)[log.head & log.mask])
                state.pointee = 1
            case .variance:
                if isNull { continue }
                let moments = record.field(fold.offset, as: Moments.self)
                var row = Moments()
                VarianceOfValues.scan(log, input, log.head, log.head + 1, .nothing, into: &row)
                moments.pointee = moments.pointee.merged(row)
                state.pointee = 1
            case .minimum, .maximum, .argumentMinimum, .argumentMaximum:
                if isNull || (state.pointee != 0 && !isMoreExtreme(record, fold, input, log, memory: memory)) { continue }
                keepValue(record, fold, input, log, isNull: false, memory: &memory)
                if fold.hasValue { keepArgument(record, fold, log, memory: &memory) }
            }
        }
    }

    /// Aggregates whose partial result is what all zeros say of no rows.
    private func takeIn<Aggregate: BlockAggregate>(
        _ aggregate: Aggregate.Type, _ record: KeyRecord, _ fold: FoldCode, _ log: KeyLog
    ) {
        Aggregate.add(
            log, code.inputs[fold.input], log.head, .nothing,
            into: &record.field(fold.offset, as: Aggregate.Partial.self).pointee)
    }

    /// Two-sum: the second double holds exactly what the first one's rounding loses.
    private func addToSum(_ record: KeyRecord, _ fold: FoldCode, _ value: Double) {
        let parts = record.field(fold.offset, as: Double.self)
        let sum = parts[0] + value
        let virtual = sum - parts[0]
        let lost = (parts[0] - (sum - virtual)) + (value - virtual)
        parts[0] = sum
        parts[1] = sum.isFinite ? parts[1] + lost : 0
    }

    private func isMoreExtreme(
        _ record: KeyRecord, _ fold: FoldCode, _ input: InputCode, _ log: KeyLog, memory: borrowing ShardMemory
    ) -> Bool {
        let texts = code.hasTexts ? memory.texts.table(memory.arena) : .nothing
        let isGreatest = fold.isGreatest
        func picks<E: Extreme>(_ extreme: E.Type) -> Bool {
            extreme.picks(
                extreme.load(log, input, slot: log.head & log.mask), over: record.field(fold.offset, as: E.Partial.self).pointee,
                texts)
        }
        switch fold.form {
        case .integer: return isGreatest ? picks(GreatestInteger.self) : picks(LeastInteger.self)
        case .double: return isGreatest ? picks(GreatestDouble.self) : picks(LeastDouble.self)
        case .decimal: return isGreatest ? picks(GreatestDecimal.self) : picks(LeastDecimal.self)
        case .text: return isGreatest ? picks(GreatestText.self) : picks(LeastText.self)
        case .interval: return isGreatest ? picks(GreatestInterval.self) : picks(LeastInterval.self)
        case .boolean: return isGreatest ? picks(GreatestBoolean.self) : picks(LeastBoolean.self)
        case .array: arraysAreResults()
        }
    }

    private func keepValue(
        _ record: KeyRecord, _ fold: FoldCode, _ input: InputCode, _ log: KeyLog, isNull: Bool, memory: inout ShardMemory
    ) {
        let state = record.field(fold.offset + 24, as: UInt8.self)
        let width = fold.form.storedBytes
        let source = log.base + input.values * log.capacity + (log.head & log.mask) * width
        if fold.form == .text {
            let number = source.load(as: UInt32.self)
            if !isNull { memory.texts.retain(number, in: memory.arena) }
            if state.pointee == 1 { memory.texts.release(record.field(fold.offset, as: UInt32.self).pointee, in: &memory.arena) }
        }
        record.field(fold.offset, as: UInt8.self).update(from: source.assumingMemoryBound(to: UInt8.self), count: width)
        state.pointee = isNull ? 2 : 1
    }

    private func foldBits(_ record: KeyRecord, _ fold: FoldCode, _ value: Int64) {
        let bits = record.field(fold.offset, as: Int64.self)
        let state = record.field(fold.offset + 24, as: UInt8.self)
        switch fold.kind {
        case .bitAnd: bits.pointee = state.pointee == 0 ? value : bits.pointee & value
        case .bitOr: bits.pointee |= value
        default: bits.pointee ^= value
        }
        state.pointee = 1
    }

    /// Starts all folds afresh.
    func resetFolds(_ record: KeyRecord, memory: inout ShardMemory) {
        for number in 0..<code.foldCount {
            let fold = code.folds[number]
            if fold.kind == .lastPresent {
                PresentValues(record, fold).clear(memory: &memory)
                continue
            }
            if foldState(record, fold) == 1 {
                if fold.isValue && fold.form == .text {
                    memory.texts.release(record.field(fold.offset, as: UInt32.self).pointee, in: &memory.arena)
                }
                if fold.hasValue && fold.valueForm == .text {
                    let number = record.field(fold.offset + FoldCode.valueOffset, as: UInt32.self).pointee
                    memory.texts.release(number, in: &memory.arena)
                }
            }
            record.field(fold.offset, as: UInt8.self).update(repeating: 0, count: fold.bytes)
        }
    }
}
