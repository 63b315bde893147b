import Language
import Plan
import Values

/// Calls whose state is more than totals and values.
extension StateScenario {
    static func statistic(_ random: inout SeededRandom, types: [ValueType], step: Int64, windows: Int, result: Int) -> CallPlan {
        let columns: [Column] = [.time, .amount, .amount, .amount, .quantity, .large, .price, .word]
        let column = columns.randomElement(using: &random)!
        let argument = Register(index: column.rawValue, type: types[column.rawValue])
        let fraction = Double([0, 1, 10, 25, 28, 50, 50, 75, 90, 99, 100].randomElement(using: &random)!) / 100
        let decay = decay(&random, types[0], step: step)
        var functions: [WindowFunction] = [.mode, .mode, .approximateCountDistinct, .decayedCount(decay)]
        if column != .word { functions += [.quantileDiscrete(fraction), .quantileDiscrete(fraction)] }
        if [.amount, .quantity, .large, .price].contains(column) {
            functions += [
                .quantileContinuous(fraction), .quantileContinuous(fraction), .sum, .sum, .average, .decayedSum(decay), .skewness,
                .kurtosis,
            ]
        }
        var second: Register?
        if [.amount, .quantity, .price].contains(column) {
            functions += [
                .covarianceSample, .covariancePopulation, .correlation, .regressionSlope, .regressionIntercept, .regressionR2,
            ]
        }
        let function = functions.randomElement(using: &random)!
        var type = ValueType.double
        var isRow = false
        switch function {
        case .quantileDiscrete, .mode: type = argument.type
        case .sum:
            switch argument.type {
            case .integer: type = .bigint
            case .bigint: type = .numeric(precision: 38, scale: 0)
            case .double: break
            default: type = .numeric(precision: 38, scale: 2)
            }
        case .approximateCountDistinct: type = .bigint
        case .covarianceSample, .covariancePopulation, .correlation, .regressionSlope, .regressionIntercept, .regressionR2:
            let other: Column = [.amount, .quantity, .price].randomElement(using: &random)!
            second = Register(index: other.rawValue, type: types[other.rawValue])
        case .decayedCount: isRow = random.chance(50)
        default: break
        }
        return CallPlan(
            function: function, argument: isRow ? nil : argument, second: second,
            filter: random.chance(30) ? Register(index: Column.filter.rawValue, type: .boolean) : nil,
            isDistinct: function == .sum || function == .average,
            window: Int.random(in: 0..<windows, using: &random), result: Register(index: result, type: type))
    }

    private static func decay(_ random: inout SeededRandom, _ time: ValueType, step: Int64) -> Frame.Distance {
        let units = Int64.random(in: 1...20, using: &random) * (step / 3)
        switch time {
        case .timestamp: return .interval(Interval(microseconds: units))
        case .date: return .interval(Interval(microseconds: units * 40_000_000_000))
        default: return .integer(units)
        }
    }
}
