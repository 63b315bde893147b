import Language
import Plan
import Values

/// Calls whose state is more than totals and values.
extension StateScenario {
    static func statistic(_ random: inout SeededRandom, types: [ValueType], windows: Int, result: Int) -> CallPlan {
        let columns: [Column] = [.time, .amount, .amount, .amount, .quantity, .large, .price]
        let column = columns.randomElement(using: &random)!
        let argument = Register(index: column.rawValue, type: types[column.rawValue])
        let fraction = Double([0, 1, 10, 25, 28, 50, 50, 75, 90, 99, 100].randomElement(using: &random)!) / 100
        var functions: [WindowFunction] = [.quantileDiscrete(fraction)]
        if column != .time { functions += [.quantileContinuous(fraction)] }
        let function = functions.randomElement(using: &random)!
        var type = argument.type
        switch function {
        case .quantileContinuous: type = .double
        default: break
        }
        return CallPlan(
            function: function, argument: argument,
            filter: random.chance(30) ? Register(index: Column.filter.rawValue, type: .boolean) : nil,
            window: Int.random(in: 0..<windows, using: &random), result: Register(index: result, type: type))
    }
}
