/// Numbers as people read them.
enum Figures {
    /// `850 ns`, `12.3 µs`, `4.56 ms`, `1.20 s`.
    static func duration(_ nanoseconds: UInt64) -> String {
        let value = Double(nanoseconds)
        switch nanoseconds {
        case 0..<1_000: return "\(nanoseconds) ns"
        case 0..<1_000_000: return digits(value / 1e3) + " µs"
        case 0..<1_000_000_000: return digits(value / 1e6) + " ms"
        default: return digits(value / 1e9) + " s"
        }
    }

    /// `1,234,567`.
    static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return (value < 0 ? "-" : "") + text
    }

    static func count(_ value: Double) -> String { count(Int(value.rounded())) }

    /// Three significant digits, more before the point.
    static func digits(_ value: Double) -> String {
        let places = value.magnitude >= 100 ? 0 : value.magnitude >= 10 ? 1 : 2
        return fixed(value, places)
    }

    static func fixed(_ value: Double, _ places: Int) -> String {
        let scale = (0..<places).reduce(1.0) { scale, _ in scale * 10 }
        let scaled = Int((value.magnitude * scale).rounded())
        let (whole, part) = scaled.quotientAndRemainder(dividingBy: Int(scale))
        let fraction = places == 0 ? "" : "." + String(repeating: "0", count: places - String(part).count) + String(part)
        return (value < 0 && scaled > 0 ? "-" : "") + String(whole) + fraction
    }
}
