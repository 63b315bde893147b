import Plan
import Values

struct PartialCode {
    enum Kind: UInt8 {
        case sum, variance
        case leastInteger, greatestInteger, leastDouble, greatestDouble, leastDecimal, greatestDecimal
        case leastText, greatestText, leastInterval, greatestInterval
    }

    let kind: Kind
    let input: Int
    let offset: Int
}

extension PartialCode.Kind {
    init(_ kind: StateLayout.Partial.Kind, form: Form) {
        switch kind {
        case .sum: self = .sum
        case .variance: self = .variance
        case .minimum: self = .extreme(form, isGreatest: false)
        case .maximum: self = .extreme(form, isGreatest: true)
        }
    }

    static func extreme(_ form: Form, isGreatest: Bool) -> Self {
        switch form {
        case .integer: isGreatest ? .greatestInteger : .leastInteger
        case .double: isGreatest ? .greatestDouble : .leastDouble
        case .decimal: isGreatest ? .greatestDecimal : .leastDecimal
        case .text: isGreatest ? .greatestText : .leastText
        case .interval: isGreatest ? .greatestInterval : .leastInterval
        case .boolean: preconditionFailure("min and max of boolean are refused by the language")
        case .array: arraysAreResults()
        }
    }
}
