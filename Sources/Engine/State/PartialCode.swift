import Plan
import Values

struct PartialCode {
    enum Kind: UInt8 {
        case variance
        case leastInteger, greatestInteger, leastDouble, greatestDouble, leastDecimal, greatestDecimal
        case leastText, greatestText, leastInterval, greatestInterval, leastBoolean, greatestBoolean
        case bitAnd, bitOr, bitXor
        case shape, pairs, decay
    }

    let kind: Kind
    /// Of an extreme: its row's position is kept beside it.
    let hasPosition: Bool
    let input: Int
    let offset: Int
}

extension PartialCode.Kind {
    init(_ kind: StateLayout.Partial.Kind, form: Form) {
        switch kind {
        case .variance: self = .variance
        case .minimum, .argumentMinimum: self = .extreme(form, isGreatest: false)
        case .maximum, .argumentMaximum: self = .extreme(form, isGreatest: true)
        case .bitAnd: self = .bitAnd
        case .bitOr: self = .bitOr
        case .bitXor: self = .bitXor
        case .shape: self = .shape
        case .pairs: self = .pairs
        case .decay: self = .decay
        }
    }

    static func extreme(_ form: Form, isGreatest: Bool) -> Self {
        switch form {
        case .integer: isGreatest ? .greatestInteger : .leastInteger
        case .double: isGreatest ? .greatestDouble : .leastDouble
        case .decimal: isGreatest ? .greatestDecimal : .leastDecimal
        case .text: isGreatest ? .greatestText : .leastText
        case .interval: isGreatest ? .greatestInterval : .leastInterval
        case .boolean: isGreatest ? .greatestBoolean : .leastBoolean
        case .array: arraysAreResults()
        }
    }
}
