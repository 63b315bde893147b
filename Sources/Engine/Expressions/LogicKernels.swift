import Values

/// Three-valued logic over a boolean's value byte and null byte.
extension KernelFrame {
    /// False if either is false, else NULL if either is.
    func and() {
        for row in 0..<count {
            let (leftNull, rightNull) = (a.nulls[row], b.nulls[row])
            let leftFalse = leftNull == 0 && a.booleans[row] == 0
            let rightFalse = rightNull == 0 && b.booleans[row] == 0
            let isFalse = leftFalse || rightFalse
            output.booleans[row] = isFalse ? 0 : 1
            output.nulls[row] = isFalse ? NullByte.value : leftNull | rightNull
        }
    }

    /// True if either is true, else NULL if either is.
    func or() {
        for row in 0..<count {
            let (leftNull, rightNull) = (a.nulls[row], b.nulls[row])
            let leftTrue = leftNull == 0 && a.booleans[row] != 0
            let rightTrue = rightNull == 0 && b.booleans[row] != 0
            let isTrue = leftTrue || rightTrue
            output.booleans[row] = isTrue ? 1 : 0
            output.nulls[row] = isTrue ? NullByte.value : leftNull | rightNull
        }
    }

    func not() { unary { (x: UInt8) in UInt8(x == 0 ? 1 : 0) } }

    func test() {
        @inline(__always) func each(_ f: (_ isNull: Bool, _ value: UInt8) -> Bool) {
            let (nulls, values) = (a.nulls, a.booleans)
            for row in 0..<count { output.booleans[row] = f(nulls[row] != 0, values[row]) ? 1 : 0 }
        }
        switch Test(rawValue: step.variant)! {
        case .isNull: for row in 0..<count { output.booleans[row] = a.nulls[row] != 0 ? 1 : 0 }
        case .isNotNull: for row in 0..<count { output.booleans[row] = a.nulls[row] != 0 ? 0 : 1 }
        case .isTrue: each { !$0 && $1 != 0 }
        case .isNotTrue: each { $0 || $1 == 0 }
        case .isFalse: each { !$0 && $1 == 0 }
        case .isNotFalse: each { $0 || $1 != 0 }
        }
        output.nulls.update(repeating: NullByte.value, count: count)
    }

    /// a, b: the operands; c: whether their values are equal, where neither is NULL.
    func distinct() {
        let flip: UInt8 = step.variant
        for row in 0..<count {
            let (leftNull, rightNull) = (a.nulls[row] != 0, b.nulls[row] != 0)
            let isEqual = leftNull || rightNull ? leftNull && rightNull : c.booleans[row] != 0
            output.booleans[row] = (isEqual ? 0 : 1) ^ flip
            output.nulls[row] = NullByte.value
        }
    }
}
