import Values

extension Cell {
    /// Whether a cell that somebody else computed is this one: equal, or a double within the bound.
    public func isMet(by found: Value) -> Bool {
        if isVague { return true }
        switch (value, found) {
        case (.double(let x), .double(let y)):
            return x == y || (x.isNaN && y.isNaN) || (x - y).magnitude <= bound
        case (.integer(let x), .integer(let y)) where bound > 0: return Double(x - y).magnitude <= bound
        case (.list(let x), .list(let y)):
            return x.count == y.count && zip(x, y).allSatisfy { Cell($0).isMet(by: $1) }
        case (let x, let y): return x == y
        }
    }
}

extension Value {
    /// For people.
    public var text: String {
        switch self {
        case .null: "NULL"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .double(let value): "\(value)"
        case .decimal(let value): "\(value) (unscaled)"
        case .text(let bytes): "'\(String(decoding: bytes, as: UTF8.self))'"
        case .interval(let value): "[\(value.literal)]"
        case .list(let values): "{\(values.map(\.text).joined(separator: ", "))}"
        }
    }
}

extension Interval {
    /// As an interval literal says it.
    public var literal: String {
        var parts: [String] = []
        if months != 0 { parts.append("\(months) months") }
        if days != 0 { parts.append("\(days) days") }
        if microseconds % 3_600_000_000 == 0, microseconds != 0 {
            parts.append("\(microseconds / 3_600_000_000) hours")
        } else if microseconds != 0 || parts.isEmpty {
            parts.append("\(microseconds) microseconds")
        }
        return parts.joined(separator: " ")
    }
}
