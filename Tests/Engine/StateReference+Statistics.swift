import Foundation
import Language
import Plan
import Values

/// Statistics as their textbooks write them.
extension StateReference {
    /// What the evaluator does not know: values so large that no digit of the others is left.
    static let anything = Scalar.text("anything")

    private func areLarge(_ numbers: [Double]) -> Bool { numbers.contains { $0.isFinite && abs($0) > 1e12 } }

    /// Equal values have no variance, whatever rounding makes of their mean.
    private func mean(_ numbers: [Double]) -> Double {
        numbers.allSatisfy { $0 == numbers[0] } ? numbers[0] : numbers.reduce(0, +) / Double(numbers.count)
    }

    func pairs(_ call: CallPlan, _ rows: [Row]) -> Scalar {
        let (first, second) = (call.argument!, call.second!)
        let both = rows.filter { $0.cells[first.index] != .null && $0.cells[second.index] != .null }
        let y = both.map { $0.cells[first.index].number / first.type.unit }
        let x = both.map { $0.cells[second.index].number / second.type.unit }
        if areLarge(y + x) { return Self.anything }
        if y.isEmpty { return .null }
        let count = Double(y.count)
        let (meanY, meanX) = (mean(y), mean(x))
        let squaresY = y.reduce(0) { $0 + ($1 - meanY) * ($1 - meanY) }
        let squaresX = x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
        let products = zip(y, x).reduce(0) { $0 + ($1.0 - meanY) * ($1.1 - meanX) }
        switch call.function {
        case .covarianceSample: return count < 2 ? .null : .double(products / (count - 1))
        case .covariancePopulation: return .double(products / count)
        case .correlation:
            return squaresY == 0 || squaresX == 0 ? .null : .double(products / (squaresY * squaresX).squareRoot())
        case .regressionSlope: return squaresX == 0 ? .null : .double(products / squaresX)
        case .regressionIntercept: return squaresX == 0 ? .null : .double(meanY - meanX * products / squaresX)
        default:
            return squaresX == 0 ? .null : .double(squaresY == 0 ? 1 : products * products / (squaresX * squaresY))
        }
    }

    func shape(_ function: WindowFunction, _ values: [Double]) -> Scalar {
        if areLarge(values) { return Self.anything }
        let count = Double(values.count)
        let mean = mean(values)
        func moment(_ power: Double) -> Double { values.reduce(0) { $0 + pow($1 - mean, power) } / count }
        if moment(2) == 0 { return .null }
        if function == .skewness {
            return count < 3 ? .null : .double(moment(3) / pow(moment(2), 1.5) * (count * (count - 1)).squareRoot() / (count - 2))
        }
        if count < 4 { return .null }
        let excess = moment(4) / (moment(2) * moment(2)) - 3
        return .double((count - 1) / ((count - 2) * (count - 3)) * ((count + 1) * excess + 6))
    }

    /// The first of the most frequent ones.
    func mode(_ values: [Scalar]) -> Scalar {
        var counts: [Scalar: Int] = [:]
        for value in values { counts[canonical(value), default: 0] += 1 }
        let most = counts.values.max()!
        return values.first { counts[canonical($0)] == most }!
    }

    func different(_ values: [Scalar]) -> [Scalar] {
        var seen: Set<Scalar> = []
        return values.filter { seen.insert(canonical($0)).inserted }
    }

    func decayed(_ call: CallPlan, _ rows: [Row], time: Int64, _ distance: Frame.Distance) -> Scalar {
        var decay = 0.0
        switch distance {
        case .integer(let units): decay = Double(units)
        case .interval(let interval): decay = Double(interval.microseconds) / (plan.time.type == .date ? 86_400_000_000 : 1)
        }
        let there = rows.filter { row in call.argument.map { row.cells[$0.index] != .null } ?? true }
        if there.isEmpty { return .null }
        var isSum = false
        if case .decayedSum = call.function { isSum = true }
        let values = there.map { isSum ? $0.cells[call.argument!.index].number / call.argument!.type.unit : 1 }
        if areLarge(values) { return Self.anything }
        return .double(
            zip(there, values).reduce(0) { sum, next in
                sum + (next.1.isFinite ? next.1 * exp(-Double(time - next.0.time) / decay) : next.1)
            })
    }
}
