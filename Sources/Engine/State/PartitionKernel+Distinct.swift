import Bytes
import Values

/// mode, sum(DISTINCT), avg(DISTINCT).
extension PartitionKernel {
    func modes(
        _ call: CallCode, _ frames: UnsafePointer<FramePositions>, _ result: Vector, _ count: Int, isLookUp: Bool,
        memory: inout ShardMemory, output: inout TextArena
    ) {
        let state = code.frameStates[call.frameState]
        for index in 0..<count {
            let (log, row) = (pending[index].log, pending[index].row)
            let isLasting = !isLookUp && pending[index].position &+ 1 == log.tail
            let mode = mode(state, pending[index].record, log)
            if let position = mode.position(of: FrameRows(frames[index]), isLasting: isLasting, &memory.arena) {
                writeValue(log, code.inputs[call.input], position, to: result, row, memory, &output)
            } else {
                result.nulls[row] = 1
            }
        }
    }

    func distinctSums(
        _ call: CallCode, _ frames: UnsafePointer<FramePositions>, _ result: Vector, _ count: Int, memory: inout ShardMemory
    ) {
        let state = code.frameStates[call.frameState]
        let input = code.inputs[call.input]
        for index in 0..<count {
            let row = pending[index].row
            let sum = distinctSum(state, pending[index].record, pending[index].log).result(
                FrameRows(frames[index]), &memory.arena)
            result.nulls[row] = sum.count == 0 ? 1 : 0
            if sum.count == 0 { continue }
            if call.kind == .distinctAverage {
                let total = input.form == .double ? sum.double : Double(nearest: sum.exact) / input.unit
                result.doubles[row] = total / Double(sum.count)
            } else if call.resultForm == .double {
                result.doubles[row] = sum.double
            } else if call.resultForm == .decimal {
                result.decimals[row] = sum.exact
            } else {
                result.integers[row] = Int64(truncatingIfNeeded: sum.exact)
            }
        }
    }

    @inline(__always)
    func mode(_ state: FrameStateCode, _ record: KeyRecord, _ log: KeyLog) -> FrameMode {
        FrameMode(record.field(state.offset, as: UInt32.self), code.inputs[state.input], log)
    }

    @inline(__always)
    func distinctSum(_ state: FrameStateCode, _ record: KeyRecord, _ log: KeyLog) -> DistinctSum {
        DistinctSum(record.raw + state.offset, code.inputs[state.input], log)
    }
}
