import Bytes
import Values

/// quantile_cont, quantile_disc, median: exact, over any frame.
extension PartitionKernel {
    func quantiles(
        _ call: CallCode, _ frames: UnsafePointer<FramePositions>, _ result: Vector, _ count: Int, isLookUp: Bool,
        memory: inout ShardMemory
    ) {
        let isWide = code.inputs[call.input].form == .decimal
        for index in 0..<count {
            let (record, log, row) = (pending[index].record, pending[index].log, pending[index].row)
            let isLasting = !isLookUp && pending[index].position &+ 1 == log.tail
            if isWide {
                quantile(of: Int128.self, record, log, call, frames[index], isLasting: isLasting, result, row, memory: &memory)
            } else {
                quantile(of: Int64.self, record, log, call, frames[index], isLasting: isLasting, result, row, memory: &memory)
            }
        }
    }

    private func quantile<Key: FixedWidthInteger & SignedInteger>(
        of: Key.Type, _ record: KeyRecord, _ log: KeyLog, _ call: CallCode, _ frame: FramePositions, isLasting: Bool,
        _ result: Vector, _ row: Int, memory: inout ShardMemory
    ) {
        let input = code.inputs[call.input]
        let order = order(of: Key.self, code.frameStates[call.frameState], record, log)
        let rows = FrameRows(frame)
        let isHeld = order.holds(rows, isLasting: isLasting, &memory.arena)
        let count = isHeld ? order.tree.count : order.valueCount(rows)
        result.nulls[row] = count == 0 ? 1 : 0
        if count == 0 {
            if isHeld { order.release(rows, &memory.arena) }
            return
        }
        let fraction = call.fraction
        let continuous = call.kind == .quantileContinuous ? fraction.value * Double(count &- 1) : 0
        let rank = call.kind == .quantileContinuous ? Int(continuous) : fraction.rank(of: count)
        let (low, high) =
            isHeld
            ? order.tree.values(ofRank: rank, base: memory.arena.base) : order.selected(rank, of: count, rows)
        if isHeld { order.release(rows, &memory.arena) }
        if call.kind == .quantileContinuous {
            let weight = continuous - Double(rank)
            let below = number(low, input)
            result.doubles[row] = weight == 0 ? below : below * (1 - weight) + number(high, input) * weight
        } else if input.form == .decimal {
            result.decimals[row] = Int128(truncatingIfNeeded: low)
        } else if input.form == .double {
            result.doubles[row] = number(low, input)
        } else {
            result.integers[row] = Int64(truncatingIfNeeded: low)
        }
    }

    @inline(__always)
    private func number<Key: FixedWidthInteger & SignedInteger>(_ key: Key, _ input: InputCode) -> Double {
        switch input.form {
        case .decimal: return Double(nearest: Int128(truncatingIfNeeded: key)) / input.unit
        case .double:
            let bits = Int64(truncatingIfNeeded: key)
            return Double(bitPattern: UInt64(bitPattern: bits ^ (bits >> 63 & .max)))
        default: return Double(Int64(truncatingIfNeeded: key))
        }
    }
}

/// The fraction 0 … 1 of a quantile.
struct QuantileFraction {
    let value: Double
    /// The same as written, numerator / 10^n: 0.28 of 25 values are exactly 7, which 0.28 × 25.0 is not.
    private let numerator: Int128
    private let denominator: Int128

    init(_ value: Double) {
        self.value = value
        var denominator = 1.0
        // 10^17 is more than a double between 0 and 1 needs to be told from its neighbours.
        while (value * denominator).rounded() / denominator != value && denominator < 1e17 { denominator *= 10 }
        self.denominator = Int128(denominator)
        numerator = Int128((value * denominator).rounded())
    }

    /// Rank, from 0, of the first of `count` values in order that reaches the fraction.
    @inline(__always)
    func rank(of count: Int) -> Int {
        let reached = (Int128(count) * numerator + denominator - 1) / denominator
        return max(1, Int(reached)) - 1
    }
}
