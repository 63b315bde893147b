import Values

/// Two machine words, for values of 16 bytes whatever they mean.
struct WordPair {
    var low: UInt64
    var high: UInt64
}

/// Kernels that move whole cells, value and null byte, and so only care for the value's width. `immediate`: bytes.
extension KernelFrame {
    func copy() {
        copyNulls()
        output.values.copyMemory(from: a.values, byteCount: count * Int(step.immediate))
    }

    /// `output = c ? a : b`
    func choose() {
        let (conditions, conditionNulls) = (c.booleans, c.nulls)
        pick { row in conditionNulls[row] == 0 && conditions[row] != 0 }
    }

    func coalesce() {
        let nulls = a.nulls
        pick { row in nulls[row] == 0 }
    }

    /// `a`, NULL where it equals b. c: whether their values are equal, where neither is NULL.
    func nullIf() {
        copy()
        for row in 0..<count where c.nulls[row] == 0 && c.booleans[row] != 0 { output.nulls[row] = NullByte.null }
    }

    /// The greater (variant 1) or lesser; NULLs are ignored, those of a failed operation too, as by COALESCE. c: a < b, where neither is NULL.
    func extreme() {
        let wantsGreater = step.variant == 1
        let (leftNulls, rightNulls, isLess) = (a.nulls, b.nulls, c.booleans)
        pick { row in
            if leftNulls[row] != 0 { return false }
            return rightNulls[row] != 0 || (isLess[row] != 0) != wantsGreater
        }
    }

    /// b into the accumulating output: `isInStart` output = false beside a's NULLs, then one `isInStep` a candidate.
    /// c: whether a equals the candidate.
    func isInStart() {
        copyNulls()
        output.booleans.update(repeating: 0, count: count)
    }

    func isInStep() {
        for row in 0..<count {
            let isHit = c.nulls[row] == 0 && c.booleans[row] != 0
            let wasHit = output.nulls[row] == 0 && output.booleans[row] != 0
            let isIn = isHit || wasHit
            output.booleans[row] = isIn ? 1 : 0
            output.nulls[row] = isIn ? NullByte.value : output.nulls[row] | c.nulls[row]
        }
    }

    @inline(__always) private func pick(_ takesLeft: (Int) -> Bool) {
        switch step.immediate {
        case 1: pickCells(UInt8.self, takesLeft)
        case 8: pickCells(UInt64.self, takesLeft)
        default: pickCells(WordPair.self, takesLeft)
        }
    }

    @inline(__always) private func pickCells<T>(_: T.Type, _ takesLeft: (Int) -> Bool) {
        let (left, right) = (a.values.assumingMemoryBound(to: T.self), b.values.assumingMemoryBound(to: T.self))
        let result = output.values.assumingMemoryBound(to: T.self)
        for row in 0..<count {
            let isLeft = takesLeft(row)
            result[row] = isLeft ? left[row] : right[row]
            output.nulls[row] = isLeft ? a.nulls[row] : b.nulls[row]
        }
    }
}
