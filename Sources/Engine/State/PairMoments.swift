import Plan
import Values

/// Number of pairs (y, x), their means, and the sums of the products of their distances from them; merged after Chan, Golub
/// and LeVeque, so that equal values have exactly no variance and nothing is ever subtracted.
struct PairMoments {
    var count = 0.0
    var meanY = 0.0
    var meanX = 0.0
    var squaresY = 0.0
    var squaresX = 0.0
    var products = 0.0

    @inline(__always)
    func merged(_ other: PairMoments) -> PairMoments {
        if other.count == 0 { return self }
        if count == 0 { return other }
        let total = count + other.count
        let share = other.count / total
        let deltaY = other.meanY - meanY
        let deltaX = other.meanX - meanX
        let weight = count * share
        return PairMoments(
            count: total, meanY: meanY + deltaY * share, meanX: meanX + deltaX * share,
            squaresY: squaresY + other.squaresY + deltaY * deltaY * weight,
            squaresX: squaresX + other.squaresX + deltaX * deltaX * weight,
            products: products + other.products + deltaY * deltaX * weight)
    }
}

/// Of the input and the second one beside it; rows where one of them is NULL do not count.
enum MomentsOfPairs: BlockAggregate {
    @inline(__always) static var identity: PairMoments { PairMoments() }

    static func scan(_ log: KeyLog, _ input: InputCode, _ a: Int, _ b: Int, _ texts: TextTable, into partial: inout PairMoments) {
        let second = input.second
        // Two passes: the means by distances from the first pair, then the products of the distances from the means.
        var part = PairMoments()
        var (firstY, firstX, sumY, sumX) = (0.0, 0.0, 0.0, 0.0)
        for position in a..<b {
            if log.isNull(input, position) || log.isNull(second, position) { continue }
            let (y, x) = (log.number(input, position), log.number(second, position))
            if part.count == 0 { (firstY, firstX) = (y, x) }
            part.count += 1
            sumY += y - firstY
            sumX += x - firstX
        }
        if part.count == 0 { return }
        part.meanY = firstY + sumY / part.count
        part.meanX = firstX + sumX / part.count
        for position in a..<b {
            if log.isNull(input, position) || log.isNull(second, position) { continue }
            let distanceY = log.number(input, position) - part.meanY
            let distanceX = log.number(second, position) - part.meanX
            part.squaresY += distanceY * distanceY
            part.squaresX += distanceX * distanceX
            part.products += distanceY * distanceX
        }
        partial = partial.merged(part)
    }

    @inline(__always)
    static func combine(_ left: PairMoments, _ right: PairMoments, _ texts: TextTable) -> PairMoments { left.merged(right) }
}

extension KeyLog {
    /// The number at `position`, which is not NULL, as double.
    @inline(__always)
    func number(_ input: InputCode, _ position: Int) -> Double {
        let slot = position & mask
        switch input.form {
        case .double: return column(input.values, as: Double.self)[slot]
        case .integer: return Double(column(input.values, as: Int64.self)[slot])
        case .decimal: return Double(nearest: column(input.values, as: Int128.self)[slot]) / input.unit
        case .boolean, .text, .interval, .array: preconditionFailure("no number")
        }
    }
}
