import Language
import Plan
import Values

/// A slow, plain evaluator of one partition, written from the semantics alone: all rows of all keys are kept for ever, in
/// order; every frame is found by looking at every row.
struct StateReference {
    struct Row {
        /// By register; results not included.
        var cells: [Scalar]
        var time: Int64
        /// In the order in which rows came.
        var number = 0
    }

    struct Key {
        var rows: [Row] = []
        /// Rows before this one were forgotten by idle_after.
        var floor = 0
        var lastTime = Int64.min
        /// Of each row, the number of its peer group.
        var groups: [Int] = []
    }

    var plan: PartitionPlan
    var lateness: Int64
    var idleAfter: Int64?
    var keys: [[Scalar]: Key] = [:]
    var newest = Int64.min

    /// Takes a row and answers it; nil where it is late.
    mutating func take(_ cells: [Scalar], number: Int = 0) -> [Scalar]? {
        guard case .integer(let time) = cells[plan.time.index] else { fatalError("no event time") }
        let known = newest
        newest = max(newest, time)
        if known != .min && time < known - lateness { return nil }
        let name = plan.keys.map { cells[$0.index] }
        var key = keys[name] ?? Key()
        if let idleAfter, !key.rows.isEmpty, time - idleAfter > key.lastTime { key.floor = key.rows.count }
        var position = key.rows.count
        while position > 0 && isBefore(cells, key.rows[position - 1]) { position -= 1 }
        key.rows.insert(Row(cells: cells, time: time, number: number), at: position)
        if key.floor > position { key.floor += 1 }
        key.lastTime = max(key.lastTime, time)
        key.groups = numberGroups(key.rows)
        keys[name] = key
        return plan.calls.map { answer($0, key, position: position, time: time, hasRow: true, floor: key.floor) }
    }

    func lookUp(_ cells: [Scalar]) -> [Scalar] {
        guard case .integer(let time) = cells[plan.time.index] else { fatalError("no time") }
        let key = keys[plan.keys.map { cells[$0.index] }] ?? Key()
        let position = key.rows.filter { $0.time <= time }.count
        var floor = key.floor
        if let idleAfter, !key.rows.isEmpty, time - idleAfter > key.lastTime { floor = key.rows.count }
        return plan.calls.map { answer($0, key, position: position, time: time, hasRow: false, floor: floor) }
    }

    private func isBefore(_ cells: [Scalar], _ row: Row) -> Bool {
        guard case .integer(let time) = cells[plan.time.index] else { return false }
        if time != row.time { return time < row.time }
        for tie in plan.tieBreakers {
            let (left, right) = (cells[tie.index], row.cells[tie.index])
            if left == right { continue }
            if left == .null { return false }
            if right == .null { return true }
            return order(left, right) < 0
        }
        return false
    }

    // MARK: Frames

    private func bound(_ distance: Frame.Distance, before time: Int64, isStart: Bool) -> Int64 {
        switch distance {
        case .integer(let units): return time - units
        case .interval(let interval):
            if plan.time.type == .date {
                let moment = Timestamps.subtracting(interval, from: time * 86_400_000_000)!
                let days = Int64((Double(moment) / 86_400_000_000).rounded(.down))
                return isStart && days * 86_400_000_000 != moment ? days + 1 : days
            }
            return Timestamps.subtracting(interval, from: time)!
        }
    }

    func arePeers(_ left: Row, _ right: Row) -> Bool {
        left.time == right.time && plan.tieBreakers.allSatisfy { left.cells[$0.index] == right.cells[$0.index] }
    }

    private func isInFrame(_ frame: Frame, _ key: Key, _ candidate: Int, position: Int, time: Int64, hasRow: Bool, floor: Int)
        -> Bool
    {
        if candidate > position || (!hasRow && candidate == position) { return false }
        let row = key.rows[candidate]
        let isPeer = hasRow ? arePeers(row, key.rows[position]) : row.time == time
        let floor = min(floor, position)
        switch (frame.mode, frame.start) {
        case (_, .unboundedPreceding): if candidate < floor { return false }
        case (.rows, .preceding(.integer(let rows))): if candidate < position - Int(rows) || candidate < floor { return false }
        case (.rows, .currentRow): if candidate < position { return false }
        case (_, .currentRow): if row.time < time || (hasRow && !isPeer) { return false }
        case (.groups, .preceding(.integer(let groups))):
            if groupsBetween(key, candidate, position: position, time: time, hasRow: hasRow) > groups { return false }
            if groups > 0 && candidate < floor { return false }
        case (_, .preceding(let distance)): if row.time < bound(distance, before: time, isStart: true) { return false }
        }
        switch (frame.mode, frame.end) {
        case (.rows, .preceding(.integer(let rows))): if candidate > position - Int(rows) { return false }
        case (.groups, .preceding(.integer(let groups))):
            if groupsBetween(key, candidate, position: position, time: time, hasRow: hasRow) < groups { return false }
        case (.range, .preceding(let distance)): if row.time > bound(distance, before: time, isStart: false) { return false }
        default: break
        }
        switch frame.exclusion {
        case .noOthers: return true
        case .currentRow: return !hasRow || candidate != position
        case .group: return !hasRow || !isPeer
        case .ties: return !hasRow || !isPeer || candidate == position
        }
    }

