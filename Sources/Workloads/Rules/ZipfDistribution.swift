import CKernels

/// Numbers 1 … count with probabilities in proportion to 1 / k^exponent, without a table: rejection-inversion (W. Hörmann and
/// G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions", 1996).
///
/// A uniform number is taken through the inverse of H, the integral of the density's hat 1 / x^exponent, and the nearest whole
/// number is accepted or drawn again. Fewer than 1.1 draws on average, whatever count and exponent.
struct ZipfDistribution {
    private let count: Double
    private let exponent: Double
    private let integralOfFirst: Double
    private let integralOfAll: Double
    /// Numbers that lie so near to their draw are accepted without a further look.
    private let near: Double

    init(count: Int, exponent: Double) {
        precondition(count >= 1 && exponent >= 0)
        self.count = Double(count)
        self.exponent = exponent
        integralOfFirst = Self.integral(1.5, exponent) - 1
        integralOfAll = Self.integral(Double(count) + 0.5, exponent)
        near = 2 - Self.inverse(Self.integral(2.5, exponent) - Self.density(2, exponent), exponent)
    }

    func draw(_ random: inout RandomNumbers) -> Int64 {
        while true {
            let u = integralOfAll + random.fraction() * (integralOfFirst - integralOfAll)
            let x = Self.inverse(u, exponent)
            let k = min(max((x + 0.5).rounded(.down), 1), count)
            if k - x <= near || u >= Self.integral(k + 0.5, exponent) - Self.density(k, exponent) { return Int64(k) }
        }
    }

    private static func density(_ x: Double, _ exponent: Double) -> Double { millrace_exp(-exponent * millrace_log(x)) }

    /// (x^(1 - exponent) - 1) / (1 - exponent), which is log x where the exponent is 1.
    private static func integral(_ x: Double, _ exponent: Double) -> Double {
        let log = millrace_log(x)
        let t = (1 - exponent) * log
        return log * (t.magnitude < 1e-8 ? 1 + t / 2 : (millrace_exp(t) - 1) / t)
    }

    private static func inverse(_ y: Double, _ exponent: Double) -> Double {
        let t = max(y * (1 - exponent), -1)
        return millrace_exp(y * (t.magnitude < 1e-8 ? 1 - t / 2 : millrace_log(1 + t) / t))
    }
}
