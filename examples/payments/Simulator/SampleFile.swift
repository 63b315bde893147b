/// Payments as CSV, in the columns of the table `payments` of card_risk.sql. `payments.csv` beside it is the start of the demo's stream.
public enum SampleFile {
    public static let header = "ts,card_id,terminal_id,amount,fraud"

    public static func line(_ payment: Payment) -> String {
        let time = CalendarTime(microseconds: payment.timeMicroseconds)
        let fraction = String(time.fractionMicroseconds)
        let padding = String(repeating: "0", count: 6 - fraction.count)
        let amount = fixed(payment.amount, decimals: 2)
        return "\(time.text).\(padding)\(fraction)+00,\(payment.card),\(payment.terminal),\(amount),\(payment.fraud != nil)"
    }
}
