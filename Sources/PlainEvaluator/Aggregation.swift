import CKernels
import Language
import Values

/// One aggregate over the rows of a frame that FILTER let pass.
struct Aggregation {
    let call: WindowCall
    let rows: [WindowsState.StoredRow]
    /// Place of the call among those of its grouping.
    let place: Int
    let time: Int64
    let zone: ZoneRules
    let timeType: ValueType

    /// How far a sum of doubles may be from the exact one, as a part of Σ|x|.
    static let sumBound = 1e-12

    var result: Cell {
        switch call.function {
        case .decayedSum, .decayedCount: return decayed()
        case .covarianceSample, .covariancePopulation, .correlation, .regressionSlope, .regressionIntercept, .regressionR2:
            return PairedMoments(pairs).result(call.function)
        case .argumentMinimum, .argumentMaximum: return atExtreme()
        case .arrayAggregate: return rows.isEmpty ? .null : Cell(.list(rows.map { $0.arguments[place][0].value }))
        case .count where call.arguments.isEmpty: return Cell(.integer(Int64(rows.count)))
        default: break
        }
        var cells = rows.map { $0.arguments[place][0] }.filter { !$0.isNull }
        if call.isDistinct {
            if !areToldApart(cells) { return .vague }
            var known: Set<Value> = []
            cells = cells.filter { known.insert($0.value.canonical).inserted }
        }
        if call.function == .count { return Cell(.integer(Int64(cells.count))) }
        if cells.isEmpty { return call.function == .approximateCountDistinct ? Cell(.integer(0)) : .null }
        if cells.contains(where: { $0.bound > 0 }) { return ofInexact(cells) }
        return exact(cells.map(\.value))
    }

    /// Whether it is sure which values are equal: inexact ones are only known to be others where their bounds do not meet.
    private func areToldApart(_ cells: [Cell]) -> Bool {
        guard cells.contains(where: { $0.bound > 0 }) else { return true }
        var spans: [(low: Double, high: Double, isExact: Bool)] = []
        for cell in cells {
            guard case .double(let value) = cell.value, value.isFinite, !cell.isVague else { return false }
            spans.append((value - cell.bound, value + cell.bound, cell.bound == 0))
        }
        spans.sort { $0.low < $1.low }
        var reached = spans[0]
        for span in spans.dropFirst() {
            if span.low <= reached.high && !(span.isExact && reached.isExact) { return false }
            if span.high >= reached.high { reached = span }
        }
        return true
    }

    /// Of values that are sums of doubles themselves.
    private func ofInexact(_ cells: [Cell]) -> Cell {
        if cells.contains(where: \.isVague) { return .vague }
        let slack = cells.reduce(0.0) { $0 + $1.bound }
        var result = exact(cells.map(\.value))
        switch call.function {
        case .sum: result.bound += slack
        case .average: result.bound += slack / Double(cells.count)
        case .minimum, .maximum: result.bound += cells.map(\.bound).max()!
        default: return .vague
        }
        return result
    }

    private func exact(_ values: [Value]) -> Cell {
        switch call.function {
        case .sum, .average: return summed(values)
        case .minimum: return Cell(values.min { order($0, $1) < 0 }!)
        case .maximum: return Cell(values.max { order($0, $1) < 0 }!)
        case .booleanAnd: return .truth(!values.contains(.boolean(false)))
        case .booleanOr: return .truth(values.contains(.boolean(true)))
        case .bitAnd: return Cell(.integer(values.map(\.whole).reduce(-1, &)))
        case .bitOr: return Cell(.integer(values.map(\.whole).reduce(0, |)))
        case .bitXor: return Cell(.integer(values.map(\.whole).reduce(0, ^)))
        case .mode: return mostFrequent(values)
        case .approximateCountDistinct:
            // It is exact.
            return Cell(.integer(Int64(Set(values.map(\.canonical)).count)))
        case .stringAggregate(let separator):
            let texts = values.map { value -> [UInt8] in if case .text(let bytes) = value { bytes } else { [] } }
            return Cell(.text(Array(texts.joined(separator: Array(separator.utf8)))))
        case .quantileContinuous(let fraction): return quantile(values, fraction)
        case .quantileDiscrete(let fraction):
            let sorted = values.sorted { order($0, $1) < 0 }
            let rank = max(1, Int((fraction * Double(values.count)).rounded(.up)))
            return Cell(sorted[min(rank, sorted.count) - 1])
        case .varianceSample, .variancePopulation, .deviationSample, .deviationPopulation: return spread(values)
        case .skewness, .kurtosis: return shape(values)
        default: fatalError("the evaluator does not know \(call.function)")
        }
    }

