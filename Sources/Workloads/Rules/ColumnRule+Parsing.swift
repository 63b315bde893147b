import Values

extension ColumnRule {
    /// Reads a rule:
    ///
    ///     time
    ///     zipf(KEYS[, EXPONENT])          uniform(LOW, HIGH)          normal(MEAN, DEVIATION)
    ///     sequence([FIRST[, STEP]])       category(VALUE[*WEIGHT], …)
    ///
    /// followed by `as PATTERN` for texts (`#` is the number) and `nulls SHARE` (`5%` or 0.05), in this order.
    /// - Throws: what is wrong, in words that name the rule.
    public init(parsing text: String) throws(RuleError) {
        var rest = TextValues.trimmed(text)
        func wrong(_ why: String) -> RuleError { RuleError("rule \"\(TextValues.trimmed(text))\": \(why)") }
        var nullShare = 0.0
        var pattern: String?
        if let (before, share) = Self.tail(of: rest, after: " nulls ") {
            guard let value = Self.share(share) else { throw wrong("\"\(share)\" is no share; write nulls 5% or nulls 0.05") }
            (rest, nullShare) = (before, value)
        }
        if let (before, after) = Self.tail(of: rest, after: " as ") {
            guard after.contains("#") else { throw wrong("the pattern \"\(after)\" has no # for the number") }
            (rest, pattern) = (before, after)
        }
        let (name, arguments) = try Self.call(rest) { wrong($0) }
        self.init(try Self.draw(name, arguments) { wrong($0) }, nullShare: nullShare, pattern: pattern)
    }

    /// A share of rows: `5%`, or a number from 0 to 1.
    public static func share(_ text: String) -> Double? {
        let number = text.hasSuffix("%") ? Double(text.dropLast()).map { $0 / 100 } : Double(text)
        guard let number, number >= 0, number <= 1 else { return nil }
        return number
    }

    private static func tail(of text: String, after word: String) -> (before: String, after: String)? {
        // A quoted value of a category is inside the parentheses, words behind it are not.
        guard let found = text.ranges(of: word).last(where: { !text[$0.upperBound...].contains(")") }) else { return nil }
        return (TextValues.trimmed(String(text[..<found.lowerBound])), TextValues.trimmed(String(text[found.upperBound...])))
    }

    private static func call(
        _ text: String, _ wrong: (String) -> RuleError
    ) throws(RuleError) -> (name: String, arguments: [String]) {
        guard let open = text.firstIndex(of: "(") else { return (text, []) }
        guard text.hasSuffix(")") else { throw wrong("the parenthesis is not closed") }
        let inside = text[text.index(after: open)...].dropLast()
        let arguments = inside.split(separator: ",", omittingEmptySubsequences: false).map { TextValues.trimmed(String($0)) }
        return (TextValues.trimmed(String(text[..<open])), arguments == [""] ? [] : arguments)
    }

    private static func draw(
        _ name: String, _ arguments: [String], _ wrong: (String) -> RuleError
    ) throws(RuleError) -> Draw {
        func number(_ place: Int, otherwise: Double? = nil) throws(RuleError) -> Double {
            if place >= arguments.count, let otherwise { return otherwise }
            guard place < arguments.count else { throw wrong("argument \(place + 1) is missing") }
            guard let value = Double(arguments[place]), value.isFinite else {
                throw wrong("\"\(arguments[place])\" is no number")
            }
            return value
        }
        func whole(_ place: Int, otherwise: Int64? = nil) throws(RuleError) -> Int64 {
            let value = try number(place, otherwise: otherwise.map(Double.init))
            guard let whole = Int64(exactly: value) else { throw wrong("\"\(arguments[place])\" is no whole number") }
            return whole
        }
        func atMost(_ count: Int) throws(RuleError) {
            if arguments.count > count { throw wrong("\(name) takes at most \(count) arguments, here are \(arguments.count)") }
        }
        switch name {
        case "time":
            try atMost(0)
            return .time
        case "zipf":
            try atMost(2)
            let keys = try whole(0)
            let exponent = try number(1, otherwise: 1)
            guard keys >= 1, keys <= 1 << 40 else { throw wrong("the number of keys is from 1 to 2^40") }
            guard exponent >= 0, exponent <= 10 else { throw wrong("the exponent is from 0 (all alike) to 10") }
            return .zipf(keys: Int(keys), exponent: exponent)
        case "uniform":
            try atMost(2)
            return try uniform(arguments, wrong)
        case "normal":
            try atMost(2)
            let deviation = try number(1)
            guard deviation >= 0 else { throw wrong("the deviation is negative") }
            return .normal(mean: try number(0), deviation: deviation)
        case "sequence":
            try atMost(2)
            return .sequence(first: try whole(0, otherwise: 1), step: try whole(1, otherwise: 1))
        case "category":
            guard !arguments.isEmpty else { throw wrong("no value is given") }
            var choices: [Choice] = []
            for argument in arguments { choices.append(try choice(argument, wrong)) }
            guard choices.contains(where: { $0.weight > 0 }) else { throw wrong("every weight is 0") }
            return .category(choices)
        default:
            throw wrong("\"\(name)\" is none of time, zipf, uniform, normal, sequence, category")
        }
    }

    private static func uniform(_ arguments: [String], _ wrong: (String) -> RuleError) throws(RuleError) -> Draw {
        guard arguments.count == 2 else { throw wrong("uniform takes 2 arguments, here are \(arguments.count)") }
        var limits: [Limit] = []
        for argument in arguments {
            if let number = Double(argument), number.isFinite {
                limits.append(.number(number))
            } else if let moment = TimestampText(argument) {
                limits.append(.moment(moment.utcMicroseconds ?? moment.localMicroseconds))
            } else {
                throw wrong("\"\(argument)\" is neither a number nor a moment such as 2024-01-31")
            }
        }
        switch (limits[0], limits[1]) {
        case (.number(let low), .number(let high)) where low <= high: break
        case (.moment(let low), .moment(let high)) where low <= high: break
        default: throw wrong("the lower end comes first, and both are numbers or both moments")
        }
        return .uniform(limits[0], limits[1])
    }

    private static func choice(_ text: String, _ wrong: (String) -> RuleError) throws(RuleError) -> Choice {
        guard let star = text.lastIndex(of: "*") else { return Choice(text: text, weight: 1) }
        guard let weight = Double(text[text.index(after: star)...]), weight >= 0, weight.isFinite else {
            throw wrong("the weight in \"\(text)\" is no number from 0 up")
        }
        return Choice(text: TextValues.trimmed(String(text[..<star])), weight: weight)
    }
}
