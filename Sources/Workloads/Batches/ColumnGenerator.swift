import Values

/// Fills one column by its rule.
struct ColumnGenerator {
    /// A value that changes with every batch that is sent, and is written into it then.
    enum Changing: Hashable {
        case time
        case sequence(first: Int64, step: Int64)
    }

    private enum Draw {
        case none
        case zipf(ZipfDistribution)
        /// Whole numbers from `low` on, so many of them.
        case whole(low: Int64, count: UInt64)
        case real(low: Double, width: Double)
        case normal(mean: Double, deviation: Double)
        case inTurn(first: Int64, step: Int64)
        /// By cumulated weight.
        case category([Scalar], cumulated: [Double])
    }

    let field: Field
    /// nil: drawn once and kept.
    let changing: Changing?
    private var draw: Draw
    private let nullShare: Double
    private let before: [UInt8]
    private let after: [UInt8]
    private var count: Int64 = 0

    /// - Parameter column: what errors call it.
    init(_ rule: ColumnRule, for field: Field, column: String) throws(RuleError) {
        self.field = field
        guard rule.nullShare == 0 || field.isNullable else {
            throw RuleError("\(column) is NOT NULL: its rule cannot ask for NULLs")
        }
        nullShare = rule.nullShare
        let pattern = rule.pattern ?? "\(field.name)_#"
        let mark = pattern.firstIndex(of: "#") ?? pattern.endIndex
        before = Array(pattern[..<mark].utf8)
        after = Array(pattern[mark...].dropFirst().utf8)
        (draw, changing) = try Self.resolve(rule.draw, field, column)
    }

    private static func resolve(
        _ draw: ColumnRule.Draw, _ field: Field, _ column: String
    ) throws(RuleError) -> (Draw, Changing?) {
        let type = field.type
        let isMoment = type == .date || type.isTimestamp
        func unfit(_ rule: String) -> RuleError { RuleError("\(column) is \(type): \(rule) does not make such values") }
        let takesNumbers = type.isNumber || type == .text || isMoment || type == .interval
        switch draw {
        case .time:
            guard isMoment || type.isInteger else { throw unfit("time") }
            return (.none, .time)
        case .sequence(let first, let step):
            guard takesNumbers else { throw unfit("sequence") }
            if type.isInteger { return (.none, .sequence(first: first, step: step)) }
            return (.inTurn(first: first, step: step), nil)
        case .zipf(let keys, let exponent):
            guard takesNumbers else { throw unfit("zipf") }
            return (.zipf(ZipfDistribution(count: keys, exponent: exponent)), nil)
        case .normal(let mean, let deviation):
            guard type.isNumber || type == .interval else { throw unfit("normal") }
            return (.normal(mean: mean, deviation: deviation), nil)
        case .uniform(let low, let high):
            guard takesNumbers else { throw unfit("uniform") }
            switch (low, high) {
            case (.moment(let low), .moment(let high)):
                guard isMoment else { throw unfit("uniform over moments") }
                let unit: Int64 = type == .date ? 86_400_000_000 : 1
                return (
                    .whole(low: floorDivide(low, unit), count: UInt64(floorDivide(high, unit) - floorDivide(low, unit)) + 1), nil
                )
            case (.number(let low), .number(let high)):
                if type == .real || type == .double || type.isNumeric { return (.real(low: low, width: high - low), nil) }
                guard let low = Int64(exactly: low.rounded()), let high = Int64(exactly: high.rounded()) else {
                    throw unfit("uniform between such numbers")
                }
                return (.whole(low: low, count: UInt64(high &- low) &+ 1), nil)
            default: throw unfit("uniform")
            }
        case .category(let choices):
            var values: [Scalar] = []
            var cumulated: [Double] = []
            for choice in choices {
                guard let value = CategoryText.value(choice.text, as: type) else {
                    throw RuleError("\(column) is \(type): \"\(choice.text)\" is no such value")
                }
                if value == .null, !field.isNullable { throw RuleError("\(column) is NOT NULL: a category cannot be empty") }
                values.append(value)
                cumulated.append((cumulated.last ?? 0) + choice.weight)
            }
            return (.category(values, cumulated: cumulated), nil)
        }
    }

    /// Rows 0 ..< `rows`. Changing values are left for later.
    mutating func fill(_ buffer: ColumnBuffer, rows: Int, random: inout RandomNumbers) {
        if changing != nil { return }
        for row in 0..<rows {
            if nullShare > 0, random.fraction() < nullShare {
                buffer.setNull(row)
                continue
            }
            fill(buffer, row, random: &random)
        }
    }

    /// One key after the other, from the first: for tables that are sent whole before the load begins.
    mutating func fill(_ buffer: ColumnBuffer, rows: Int, keysFrom first: Int64) {
        for row in 0..<rows { store(first + Int64(row), buffer, row) }
    }

    private mutating func fill(_ buffer: ColumnBuffer, _ row: Int, random: inout RandomNumbers) {
        switch draw {
        case .none: break
        case .zipf(let zipf): store(zipf.draw(&random), buffer, row)
        case .whole(let low, let count):
            store(count == 0 ? Int64(bitPattern: random.next()) : low &+ Int64(random.below(count)), buffer, row)
        case .real(let low, let width): store(low + random.fraction() * width, buffer, row)
        case .normal(let mean, let deviation): store(mean + random.normal() * deviation, buffer, row)
        case .inTurn(let first, let step):
            store(first &+ count &* step, buffer, row)
            count += 1
        case .category(let values, let cumulated):
            let drawn = random.fraction() * cumulated[cumulated.count - 1]
            let place = cumulated.firstIndex { drawn < $0 } ?? cumulated.count - 1
            store(values[place], buffer, row)
        }
    }

    private func store(_ value: Int64, _ buffer: ColumnBuffer, _ row: Int) {
        switch field.type {
        case .text: buffer.set(row, before: before, number: value, after: after)
        case .real, .double: buffer.set(row, double: Double(value))
        case .numeric: store(Double(value), buffer, row)
        case .interval: buffer.set(row, interval: Interval(microseconds: value &* 1_000_000))
        case .smallint: buffer.set(row, integer: Int64(Int16(clamping: value)))
        case .integer, .date: buffer.set(row, integer: Int64(Int32(clamping: value)))
        default: buffer.set(row, integer: value)
        }
    }

    private func store(_ value: Double, _ buffer: ColumnBuffer, _ row: Int) {
        switch field.type {
        case .real, .double: buffer.set(row, double: value)
        case .numeric(let precision, let scale):
            let limit = (0..<precision).reduce(1 as Int128) { power, _ in power * 10 } - 1
            let unscaled = (0..<scale).reduce(value) { scaled, _ in scaled * 10 }.rounded()
            let whole = unscaled.magnitude < 1e38 ? Int128(unscaled) : limit
            buffer.set(row, decimal: min(max(whole, -limit), limit))
        case .interval: buffer.set(row, interval: Interval(microseconds: Int64((value * 1e6).rounded())))
        default: store(Int64(clamping: Int128(value.rounded())), buffer, row)
        }
    }

    private func store(_ value: Scalar, _ buffer: ColumnBuffer, _ row: Int) {
        switch value {
        case .null, .array: buffer.setNull(row)
        case .boolean(let value): buffer.set(row, boolean: value)
        case .integer(let value): buffer.set(row, integer: value)
        case .double(let value): buffer.set(row, double: value)
        case .decimal(let value): buffer.set(row, decimal: value)
        case .interval(let value): buffer.set(row, interval: value)
        case .text(let value): buffer.set(row, before: Array(value.utf8), number: nil, after: [])
        }
    }
}
