/// Exact decimals as unscaled 128-bit integers beside a scale that the type carries.
public enum Decimals {
    /// 10^0 … 10^38: every power of ten that a numeric(38) can meet.
    public static let powersOfTen: [Int128] = {
        var powers: [Int128] = [1]
        for _ in 0..<38 { powers.append(powers.last! * 10) }
        return powers
    }()

    /// How a value that lies between two representable ones is rounded.
    public enum Rounding: Hashable, Sendable {
        /// PostgreSQL's for numeric: to the nearest, halves away from zero.
        case halfAwayFromZero
        case towardZero, up, down
    }

    /// `value / 10^digits`; `power` is 10^digits.
    @inlinable public static func scaledDown(_ value: Int128, by power: Int128, _ rounding: Rounding) -> Int128 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: power)
        if remainder == 0 { return quotient }
        switch rounding {
        case .towardZero: return quotient
        case .up: return remainder > 0 ? quotient &+ 1 : quotient
        case .down: return remainder < 0 ? quotient &- 1 : quotient
        case .halfAwayFromZero:
            let magnitude = remainder.magnitude
            if magnitude < power.magnitude &- magnitude { return quotient }
            return value < 0 ? quotient &- 1 : quotient &+ 1
        }
    }

    /// The same number at another scale, halves away from zero; nil when it does not fit. Scales may be negative.
    public static func rescaled(_ value: Int128, from: Int, to: Int) -> Int128? {
        if from == to { return value }
        if from > to {
            if from - to > 38 { return 0 }
            return scaledDown(value, by: powersOfTen[from - to], .halfAwayFromZero)
        }
        if to - from > 38 { return value == 0 ? 0 : nil }
        let (result, overflow) = value.multipliedReportingOverflow(by: powersOfTen[to - from])
        return overflow ? nil : result
    }

    /// The nearest double of `value / 10^scale`.
    @inlinable public static func double(_ value: Int128, scale: Int) -> Double {
        // Both are exact up to here, so that one division rounds once.
        if scale <= 22, value.magnitude <= 0x20_0000_0000_0000 {
            return Double(Int64(truncatingIfNeeded: value)) / exactPower(scale)
        }
        return doubleBySlowRoad(value, scale: scale)
    }

    @usableFromInline static func exactPower(_ exponent: Int) -> Double { Double(nearest: powersOfTen[exponent]) }

    @usableFromInline static func doubleBySlowRoad(_ value: Int128, scale: Int) -> Double {
        Double("\(value)e-\(scale)")!
    }

    /// Product of two unscaled values divided by `10^digits`, through 256 bits, halves away from zero.
    public static func product(_ left: Int128, _ right: Int128, droppingDigits digits: Int) -> Int128? {
        let (direct, overflow) = left.multipliedReportingOverflow(by: right)
        if !overflow { return digits == 0 ? direct : scaledDown(direct, by: powersOfTen[digits], .halfAwayFromZero) }
        if digits == 0 { return nil }
        let wide = left.magnitude.multipliedFullWidth(by: right.magnitude)
        let power = powersOfTen[digits].magnitude
        if wide.high >= power { return nil }
        var (quotient, remainder) = power.dividingFullWidth(wide)
        if remainder >= power - remainder { quotient += 1 }
        if quotient > Int128.max.magnitude { return nil }
        return (left < 0) == (right < 0) ? Int128(quotient) : -Int128(quotient)
    }

    /// `left * 10^digits / right`, halves away from zero; nil for a divisor of 0 or a quotient that does not fit.
    public static func quotient(_ left: Int128, _ right: Int128, appendingDigits digits: Int) -> Int128? {
        if right == 0 { return nil }
        let wide = left.magnitude.multipliedFullWidth(by: powersOfTen[digits].magnitude)
        let divisor = right.magnitude
        if wide.high >= divisor { return nil }
        var (quotient, remainder) = divisor.dividingFullWidth(wide)
        if remainder >= divisor - remainder { quotient += 1 }
        if quotient > Int128.max.magnitude { return nil }
        return (left < 0) == (right < 0) ? Int128(quotient) : -Int128(quotient)
    }
}
