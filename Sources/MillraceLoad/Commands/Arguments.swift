import ArgumentParser
import Values
import Workloads

/// A number with an optional k or M behind it: `50k`, `1.5M`.
struct Amount: ExpressibleByArgument, CustomStringConvertible {
    let value: Double

    init(_ value: Double) { self.value = value }

    init?(argument: String) {
        let factors: [Character: Double] = ["k": 1e3, "M": 1e6, "G": 1e9]
        let factor = argument.last.flatMap { factors[$0] }
        guard let number = Double(factor == nil ? argument[...] : argument.dropLast()), number > 0, number.isFinite else {
            return nil
        }
        value = number * (factor ?? 1)
    }

    var description: String { value == value.rounded() ? String(Int(value)) : String(value) }
    var defaultValueDescription: String { description }
}

/// A span of time: `250us`, `10ms`, `1.5s`, `2m`; a number alone is seconds.
struct Span: ExpressibleByArgument, CustomStringConvertible {
    let seconds: Double

    init(seconds: Double) { self.seconds = seconds }

    init?(argument: String) {
        let units: [(String, Double)] = [
            ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("ns", 1e-9), ("s", 1), ("m", 60), ("h", 3_600),
        ]
        let unit = units.first { argument.hasSuffix($0.0) }
        guard let number = Double(argument.dropLast(unit?.0.count ?? 0)), number >= 0, number.isFinite else { return nil }
        seconds = number * (unit?.1 ?? 1)
    }

    var nanoseconds: UInt64 { UInt64(seconds * 1e9) }
    var description: String { seconds == seconds.rounded() ? "\(Int(seconds))s" : "\(seconds)s" }
    var defaultValueDescription: String { description }
}

/// A share of rows: `5%` or 0.05.
struct Share: ExpressibleByArgument {
    let value: Double

    init(_ value: Double) { self.value = value }

    init?(argument: String) {
        guard let value = ColumnRule.share(argument) else { return nil }
        self.value = value
    }

    var defaultValueDescription: String { "\(value)" }
}

/// What a ramp is to meet: `p99=1ms`.
struct Goal: ExpressibleByArgument, CustomStringConvertible {
    let percentile: String
    let nanoseconds: UInt64

    init?(argument: String) {
        let parts = argument.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2, let span = Span(argument: String(parts[1])), span.nanoseconds > 0,
            ["p50", "p90", "p99", "p99.9", "p999", "p99.99", "p9999", "max"].contains(String(parts[0]))
        else { return nil }
        (percentile, nanoseconds) = (String(parts[0]), span.nanoseconds)
    }

    var description: String { "\(percentile) at most \(Figures.duration(nanoseconds))" }
}

/// Weights by name: `compute=8,get=1`.
struct Weights: ExpressibleByArgument {
    let values: [(name: String, weight: Double)]

    init(_ values: [(name: String, weight: Double)]) { self.values = values }

    init?(argument: String) {
        var values: [(name: String, weight: Double)] = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let words = part.split(separator: "=", omittingEmptySubsequences: false)
            guard words.count == 2, let weight = Double(words[1]), weight >= 0, weight.isFinite, !words[0].isEmpty else {
                return nil
            }
            values.append((String(words[0]), weight))
        }
        self.values = values
    }
}

/// A moment as SQL writes it, in UTC unless it says otherwise: `2024-01-31 12:00:00`.
struct Moment: ExpressibleByArgument {
    let microseconds: Int64

    init?(argument: String) {
        guard let text = TimestampText(argument) else { return nil }
        microseconds = text.utcMicroseconds ?? text.localMicroseconds
    }
}

extension IntegerTimeUnit: ExpressibleByArgument {}
