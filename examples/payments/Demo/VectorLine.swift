import PaymentSimulator

/// A payment and the features that came back for it, as one line of the terminal.
struct VectorLine {
    /// What the view card_risk answers; names as in card_risk.sql.
    struct Features: Codable, Sendable {
        var payments_24h: Int64
        var spent_24h: Double
        var amount_vs_usual: Double?
        var terminals_7d: Int64
        var terminal_fraud_rate: Double
        var risk: Int64
    }

    static let heading =
        "time (UTC)            card  terminal    amount   24h     spent  × usual  terminals  fraud rate  risk"

    /// Risk from which a line stands out.
    private static let alarming = 40
    private static let barCells = 10

    var payment: Payment
    var features: Features
    var isColored: Bool

    var text: String {
        let cells = [
            CalendarTime(microseconds: payment.timeMicroseconds).text,
            padded("\(payment.card)", to: 9),
            padded("\(payment.terminal)", to: 10),
            padded(fixed(payment.amount, decimals: 2), to: 10),
            padded("\(features.payments_24h)", to: 6),
            padded(fixed(features.spent_24h, decimals: 2), to: 10),
            padded(features.amount_vs_usual.map { fixed($0, decimals: 1) } ?? "–", to: 9),
            padded("\(features.terminals_7d)", to: 11),
            padded(fixed(features.terminal_fraud_rate, decimals: 2), to: 12),
            padded("\(features.risk)", to: 6),
        ]
        let line = cells.joined() + "  " + bar + truth
        guard isColored else { return line }
        return features.risk >= Self.alarming ? "\u{1B}[1;31m\(line)\u{1B}[0m" : line
    }

    private var bar: String {
        let filled = min(Self.barCells, Int(features.risk) * Self.barCells / 100)
        return String(repeating: "█", count: filled) + String(repeating: "·", count: Self.barCells - filled)
    }

    /// What the simulator knows and the view does not.
    private var truth: String { payment.fraud.map { "  \($0.rawValue)" } ?? "" }
}

func padded(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

/// `value` with a fixed number of decimals; for amounts that a person reads, so at most a few billions.
func fixed(_ value: Double, decimals: Int) -> String {
    let scale = (0..<decimals).reduce(1) { scale, _ in scale * 10 }
    let scaled = Int64((value.magnitude * Double(scale)).rounded())
    let fraction = String(scaled % Int64(scale))
    let sign = value < 0 && scaled != 0 ? "-" : ""
    guard decimals > 0 else { return "\(sign)\(scaled)" }
    return "\(sign)\(scaled / Int64(scale))." + String(repeating: "0", count: decimals - fraction.count) + fraction
}
