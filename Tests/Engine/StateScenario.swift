import Language
import Plan
import Values

@testable import Engine

/// xorshift64*: the same numbers for the same seed, everywhere.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    init(seed: Int) { state = UInt64(bitPattern: Int64(seed)) &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}

/// One random partition with its windows and calls, and the events that go through it.
struct StateScenario {
    enum Column: Int, CaseIterable { case time, key, name, amount, quantity, large, price, flag, word, filter, order }

    static let types: [ValueType] = [
        .bigint, .bigint, .text, .double, .integer, .bigint, .numeric(precision: 12, scale: 2), .boolean, .text, .boolean,
        .integer,
    ]

    var random: SeededRandom
    var types = StateScenario.types
    var plan: PartitionPlan
    var lateness: Int64
    var idleAfter: Int64?
    /// Typical distance between two events.
    var step: Int64
    let nullPercent: Int
    let keyCount: Int
    /// Amounts hardly ever occur twice.
    let isFine: Bool
    var now: Int64

    /// - Parameter isStatistical: most calls are of `StateScenario.statistics`.
    init(seed: Int, isHot: Bool = false, isStatistical: Bool = false) {
        var random = SeededRandom(seed: seed)
        let timeType: ValueType = [.bigint, .bigint, .timestamp, .date].randomElement(using: &random)!
        types[0] = timeType
        step = timeType == .bigint ? 10 : timeType == .date ? 3 : 6 * 3_600_000_000
        if timeType == .timestamp && random.chance(50) { step = 1000 }
        lateness = [0, step / 2, step * 4, step * 50].randomElement(using: &random)!
        idleAfter = random.chance(30) ? step * Int64.random(in: 1...60, using: &random) : nil
        nullPercent = random.chance(40) ? 0 : 20
        isFine = random.chance(isStatistical ? 60 : 10)
        keyCount = isHot ? 2 : Int.random(in: 1...12, using: &random)
        now = timeType == .timestamp ? 1_700_000_000_000_000 : timeType == .date ? 19_700 : 0
        func register(_ column: Column, _ types: [ValueType]) -> Register {
            Register(index: column.rawValue, type: types[column.rawValue])
        }
        let keys: [[Column]] = [[], [.key], [.name], [.key, .name], [.key]]
        var ties: [Register] = []
        if random.chance(15) { ties.append(register(.order, types)) }
        if !ties.isEmpty && random.chance(30) { ties.append(register(.word, types)) }
        plan = PartitionPlan(
            entry: nil, keys: keys.randomElement(using: &random)!.map { [types] in register($0, types) },
            time: register(.time, types),
            tieBreakers: ties, windows: [], calls: [])
        let span = isHot ? 400 : 12
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            plan.windows.append(
                WindowPlan(frame: StateScenario.frame(&random, timeType, step: step, span: span, hasTies: !ties.isEmpty)))
        }
        for _ in 0..<Int.random(in: 1...10, using: &random) {
            let index = types.count
            let call =
                isStatistical && random.chance(80)
                ? StateScenario.statistic(&random, types: types, step: step, windows: plan.windows.count, result: index)
                : StateScenario.call(&random, types: types, windows: plan.windows.count, result: index)
            types.append(call.result.type)
            plan.calls.append(call)
        }
        self.random = random
    }

    static func frame(_ random: inout SeededRandom, _ time: ValueType, step: Int64, span: Int, hasTies: Bool) -> Frame {
        let exclusion: Frame.Exclusion = [.noOthers, .noOthers, .noOthers, .currentRow, .group, .ties].randomElement(
            using: &random)!
        let mode: Frame.Mode = random.chance(20) ? .groups : hasTies || random.chance(30) ? .rows : .range
        if random.chance(15) {
            return Frame(
                mode: [.rows, .range, .groups].randomElement(using: &random)!, start: .unboundedPreceding, end: .currentRow,
                exclusion: exclusion)
        }
        if random.chance(8) {
            return Frame(
                mode: [.rows, .range, .groups].randomElement(using: &random)!, start: .currentRow, end: .currentRow,
                exclusion: exclusion)
        }
        func distance(_ steps: Int) -> Frame.Distance {
            if mode != .range { return .integer(Int64(steps)) }
            switch time {
            case .timestamp:
                if step > 1000 && random.chance(30) {
                    return .interval(Interval(months: Int32(steps / 8 + 1), days: Int32(steps % 3)))
                }
                return .interval(Interval(microseconds: Int64(steps) * step))
            case .date:
                if random.chance(30) { return .interval(Interval(months: Int32(steps / 8 + 1))) }
                return random.chance(50)
                    ? .interval(Interval(days: Int32(steps * 3)))
                    : .interval(Interval(microseconds: Int64(steps) * 50 * 3_600_000_000))
            default: return .integer(Int64(steps) * step)
            }
        }
        let far = Int.random(in: 0...span, using: &random)
        let start: Frame.Bound = random.chance(15) ? .unboundedPreceding : .preceding(distance(far))
        if random.chance(30) {
            return Frame(
                mode: mode, start: start, end: .preceding(distance(Int.random(in: 0...span, using: &random))),
                exclusion: exclusion)
        }
        return Frame(mode: mode, start: start, end: .currentRow, exclusion: exclusion)
    }

    static func call(_ random: inout SeededRandom, types: [ValueType], windows: Int, result: Int) -> CallPlan {
        let columns: [Column] = [.time, .amount, .amount, .quantity, .large, .price, .flag, .word]
        let column = columns.randomElement(using: &random)!
        let argument = Register(index: column.rawValue, type: types[column.rawValue])
        let isFlag = column == .flag
        let isNumber = argument.type.isNumber && column != .time
        var functions: [WindowFunction] = [
            .count, .count, .firstValue, .lastValue, .nthValue(Int64.random(in: 1...4, using: &random)),
            .lag(offset: Int64.random(in: 0...5, using: &random)), .rowNumber, .rank, .denseRank,
        ]
        if isNumber {
            functions += [.sum, .sum, .average, .varianceSample, .variancePopulation, .deviationSample, .deviationPopulation]
        }
        if argument.type.isInteger && column != .time { functions += [.bitAnd, .bitOr, .bitXor] }
        functions += [.argumentMinimum, .argumentMaximum]
        if column == .word { functions += [.stringAggregate(separator: random.chance(50) ? "" : ", ")] }
        functions += [.arrayAggregate]
        functions += isFlag ? [.booleanAnd, .booleanOr] : [.minimum, .maximum, .minimum, .maximum]
        let function = functions.randomElement(using: &random)!
        var type = argument.type
        var canFilter = true
        switch function {
        case .count, .rowNumber, .rank, .denseRank: type = .bigint
        case .arrayAggregate: type = .array(ElementType(argument.type)!)
        case .sum:
            type =
                argument.type == .integer
                ? .bigint
                : argument.type == .bigint
                    ? .numeric(precision: 38, scale: 0) : argument.type == .double ? .double : .numeric(precision: 38, scale: 2)
        case .average, .varianceSample, .variancePopulation, .deviationSample, .deviationPopulation: type = .double
        default: break
        }
        switch function {
        case .firstValue, .lastValue, .nthValue, .lag, .rowNumber, .rank, .denseRank: canFilter = false
        default: break
        }
        var second: Register?
        var ignoresNulls = false
        switch function {
        case .lag:
            if random.chance(30) { second = argument }
            ignoresNulls = random.chance(40)
        case .firstValue, .lastValue, .nthValue:
            ignoresNulls = random.chance(40)
            // any_value is first_value that leaves out NULLs, and takes a filter.
            canFilter = ignoresNulls
        case .argumentMinimum, .argumentMaximum:
            let compared = columns.randomElement(using: &random)!
            second = Register(index: compared.rawValue, type: types[compared.rawValue])
        default: break
        }
        let ranks: [WindowFunction] = [.rowNumber, .rank, .denseRank]
        let isCountAll = ranks.contains(function) || (function == .count && random.chance(30))
        return CallPlan(
            function: function, argument: isCountAll ? nil : argument, second: second,
            filter: canFilter && random.chance(30) ? Register(index: Column.filter.rawValue, type: .boolean) : nil,
            isDistinct: function == .count && !isCountAll && random.chance(60),
            ignoresNulls: ignoresNulls, window: Int.random(in: 0..<windows, using: &random),
            result: Register(index: result, type: type))
    }

    // MARK: Events

    mutating func event() -> [Scalar] {
        let word = ["", "a", "b", "ab", "a longer text than eight bytes", "zebra"].randomElement(using: &random)!
        let key = Int64.random(in: 0..<Int64(keyCount), using: &random)
        var cells: [Scalar] = [
            .integer(time()), random.chance(5) ? .null : .integer(key), random.chance(5) ? .null : .text("key \(key % 3)"),
            .double(amount()), .integer(Int64.random(in: -3...3, using: &random)),
            .integer(random.chance(10) ? Int64.max - 1 : Int64.random(in: -4...4, using: &random)),
            .decimal(Int128(Int.random(in: -300...300, using: &random))), .boolean(random.chance(50)), .text(word),
            .boolean(random.chance(50)),
            .integer(Int64.random(in: 0...2, using: &random)),
        ]
        for column in [Column.amount, .quantity, .large, .price, .flag, .word, .filter, .order] where random.chance(nullPercent) {
            cells[column.rawValue] = .null
        }
        return cells
    }

    private mutating func amount() -> Double {
        if random.chance(2) { return [1e40, -1e20, .infinity, -.infinity, .nan, -0.0].randomElement(using: &random)! }
        if isFine { return Double.random(in: -5...5, using: &random) }
        return Double(Int.random(in: -20...20, using: &random)) * 0.25
    }

    private mutating func time() -> Int64 {
        if random.chance(20) { return now }
        if random.chance(20) { return now - Int64.random(in: 0...max(1, lateness + lateness / 8 + 1), using: &random) }
        if random.chance(2) { now += step * 40 } else { now += Int64.random(in: 0...2 * step, using: &random) }
        return now
    }
}
