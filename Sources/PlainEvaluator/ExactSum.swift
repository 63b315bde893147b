import Values

/// A sum of doubles without any rounding: numbers that do not overlap, the smallest first (J. R. Shewchuk, "Adaptive
/// Precision Floating-Point Arithmetic", 1997). Terms are finite, and small enough for none to overflow.
struct ExactSum {
    private(set) var parts: [Double] = []

    mutating func add(_ term: Double) {
        var x = term
        var kept = 0
        for index in parts.indices {
            var y = parts[index]
            if x.magnitude < y.magnitude { swap(&x, &y) }
            let high = x + y
            let low = y - (high - x)
            if low != 0 {
                parts[kept] = low
                kept += 1
            }
            x = high
        }
        parts.removeLast(parts.count - kept)
        if x != 0 { parts.append(x) }
    }

    mutating func add(product x: Double, _ y: Double) {
        let product = x * y
        add(product)
        add((-product).addingProduct(x, y))
    }

    /// Adds `x · y` of two sums.
    mutating func add(product x: ExactSum, _ y: ExactSum, times factor: Double = 1) {
        for left in x.parts {
            for right in y.parts {
                let product = left * right
                add(product: product, factor)
                add(product: (-product).addingProduct(left, right), factor)
            }
        }
    }

    /// The nearest double, but for halves that lie between two.
    var value: Double {
        var sum = 0.0
        for part in parts { sum += part }
        return sum
    }

    var isZero: Bool { parts.isEmpty }
}

/// n, Σx, Σx², and n·Σx² - (Σx)² = n² × the variance of the population, each rounded once.
struct ExactMoments {
    var count: Double
    var sum = 0.0
    /// Σ|x|
    var magnitude = 0.0
    var squares = 0.0
    /// n·Σx² - (Σx)²
    var spread = 0.0
    var hasNaNOrInfinity = false

    /// - Parameter isSpreadNeeded: computing it takes longer.
    init(_ values: [Double], isSpreadNeeded: Bool) {
        count = Double(values.count)
        if values.contains(where: { !$0.isFinite }) {
            hasNaNOrInfinity = true
            sum = values.reduce(0, +)
            return
        }
        if values.allSatisfy({ $0.magnitude < 0x1p30 && ($0 * 1024).rounded() == $0 * 1024 }) {
            // Small multiples of 2^-10: whole numbers do.
            var (total, all, squared) = (Int128(0), Int128(0), Int128(0))
            for value in values {
                let whole = Int128(Int64(value * 1024))
                total += whole
                all += Int128(whole.magnitude)
                squared += whole * whole
            }
            sum = Double(total) / 1024
            magnitude = Double(all) / 1024
            squares = Double(squared) / 0x1p20
            spread = Double(Int128(values.count) * squared - total * total) / 0x1p20
            return
        }
        var (exact, all) = (ExactSum(), 0.0)
        for value in values {
            exact.add(value)
            all += value.magnitude
        }
        (sum, magnitude) = (exact.value, all)
        guard isSpreadNeeded else { return }
        var squared = ExactSum()
        for value in values { squared.add(product: value, value) }
        squares = squared.value
        var difference = ExactSum()
        for part in squared.parts { difference.add(product: part, count) }
        difference.add(product: exact, exact, times: -1)
        spread = difference.value
    }
}
