import Linux

/// A bar on the standard error while a command works, if a person sees it: how much of the input was taken, and how fast.
///
///     [##########··············]  43 %  754,000 rows  1,210,000 rows/s
struct Progress: ~Copyable {
    private let output = FileWriter.standardError()
    private let isShown: Bool
    private let start = ContinuousClock.now
    private var lastShown: ContinuousClock.Instant
    private static let barCharacters = 24

    init() {
        isShown = output.isTerminal
        lastShown = start
    }

    /// `fraction` is what was taken of the inputs; nil where their size is unknown (a pipe).
    mutating func show(rows: Int, fraction: Double?) {
        let now = ContinuousClock.now
        if !isShown || now - lastShown < .milliseconds(100) { return }
        lastShown = now
        let line = Self.line(rows: rows, fraction: fraction, seconds: (now - start).seconds)
        // A bar that cannot be shown is no reason to stop the work.
        try? output.write("\r\u{1B}[K" + line)
    }

    /// Takes the bar away; returns the seconds since the beginning.
    mutating func end() -> Double {
        if isShown { try? output.write("\r\u{1B}[K") }
        return (ContinuousClock.now - start).seconds
    }

    static func line(rows: Int, fraction: Double?, seconds: Double) -> String {
        let rate = "\(grouped(rows)) rows  \(grouped(Int(Double(rows) / max(seconds, 1e-9)))) rows/s"
        guard let fraction else { return rate }
        let full = Int(min(max(fraction, 0), 1) * Double(barCharacters))
        let bar = String(repeating: "#", count: full) + String(repeating: "·", count: barCharacters - full)
        let percent = String(Int(min(max(fraction, 0), 1) * 100))
        return "[\(bar)] \(String(repeating: " ", count: 3 - percent.count))\(percent) %  \(rate)"
    }
}

/// 1754155 → 1,754,155
func grouped(_ number: Int) -> String {
    var text = ""
    for (index, digit) in String(number.magnitude).reversed().enumerated() {
        if index > 0 && index % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return (number < 0 ? "-" : "") + String(text.reversed())
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