    /// How many peer groups `candidate` stands before the row at `position`; without a row, before rows at `time`.
    private func groupsBetween(_ key: Key, _ candidate: Int, position: Int, time: Int64, hasRow: Bool) -> Int {
        if hasRow { return key.groups[position] - key.groups[candidate] }
        var behind = position
        while behind > 0 && key.rows[behind - 1].time == time { behind -= 1 }
        if candidate >= behind { return 0 }
        return key.groups[behind - 1] - key.groups[candidate] + 1
    }

    func numberGroups(_ rows: [Row]) -> [Int] {
        var groups: [Int] = []
        for row in rows.indices {
            groups.append(row == 0 ? 0 : groups[row - 1] + (arePeers(rows[row - 1], rows[row]) ? 0 : 1))
        }
        return groups
    }

    // MARK: Calls

    private func answer(_ call: CallPlan, _ key: Key, position: Int, time: Int64, hasRow: Bool, floor: Int) -> Scalar {
        let floor = min(floor, position)
        switch call.function {
        case .lag(let offset):
            let value = { (row: Int) in key.rows[row].cells[call.argument!.index] }
            if offset == 0 { return hasRow ? value(position) : .null }
            let before = (floor..<position).filter { !call.ignoresNulls || value($0) != .null }
            if offset <= before.count { return value(before[before.count - Int(offset)]) }
            return hasRow ? call.second.map { key.rows[position].cells[$0.index] } ?? .null : .null
        case .rowNumber:
            return hasRow ? .integer(Int64(position - floor + 1)) : .null
        case .rank:
            if !hasRow { return .null }
            let before = (floor..<position).filter { !arePeers(key.rows[$0], key.rows[position]) }
            return .integer(Int64(before.count + 1))
        case .denseRank:
            if !hasRow { return .null }
            let groups = (floor..<position).filter { !arePeers(key.rows[$0], key.rows[$0 + 1]) }
            return .integer(Int64(groups.count + 1))
        default: break
        }
        let frame = plan.windows[call.window].frame
        let rows = key.rows.indices.filter {
            isInFrame(frame, key, $0, position: position, time: time, hasRow: hasRow, floor: floor)
        }.map { key.rows[$0] }
        let passed = rows.filter { row in call.filter.map { row.cells[$0.index] == .boolean(true) } ?? true }
        var all = call.argument.map { argument in passed.map { $0.cells[argument.index] } } ?? passed.map { _ in .integer(1) }
        if call.ignoresNulls { all = all.filter { $0 != .null } }
        switch call.function {
        case .firstValue: return all.first ?? .null
        case .lastValue: return all.last ?? .null
        case .nthValue(let n): return all.count >= n ? all[Int(n) - 1] : .null
        case .argumentMinimum, .argumentMaximum:
            let sign = call.function == .argumentMinimum ? 1 : -1
            var best: Row?
            for row in passed where row.cells[call.argument!.index] != .null && row.cells[call.second!.index] != .null {
                if best == nil || order(row.cells[call.second!.index], best!.cells[call.second!.index]) * sign < 0 { best = row }
            }
            return best.map { $0.cells[call.argument!.index] } ?? .null
        case .stringAggregate(let separator):
            let texts = all.compactMap { value -> String? in if case .text(let text) = value { text } else { nil } }
            return texts.isEmpty ? .null : .text(texts.joined(separator: separator))
        case .arrayAggregate: return all.isEmpty ? .null : .array(all)
        case .covarianceSample, .covariancePopulation, .correlation, .regressionSlope, .regressionIntercept, .regressionR2:
            return pairs(call, passed)
        case .decayedSum(let distance), .decayedCount(let distance):
            return decayed(call, passed, time: time, distance)
        default: break
        }
        return aggregate(call, all.filter { $0 != .null })
    }

