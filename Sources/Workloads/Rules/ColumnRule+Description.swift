import Values

extension ColumnRule: CustomStringConvertible {
    /// As `init(parsing:)` reads it.
    public var description: String {
        func number(_ value: Double) -> String { Int64(exactly: value).map(String.init) ?? "\(value)" }
        func limit(_ limit: Limit) -> String {
            switch limit {
            case .number(let value): return number(value)
            case .moment(let microseconds):
                var text = ShortText()
                text.append(timestamp: microseconds)
                return text.string
            }
        }
        var text =
            switch draw {
            case .time: "time"
            case .zipf(let keys, let exponent): "zipf(\(keys)\(exponent == 1 ? "" : ", \(number(exponent))"))"
            case .uniform(let low, let high): "uniform(\(limit(low)), \(limit(high)))"
            case .normal(let mean, let deviation): "normal(\(number(mean)), \(number(deviation)))"
            case .sequence(let first, let step): "sequence(\(first), \(step))"
            case .category(let choices):
                "category(" + choices.map { $0.weight == 1 ? $0.text : "\($0.text)*\(number($0.weight))" }.joined(separator: ", ")
                    + ")"
            }
        if let pattern { text += " as \(pattern)" }
        if nullShare > 0 { text += " nulls \(number(nullShare * 100))%" }
        return text
    }
}
