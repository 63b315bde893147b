import Bytes
import Values

/// IGNORE NULLS: the log counts the values that are there, so the n-th one from anywhere is searched, not scanned for.
extension PartitionKernel {
    @inline(__always)
    func presentCount(_ record: KeyRecord, _ log: KeyLog, _ input: InputCode) -> RunningCount {
        RunningCount(log, column: input.counts, total: record.field(input.countTotal, as: Int64.self).pointee)
    }

    /// first_value, last_value and nth_value.
    func positionalPresent(
        _ record: KeyRecord, _ log: KeyLog, _ call: CallCode, _ frame: FramePositions, _ result: Vector, _ row: Int,
        memory: borrowing ShardMemory, output: inout TextArena
    ) {
        let input = code.inputs[call.input]
        let counts = presentCount(record, log, input)
        let before = counts.steps(before: frame.start)
        let inside = counts.steps(before: frame.end) &- before
        let isApart = frame.apart >= 0 && !log.isNull(input, frame.apart)
        // Behind the floor, which given-up rows of the frame are.
        let givenUp = frame.isWhole ? Int(counts.before(log.head)) : 0
        let position: Int
        if call.kind == .lastPresent {
            if isApart {
                position = frame.apart
            } else if inside > 0 {
                position = counts.row(ofStep: before &+ inside, near: frame.end &- 1)
            } else {
                return writeGivenUp(record, call, fromLast: 1, isThere: givenUp > 0, result, row, memory, &output)
            }
        } else if call.n <= givenUp {
            let fold = code.folds[call.fold]
            result.nulls[row] = 0
            return write(record.raw + fold.offset, fold.form, to: result, row, memory, &output)
        } else if call.n &- givenUp <= inside {
            position = counts.row(ofStep: before &+ call.n &- givenUp, near: frame.start)
        } else if isApart && call.n &- givenUp == inside &+ 1 {
            position = frame.apart
        } else {
            result.nulls[row] = 1
            return
        }
        writeValue(log, input, position, to: result, row, memory, &output)
    }

    /// lag, at least one back.
    func lagPresent(
        _ view: BatchRows, _ row: Int, _ record: KeyRecord, _ log: KeyLog, _ call: CallCode, position: Int, floor: Int,
        _ result: Vector, memory: borrowing ShardMemory, output: inout TextArena
    ) {
        let input = code.inputs[call.input]
        let counts = presentCount(record, log, input)
        let floor = min(floor, position)
        let before = counts.steps(before: position)
        let inside = before &- counts.steps(before: max(log.head, floor))
        if call.n <= inside {
            let wanted = counts.row(ofStep: before &- call.n &+ 1, near: position &- call.n)
            return writeValue(log, input, wanted, to: result, row, memory, &output)
        }
        let givenUp = floor == 0 || floor < log.head ? Int(counts.before(log.head)) : 0
        if call.n &- inside > givenUp { return writeDefault(view, row, call, result) }
        writeGivenUp(record, call, fromLast: call.n &- inside, isThere: true, result, row, memory, &output)
    }

    @inline(__always)
    private func writeGivenUp(
        _ record: KeyRecord, _ call: CallCode, fromLast number: Int, isThere: Bool, _ result: Vector, _ row: Int,
        _ memory: borrowing ShardMemory, _ output: inout TextArena
    ) {
        result.nulls[row] = isThere ? 0 : 1
        if !isThere { return }
        let fold = code.folds[call.fold]
        write(PresentValues(record, fold).place(fromLast: number), fold.form, to: result, row, memory, &output)
    }
}

/// The values of the last n given-up rows that have one, in the record:
///
///     0          n values, a ring
///     then 8     how many were ever put there; the last one stands at (count - 1) mod n
struct PresentValues {
    let values: UnsafeMutableRawPointer
    let count: UnsafeMutablePointer<Int>
    let n: Int
    let width: Int
    let isText: Bool

    init(_ record: KeyRecord, _ fold: FoldCode) {
        values = record.raw + fold.offset
        n = fold.n
        width = fold.form.storedBytes
        isText = fold.form == .text
        count = record.field(fold.offset + (n * width + 15) & ~15, as: Int.self)
    }

    /// From 1, the last one, to n.
    func place(fromLast number: Int) -> UnsafeMutableRawPointer {
        values + (count.pointee - number) % n * width
    }

    /// Takes in the value of the oldest row.
    func push(_ log: KeyLog, _ input: InputCode, memory: inout ShardMemory) {
        let source = log.base + input.values * log.capacity + (log.head & log.mask) * width
        count.pointee += 1
        let place = place(fromLast: 1)
        if isText {
            memory.texts.retain(source.load(as: UInt32.self), in: memory.arena)
            if count.pointee > n { memory.texts.release(place.load(as: UInt32.self), in: &memory.arena) }
        }
        place.copyMemory(from: source, byteCount: width)
    }

    /// The texts have one more owner.
    func retain(memory: borrowing ShardMemory) {
        for number in 0..<min(n, count.pointee) {
            memory.texts.retain((values + number * width).load(as: UInt32.self), in: memory.arena)
        }
    }

    func clear(memory: inout ShardMemory) {
        if isText {
            for number in 0..<min(n, count.pointee) {
                memory.texts.release((values + number * width).load(as: UInt32.self), in: &memory.arena)
            }
        }
        count.pointee = 0
    }
}