    private var scale: Int {
        if case .numeric(_, let scale) = call.arguments[0].type { scale } else { 0 }
    }

    private func doubles(_ values: [Value]) -> [Double] {
        values.map { value in
            switch value {
            case .double(let number): number
            case .integer(let number): Double(number)
            case .decimal(let number): Decimals.double(number, scale: scale)
            default: fatalError("\(value) is no number")
            }
        }
    }

    // MARK: Sums

    private func summed(_ values: [Value]) -> Cell {
        let count = Double(values.count)
        if case .double = values[0] {
            let moments = ExactMoments(doubles(values), isSpreadNeeded: false)
            let divisor = call.function == .average ? count : 1
            if moments.hasNaNOrInfinity { return Cell(.double(moments.sum / divisor)) }
            return Cell(.double(moments.sum / divisor), bound: Self.sumBound * moments.magnitude / divisor)
        }
        let total = values.reduce(Int128(0)) { sum, value in
            switch value {
            case .integer(let number): sum + Int128(number)
            case .decimal(let number): sum + number
            default: fatalError("\(value) is no number")
            }
        }
        if call.function == .average {
            let average = Decimals.double(total, scale: scale) / count
            return Cell(.double(average), bound: 4 * average.magnitude.ulp)
        }
        return Cell(call.type.isNumeric ? .decimal(total) : .integer(Int64(total)))
    }

    private func decayed() -> Cell {
        var (weighted, magnitude) = (ExactSum(), 0.0)
        var other = 0.0
        var count = 0
        for row in rows {
            let decay: Frame.Distance
            var x = 1.0
            switch call.function {
            case .decayedSum(let distance):
                decay = distance
                let cell = row.arguments[place][0]
                if cell.isNull { continue }
                if cell.bound > 0 { return .vague }
                x = doubles([cell.value])[0]
            case .decayedCount(let distance): decay = distance
            default: fatalError()
            }
            count += 1
            let length: Double =
                switch decay {
                case .integer(let units): Double(units)
                case .interval(let interval): Double(interval.normalizedMicroseconds)
                }
            let unit: Double = if case .interval = decay, timeType == .date { 86_400_000_000 } else { 1 }
            // A weight is never 0, however small.
            let term = x.isInfinite ? x : x * millrace_exp(-Double(time - row.time) * unit / length)
            if term.isFinite {
                weighted.add(term)
                magnitude += term.magnitude
            } else {
                other += term
            }
        }
        if count == 0 { return .null }
        // Below the least normal number every term is rounded to a multiple of the least one there is.
        let steps = Double(count + 1) * Double.leastNonzeroMagnitude
        return Cell(.double(weighted.value + other), bound: 1e-11 * magnitude + steps)
    }

    // MARK: Chosen values

    private func atExtreme() -> Cell {
        var best: WindowsState.StoredRow?
        for row in rows {
            let candidate = row.arguments[place][1]
            if candidate.bound > 0 { return .vague }
            if candidate.isNull || row.arguments[place][0].isNull { continue }
            guard let known = best?.arguments[place][1].value else {
                best = row
                continue
            }
            let difference = order(candidate.value, known)
            if call.function == .argumentMinimum ? difference < 0 : difference > 0 { best = row }
        }
        return best?.arguments[place][0] ?? .null
    }

    private func mostFrequent(_ values: [Value]) -> Cell {
        var counts: [Value: Int] = [:]
        for value in values { counts[value.canonical, default: 0] += 1 }
        let most = counts.values.max()!
        return Cell(values.first { counts[$0.canonical] == most }!)
    }

