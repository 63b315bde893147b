import Bytes
import Values

/// arg_min and arg_max.
extension PartitionKernel {
    private enum Place {
        case nowhere, fold, row(Int)
    }

    func argumentExtreme(
        _ record: KeyRecord, _ log: KeyLog, _ call: CallCode, _ frame: FramePositions, _ result: Vector, _ row: Int,
        memory: borrowing ShardMemory, output: inout TextArena
    ) {
        switch place(record, log, call, frame, code.hasTexts ? memory.texts.table(memory.arena) : .nothing) {
        case .nowhere: result.nulls[row] = 1
        case .row(let position): writeValue(log, code.inputs[call.valueInput], position, to: result, row, memory, &output)
        case .fold:
            let fold = code.folds[call.fold]
            result.nulls[row] = 0
            write(record.raw + fold.offset + FoldCode.valueOffset, fold.valueForm, to: result, row, memory, &output)
        }
    }

    private func place(
        _ record: KeyRecord, _ log: KeyLog, _ call: CallCode, _ frame: FramePositions, _ texts: TextTable
    ) -> Place {
        func place<E: Extreme>(_: E.Type) -> Place {
            let found = BlockLevels<Argument<E>>(log, code.inputs[call.input], offset: call.partial, texts: texts).value(
                of: frame)
            if frame.isWhole && call.fold >= 0 && foldState(record, code.folds[call.fold]) == 1 {
                let folded = record.field(code.folds[call.fold].offset, as: E.Partial.self).pointee
                if found.position < 0 || !E.picks(found.value, over: folded, texts) { return .fold }
            }
            return found.position < 0 ? .nowhere : .row(found.position)
        }
        let isGreatest = call.kind == .argumentMaximum
        switch code.inputs[call.input].form {
        case .boolean: return isGreatest ? place(GreatestBoolean.self) : place(LeastBoolean.self)
        case .integer: return isGreatest ? place(GreatestInteger.self) : place(LeastInteger.self)
        case .double: return isGreatest ? place(GreatestDouble.self) : place(LeastDouble.self)
        case .decimal: return isGreatest ? place(GreatestDecimal.self) : place(LeastDecimal.self)
        case .text: return isGreatest ? place(GreatestText.self) : place(LeastText.self)
        case .interval: return isGreatest ? place(GreatestInterval.self) : place(LeastInterval.self)
        case .array: arraysAreResults()
        }
    }

    /// Beside the fold's extreme, the other argument of the oldest row.
    func keepArgument(_ record: KeyRecord, _ fold: FoldCode, _ log: KeyLog, memory: inout ShardMemory) {
        let place = record.raw + fold.offset + FoldCode.valueOffset
        let width = fold.valueForm.storedBytes
        let source = log.base + code.inputs[fold.valueInput].values * log.capacity + (log.head & log.mask) * width
        if fold.valueForm == .text {
            memory.texts.retain(source.load(as: UInt32.self), in: memory.arena)
            // The bytes are zero, which is no text's number, before the first one.
            let former = place.load(as: UInt32.self)
            if former != 0 { memory.texts.release(former, in: &memory.arena) }
        }
        place.copyMemory(from: source, byteCount: width)
    }

    /// bit_and, bit_or, bit_xor.
    func bits(_ record: KeyRecord, _ log: KeyLog, _ call: CallCode, _ frame: FramePositions, _ result: Vector, _ row: Int) {
        let input = code.inputs[call.input]
        result.nulls[row] = presentRows(record, log, input, frame) == 0 ? 1 : 0
        func bits<A: BitAggregate>(_: A.Type) -> Int64 {
            let bits = BlockLevels<A>(log, input, offset: call.partial, texts: .nothing).value(of: frame)
            if !frame.isWhole || call.fold < 0 || foldState(record, code.folds[call.fold]) == 0 { return bits }
            return A.combine(record.field(code.folds[call.fold].offset, as: Int64.self).pointee, bits)
        }
        switch call.kind {
        case .bitAnd: result.integers[row] = bits(BitAnd.self)
        case .bitOr: result.integers[row] = bits(BitOr.self)
        default: result.integers[row] = bits(BitXor.self)
        }
    }
}
