import Language
import Values

/// What registers stand for, as numbers: equal computations have equal numbers, whatever the plan, the view, the place or the
/// name they come from. A column is its table's name, its own and its type; everything else is made of what it is made of.
///
/// One table of meanings serves the plans that are compared with each other.
struct Meanings {
    enum Meaning: Hashable {
        case column(table: String, name: String, type: ValueType)
        /// `zone` where the result depends on the session's time zone.
        case step(Step.Operation, inputs: [Int], type: ValueType, zone: String?)
        case state(StateMeaning)
        case call(state: Int, CallMeaning)
        case joinTable(JoinTableMeaning)
        /// column nil: whether there is a row.
        case join(table: Int, keys: [Int], time: Int?, includesEqual: Bool, column: Int?)
        /// What a register of a UNION ALL stands for in each of its streams.
        case united([Int])
    }

    /// What makes a state the same one: which rows it has, under which keys, in which order.
    struct StateMeaning: Hashable {
        var stage: Int
        /// Sorted: the order of PARTITION BY means nothing.
        var keys: [Int]
        var time: Int
        var tieBreakers: [Int]
        var entry: Int?
    }

    /// What a call computes of a state's rows, but for its state.
    struct CallMeaning: Hashable {
        var function: WindowFunction
        var argument: Int?
        var second: Int?
        var filter: Int?
        var isDistinct: Bool
        var ignoresNulls: Bool
        var frame: Frame
        /// Where days and months are counted by a zone's clocks.
        var zone: String?
    }

    struct JoinTableMeaning: Hashable {
        var table: String
        /// Sorted.
        var keys: [Int]
        var time: Int?
        var condition: Int?
        var stage: Int
    }

    private var numbers: [Meaning: Int] = [:]

    mutating func number(_ meaning: Meaning) -> Int {
        if let known = numbers[meaning] { return known }
        numbers[meaning] = numbers.count
        return numbers.count - 1
    }
}

extension Step.Operation {
    /// Whether equal inputs may give different results in different time zones.
    func dependsOnZone(_ inputs: [Register], _ output: Register) -> Bool {
        if !inputs.contains(where: { $0.type == .timestamptz }) && output.type != .timestamptz { return false }
        switch self {
        case .constant, .choose: return false
        case .call(let function):
            switch function {
            case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .isDistinctFrom, .isNotDistinctFrom, .isNull,
                .isNotNull, .isIn, .coalesce, .nullIf, .greatest, .least, .atTimeZone:
                return false
            default: return true
            }
        }
    }

    /// Whether the order of the inputs means nothing.
    var isCommutative: Bool {
        switch self {
        case .call(.and), .call(.or), .call(.equal), .call(.notEqual), .call(.isDistinctFrom), .call(.isNotDistinctFrom): true
        default: false
        }
    }
}

extension Frame {
    /// Whether a calendar day or month of it may be longer than another.
    var hasCalendarDistance: Bool {
        [start, end].contains { bound in
            guard case .preceding(.interval(let interval)) = bound else { return false }
            return interval.days != 0 || interval.months != 0
        }
    }
}