    private func aggregate(_ call: CallPlan, _ values: [Scalar]) -> Scalar {
        if call.function == .count || call.function == .approximateCountDistinct {
            let isDistinct = call.isDistinct || call.function == .approximateCountDistinct
            return .integer(Int64(isDistinct ? Set(values.map(canonical)).count : values.count))
        }
        if values.isEmpty { return .null }
        if call.function == .mode { return mode(values) }
        if call.isDistinct {
            var call = call
            call.isDistinct = false
            return aggregate(call, different(values))
        }
        let scale = call.argument!.type.unit
        switch call.function {
        case .sum:
            switch call.result.type.form {
            case .integer: return .integer(values.reduce(0) { $0 + Int64($1.exact) })
            case .decimal: return .decimal(values.reduce(0) { $0 + $1.exact })
            default: return .double(values.reduce(0.0) { $0 + $1.number })
            }
        case .average:
            if call.argument!.type.form == .double {
                return .double(values.reduce(0.0) { $0 + $1.number } / Double(values.count))
            }
            return .double(Double(values.reduce(Int128(0)) { $0 + $1.exact }) / (Double(values.count) * scale))
        case .quantileContinuous(let fraction):
            let sorted = values.sorted { order($0, $1) < 0 }.map { $0.number / scale }
            let place = Double(sorted.count - 1) * fraction
            let below = Int(place)
            let weight = place - Double(below)
            return .double(weight == 0 ? sorted[below] : sorted[below] * (1 - weight) + sorted[below + 1] * weight)
        case .quantileDiscrete(let fraction):
            let percent = Int((fraction * 100).rounded())
            let sorted = values.sorted { order($0, $1) < 0 }
            return sorted[max(1, (sorted.count * percent + 99) / 100) - 1]
        case .skewness, .kurtosis: return shape(call.function, values.map { $0.number / scale })
        case .minimum: return values.min { order($0, $1) < 0 }!
        case .maximum: return values.max { order($0, $1) < 0 }!
        case .bitAnd: return .integer(values.reduce(-1) { $0 & Int64($1.exact) })
        case .bitOr: return .integer(values.reduce(0) { $0 | Int64($1.exact) })
        case .bitXor: return .integer(values.reduce(0) { $0 ^ Int64($1.exact) })
        case .booleanAnd: return .boolean(values.allSatisfy { $0 == .boolean(true) })
        case .booleanOr: return .boolean(values.contains(.boolean(true)))
        default: return variance(call.function, values.map { $0.number / scale })
        }
    }

    private func variance(_ function: WindowFunction, _ values: [Double]) -> Scalar {
        let isSample = function == .varianceSample || function == .deviationSample
        if isSample && values.count < 2 { return .null }
        // Equal values have no variance, whatever rounding makes of their mean.
        let mean = values.allSatisfy { $0 == values[0] } ? values[0] : values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let variance = squares / Double(isSample ? values.count - 1 : values.count)
        let isDeviation = function == .deviationSample || function == .deviationPopulation
        return .double(isDeviation ? variance.squareRoot() : variance)
    }

    func canonical(_ value: Scalar) -> Scalar {
        guard case .double(let number) = value else { return value }
        return number.isNaN ? .text("NaN") : .double(number == 0 ? 0 : number)
    }
}

/// Negative, zero, positive; NaN above all numbers.
func order(_ left: Scalar, _ right: Scalar) -> Int {
    func compare<T: Comparable>(_ x: T, _ y: T) -> Int { x < y ? -1 : x == y ? 0 : 1 }
    switch (left, right) {
    case (.integer(let x), .integer(let y)): return compare(x, y)
    case (.decimal(let x), .decimal(let y)): return compare(x, y)
    case (.text(let x), .text(let y)): return Array(x.utf8).lexicographicallyPrecedes(Array(y.utf8)) ? -1 : x == y ? 0 : 1
    case (.boolean(let x), .boolean(let y)): return compare(x ? 1 : 0, y ? 1 : 0)
    case (.double(let x), .double(let y)):
        if x.isNaN || y.isNaN { return compare(x.isNaN ? 1 : 0, y.isNaN ? 1 : 0) }
        return compare(x, y)
    default: fatalError("\(left) and \(right) have no order")
    }
}

extension Scalar {
    var exact: Int128 {
        switch self {
        case .integer(let value): Int128(value)
        case .decimal(let value): value
        default: fatalError("\(self) is not exact")
        }
    }

    var number: Double {
        if case .double(let value) = self { return value }
        return Double(exact)
    }
}

extension ValueType {
    var unit: Double {
        guard case .numeric(_, let scale) = self else { return 1 }
        return (0..<scale).reduce(1) { product, _ in product * 10 }
    }
}
