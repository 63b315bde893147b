/// Definitions with rules for their data, ready to be served and loaded.
public struct Preset: Sendable {
    public let name: String
    /// What it is about, in one line.
    public let summary: String
    public let sql: String
    /// As in a file of rules.
    public let rules: String
    /// By table.
    public let weights: [String: Double]

    public static let all = [cardFraud, adClicks, trades, sensors]

    public static func named(_ name: String) -> Preset? { all.first { $0.name == name } }
}
