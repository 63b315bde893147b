import Language

/// Sums over pairs of numbers about their means, in two passes.
struct PairedMoments {
    private var count = 0.0
    private var means = (y: 0.0, x: 0.0)
    /// Of the magnitudes: what the means' own errors go by, as those of sums do.
    private var meanMagnitudes = (y: 0.0, x: 0.0)
    private var squaresX = 0.0
    private var squaresY = 0.0
    private var products = 0.0
    /// Greatest condition of the two columns.
    private var relative = 0.0
    private let isKnown: Bool

    /// nil: something is not known exactly.
    init(_ pairs: [(y: Double, x: Double)]?) {
        isKnown = pairs != nil
        guard let pairs, !pairs.isEmpty else { return }
        count = Double(pairs.count)
        let (ys, xs) = (pairs.map(\.y), pairs.map(\.x))
        let (y, x) = (ExactMoments(ys, isSpreadNeeded: true), ExactMoments(xs, isSpreadNeeded: true))
        means = (y.sum / count, x.sum / count)
        meanMagnitudes = (y.magnitude / count, x.magnitude / count)
        squaresX = x.hasNaNOrInfinity ? .nan : x.spread / count
        squaresY = y.hasNaNOrInfinity ? .nan : y.spread / count
        relative = max(x.spread == 0 ? 0 : x.relativeBound, y.spread == 0 ? 0 : y.relativeBound)
        if x.hasNaNOrInfinity || y.hasNaNOrInfinity {
            products = .nan
        } else if squaresX != 0 && squaresY != 0 {
            var (sum, left, right) = (ExactSum(), ExactSum(), ExactSum())
            for pair in pairs {
                sum.add(product: pair.y - means.y, pair.x - means.x)
                left.add(pair.y - means.y)
                right.add(pair.x - means.x)
            }
            products = sum.value - left.value * right.value / count
        }
    }

    func result(_ function: WindowFunction) -> Cell {
        if !isKnown || relative > 1e-6 { return .vague }
        if count < 1 || (function == .covarianceSample && count < 2) { return .null }
        let size = (squaresX * squaresY).squareRoot()
        let slack = 100 * relative
        func cell(_ value: Double, _ bound: Double) -> Cell {
            if value.isNaN { return Cell(.double(value)) }
            return value.isFinite && bound.isFinite ? Cell(.double(value), bound: bound) : .vague
        }
        switch function {
        case .covariancePopulation: return cell(products / count, slack * size / count)
        case .covarianceSample: return cell(products / (count - 1), slack * size / (count - 1))
        case .correlation:
            if squaresX == 0 || squaresY == 0 { return .null }
            return cell(products / size, slack)
        case .regressionSlope:
            return squaresX == 0 ? .null : cell(products / squaresX, slack * size / squaresX)
        case .regressionIntercept:
            if squaresX == 0 { return .null }
            let slope = products / squaresX
            return cell(
                means.y - slope * means.x,
                slack * (meanMagnitudes.y + (slope.magnitude + size / squaresX) * meanMagnitudes.x))
        case .regressionR2:
            if squaresX == 0 { return .null }
            return squaresY == 0 ? Cell(.double(1)) : cell(products * products / (squaresX * squaresY), 2 * slack)
        default: fatalError("\(function) is not over pairs")
        }
    }
}
