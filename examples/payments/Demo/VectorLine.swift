import PaymentSimulator

/// A payment and the features that came back for it, as one line of the terminal.
struct VectorLine {
    /// What the view card_risk answers.
    struct Features: Decodable, Sendable {
        var payments24h: Int
        var spent24h: Double
        var amountVsUsual: Double?
        var terminals7d: Int
        var terminalFraudRate: Double
        var risk: Int

        enum CodingKeys: String, CodingKey {
            case payments24h = "payments_24h"
            case spent24h = "spent_24h"
            case amountVsUsual = "amount_vs_usual"
            case terminals7d = "terminals_7d"
            case terminalFraudRate = "terminal_fraud_rate"
            case risk
        }
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
            padded("\(features.payments24h)", to: 6),
            padded(fixed(features.spent24h, decimals: 2), to: 10),
            padded(features.amountVsUsual.map { fixed($0, decimals: 1) } ?? "–", to: 9),
            padded("\(features.terminals7d)", to: 11),
            padded(fixed(features.terminalFraudRate, decimals: 2), to: 12),
            padded("\(features.risk)", to: 6),
        ]
        let line = cells.joined() + "  " + bar + truth
        guard isColored else { return line }
        return features.risk >= Self.alarming ? "\u{1B}[1;31m\(line)\u{1B}[0m" : line
    }

    private var bar: String {
        let filled = min(Self.barCells, features.risk * Self.barCells / 100)
        return String(repeating: "█", count: filled) + String(repeating: "·", count: Self.barCells - filled)
    }

    /// What the simulator knows and the view does not.
    private var truth: String { payment.fraud.map { "  \($0.rawValue)" } ?? "" }
}

func padded(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}
