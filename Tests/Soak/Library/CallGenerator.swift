import SeededRuns
import Values

/// One window function call with its arguments, its result's type, and whether its result is exact.
struct CallGenerator {
    let terms: TermGenerator
    let features: Set<Feature>
    let times: EventTimes

    /// What every frame goes with.
    static let plain: Set<String> = [
        "count", "sum", "avg", "min", "max", "stddev_samp", "stddev_pop", "var_samp", "var_pop", "bool_and", "bool_or",
        "first_value", "last_value", "nth_value", "lag", "row_number", "rank", "dense_rank", "arg_min", "arg_max", "min_by",
        "max_by", "bit_and", "bit_or", "bit_xor",
    ]
    private static let numbers: [ValueType] = [
        .double, .double, .double, .integer, .smallint, .bigint, .real, .numeric(precision: 12, scale: 2),
        .numeric(precision: 20, scale: 4),
    ]
    private static let any: [ValueType] = numbers + [.text, .text, .date, .timestamp, .timestamptz, .interval]

    mutating func call(_ name: String, _ random: inout SeededRandom) -> (spec: CallSpec, type: ValueType, isExact: Bool) {
        var makers: [(inout SeededRandom) -> (CallSpec, ValueType, Bool)] = [
            counted, counted, counted, summed, summed, summed, summed, spread, spread, extreme, extreme, extreme, logical,
            edge, edge, lag, lag, numbered,
        ]
        if features.contains(.quantile) { makers += [quantile, quantile] }
        if features.contains(.mode) { makers.append(mode) }
        if features.contains(.argument) { makers += [argument] }
        if features.contains(.covariance) { makers += [paired] }
        if features.contains(.skewness) { makers += [shape] }
        if features.contains(.approximate) { makers += [approximate] }
        if features.contains(.stringAggregate) { makers += [stringAggregate] }
        if features.contains(.arrayAggregate) { makers += [arrayAggregate] }
        if features.contains(.decayed) { makers += [decayed] }
        if features.contains(.bits) { makers += [bits] }
        var (spec, type, isExact) = random.pick(makers)(&random)
        spec.name = name
        let isAggregate = !["first_value", "last_value", "nth_value", "lag", "row_number", "rank", "dense_rank"].contains(
            spec.function)
        if isAggregate && random.chance(25) { spec.filter = terms.term(.boolean, depth: 1, &random) }
        return (spec, type, isExact)
    }

    private func spec(_ function: String, _ arguments: String...) -> CallSpec {
        CallSpec(name: "", function: function, arguments: arguments)
    }

    /// Column of a type more often than an expression; inexact ones too.
    private func argument(_ type: ValueType, _ random: inout SeededRandom) -> String {
        let inexact = terms.columns.filter { $0.type == type && !$0.isExact }
        if !inexact.isEmpty && random.chance(20) { return random.pick(inexact).name }
        return terms.term(type, depth: random.chance(25) ? 1 : 0, &random)
    }

    private func counted(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        if random.chance(30) { return (spec("count", "*"), .bigint, true) }
        var made = spec("count", terms.term(random.pick(Self.any + [.boolean]), depth: 1, &random))
        made.isDistinct = random.chance(60)
        return (made, .bigint, true)
    }

    private func summed(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        let type = random.pick(Self.numbers)
        let isAverage = random.chance(40)
        var made = spec(isAverage ? "avg" : "sum", argument(type, &random))
        made.isDistinct = features.contains(.sumDistinct) && random.chance(20)
        if isAverage || type.form == .double { return (made, .double, false) }
        let result: ValueType =
            switch type {
            case .smallint, .integer: .bigint
            case .numeric(_, let scale): .numeric(precision: 38, scale: scale)
            default: .numeric(precision: 38, scale: 0)
            }
        return (made, result, true)
    }

    private func spread(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        let function = random.pick(["stddev_samp", "stddev_pop", "var_samp", "var_pop"])
        return (spec(function, terms.term(random.pick(Self.numbers), depth: 0, &random)), .double, false)
    }

    private func extreme(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        let type = random.pick(Self.any)
        return (spec(random.pick(["min", "max"]), terms.term(type, depth: 1, &random)), type, true)
    }

