/// One payment, and what is known about it afterwards.
public struct Payment: Hashable, Sendable {
    public enum Fraud: String, Sendable {
        case largeAmount = "large amount"
        case compromisedTerminal = "compromised terminal"
        case stolenCard = "stolen card"
    }

    /// Since 1970, UTC.
    public var timeMicroseconds: Int64
    public var card: Int64
    public var terminal: Int64
    public var amount: Double
    public var fraud: Fraud?
}