    private func quantile(_ values: [Value], _ fraction: Double) -> Cell {
        let sorted = values.sorted { order($0, $1) < 0 }
        let place = fraction * Double(values.count - 1)
        let (low, high) = (Int(place.rounded(.down)), Int(place.rounded(.up)))
        let ends = doubles([sorted[low], sorted[high]])
        if low == high { return Cell(.double(ends[0])) }
        // DuckDB's form: an infinite end is met, where the difference of two would be NaN.
        let part = place - Double(low)
        let result = ends[0] * (1 - part) + ends[1] * part
        return Cell(.double(result), bound: result.isFinite ? 1e-14 * (ends[0].magnitude + ends[1].magnitude) : 0)
    }

    // MARK: Moments

    private func spread(_ values: [Value]) -> Cell {
        let isSample = call.function == .varianceSample || call.function == .deviationSample
        let isDeviation = call.function == .deviationSample || call.function == .deviationPopulation
        let moments = ExactMoments(doubles(values), isSpreadNeeded: true)
        let divisor = isSample ? moments.count - 1 : moments.count
        if divisor < 1 { return .null }
        if moments.hasNaNOrInfinity { return Cell(.double(.nan)) }
        if moments.spread == 0 { return Cell(.double(0)) }
        let variance = moments.spread / moments.count / divisor
        guard variance.isFinite, moments.squares.isFinite else { return .vague }
        let relative = moments.relativeBound
        // Where nothing of the digits is left, it is still no more than the mean square.
        let bound = relative < 0.5 ? variance * relative : moments.squares / divisor
        if !isDeviation { return Cell(.double(variance), bound: bound) }
        return Cell(.double(variance.squareRoot()), bound: relative < 0.5 ? variance.squareRoot() * relative : bound.squareRoot())
    }

    private func shape(_ values: [Value]) -> Cell {
        let numbers = doubles(values)
        let n = Double(numbers.count)
        if n < (call.function == .skewness ? 3 : 4) { return .null }
        let moments = ExactMoments(numbers, isSpreadNeeded: true)
        if moments.hasNaNOrInfinity { return Cell(.double(.nan)) }
        if moments.spread == 0 { return .null }
        let mean = moments.sum / n
        func central(_ power: Int) -> Double {
            numbers.reduce(0.0) { sum, x in sum + (0..<power).reduce(1.0) { product, _ in product * (x - mean) } } / n
        }
        let relative = moments.relativeBound
        if relative > 1e-6 { return .vague }
        let m2 = central(2)
        if call.function == .skewness {
            let result = (n * (n - 1)).squareRoot() / (n - 2) * central(3) / (m2 * m2.squareRoot())
            return Cell(.double(result), bound: 100 * relative * (1 + result.magnitude) * n.squareRoot())
        }
        let result = (n - 1) * ((n + 1) * central(4) / (m2 * m2) - 3 * (n - 1)) / ((n - 2) * (n - 3))
        return Cell(.double(result), bound: 100 * relative * (1 + result.magnitude) * n)
    }

    private var pairs: [(y: Double, x: Double)]? {
        var result: [(y: Double, x: Double)] = []
        for row in rows {
            let cells = row.arguments[place]
            if cells[0].bound > 0 || cells[1].bound > 0 { return nil }
            if cells[0].isNull || cells[1].isNull { continue }
            result.append((doubles([cells[0].value])[0], doubles([cells[1].value])[0]))
        }
        return result
    }
}

extension ExactMoments {
    /// How far a variance may be from the exact one, as a part of it: rounding grows with the condition number, the root of
    /// the mean square over the variance (T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for Computing the Sample
    /// Variance", 1983).
    var relativeBound: Double {
        let condition = (count * squares / spread).squareRoot()
        let first = (10 + count.squareRoot()) * 1e-15 * condition
        return first + first * first
    }
}

extension Value {
    fileprivate var whole: Int64 { if case .integer(let value) = self { value } else { fatalError("\(self) is no integer") } }
}