    private func logical(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        (spec(random.pick(["bool_and", "bool_or"]), terms.term(.boolean, depth: 1, &random)), .boolean, true)
    }

    private func edge(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        let type = random.pick(Self.any + [.boolean])
        var made = spec(random.pick(["first_value", "last_value", "nth_value"]), terms.term(type, depth: 1, &random))
        if made.function == "nth_value" { made.arguments.append("\(random.integer(1...4))") }
        made.ignoresNulls = features.contains(.ignoreNulls) && random.chance(30)
        return (made, type, true)
    }

    private func lag(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        let type = random.pick(Self.any + [.boolean])
        var made = spec("lag", terms.term(type, depth: 1, &random))
        if random.chance(60) { made.arguments.append("\(random.pick([0, 1, 2, 3, 5, 40]))") }
        if made.arguments.count > 1 && random.chance(50) { made.arguments.append(terms.term(type, depth: 0, &random)) }
        made.ignoresNulls = features.contains(.ignoreNulls) && random.chance(30)
        return (made, type, true)
    }

    private func numbered(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        var names = ["row_number"]
        if features.contains(.rank) { names.append("rank") }
        if features.contains(.denseRank) { names.append("dense_rank") }
        return (spec(random.pick(names)), .bigint, true)
    }

    // MARK: Statistics

    private func quantile(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        let fraction = random.pick(["0", "0.25", "0.5", "0.75", "0.9", "0.99", "1"])
        if random.chance(50) && features.contains(.quantileDiscrete) {
            let type = random.pick(Self.numbers)
            return (spec("quantile_disc", terms.term(type, depth: 0, &random), fraction), type, true)
        }
        let argument = terms.term(random.pick(Self.numbers), depth: 0, &random)
        return (random.chance(30) ? spec("median", argument) : spec("quantile_cont", argument, fraction), .double, false)
    }

    private func mode(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        let type = random.pick(Self.any)
        return (spec("mode", terms.term(type, depth: 0, &random)), type, true)
    }

    private func argument(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        let type = random.pick(Self.any)
        let made = spec(
            random.pick(["arg_max", "arg_min", "max_by", "min_by"]), terms.term(type, depth: 0, &random),
            terms.term(random.pick(Self.any), depth: 0, &random))
        return (made, type, true)
    }

    private func paired(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        var names = ["covar_samp", "covar_pop"]
        if features.contains(.correlation) { names.append("corr") }
        if features.contains(.regression) { names += ["regr_slope", "regr_intercept", "regr_r2"] }
        let made = spec(
            random.pick(names), terms.term(random.pick(Self.numbers), depth: 0, &random),
            terms.term(random.pick(Self.numbers), depth: 0, &random))
        return (made, .double, false)
    }

    private func shape(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        let name = features.contains(.kurtosis) ? random.pick(["skewness", "kurtosis"]) : "skewness"
        return (spec(name, terms.term(random.pick(Self.numbers), depth: 0, &random)), .double, false)
    }

    private func approximate(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        (spec("approx_count_distinct", terms.term(random.pick(Self.any), depth: 0, &random)), .bigint, false)
    }

    private func stringAggregate(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        (spec("string_agg", terms.term(.text, depth: 0, &random), random.pick(["','", "''", "' / '"])), .text, true)
    }

    private func arrayAggregate(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        // No column takes a list; its type matters to nobody.
        (spec("array_agg", terms.term(random.pick(Self.any), depth: 0, &random)), .numeric(precision: 1, scale: 0), true)
    }

    private func decayed(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        let decay = times.fixedDistance(random.integer(1...20)).text
        if random.chance(30) { return (spec("decayed_count", decay), .double, false) }
        return (spec("decayed_sum", terms.term(.double, depth: 0, &random), decay), .double, false)
    }

    private func bits(_ random: inout SeededRandom) -> (CallSpec, ValueType, Bool) {
        let type = random.pick([ValueType.smallint, .integer, .bigint])
        return (spec(random.pick(["bit_and", "bit_or", "bit_xor"]), terms.term(type, depth: 0, &random)), type, true)
    }
}
