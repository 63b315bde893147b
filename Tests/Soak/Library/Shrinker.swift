import Engine
import PlainEvaluator
import Values

/// Makes a failing case smaller as long as it still fails: fewer batches, rows, calls, conditions and columns, then plainer
/// values.
struct Shrinker {
    private(set) var best: SoakCase
    private var attemptsLeft: Int
    private let fails: (SoakCase) -> Bool

    init(_ failing: SoakCase, attempts: Int = 4_000, fails: @escaping (SoakCase) -> Bool) {
        best = failing
        attemptsLeft = attempts
        self.fails = fails
    }

    mutating func run() -> SoakCase {
        best.checkedPercent = 100
        var isProgress = true
        while isProgress && attemptsLeft > 0 {
            isProgress = false
            // One after the other: what one leaves, the next one starts from.
            for step in [Self.events, Self.rows, Self.definition, Self.frames, Self.values] where improve(step) {
                isProgress = true
            }
        }
        return best
    }

    /// Tries every candidate of the case at hand, starting anew with each that fails too.
    private mutating func improve(_ candidates: (SoakCase) -> [SoakCase]) -> Bool {
        var isBetter = false
        var index = 0
        var all = candidates(best)
        while index < all.count && attemptsLeft > 0 {
            attemptsLeft -= 1
            if fails(all[index]) {
                best = all[index]
                isBetter = true
                all = candidates(best)
                // Those before it did not fail a moment ago.
                index = min(index, all.count)
            } else {
                index += 1
            }
        }
        return isBetter
    }

    private static func changed(_ original: SoakCase, _ change: (inout SoakCase) -> Void) -> SoakCase {
        var copy = original
        change(&copy)
        return copy
    }

    // MARK: Events

    private static func events(_ original: SoakCase) -> [SoakCase] {
        var result: [SoakCase] = []
        var size = original.batches.count / 2
        while size >= 1 {
            for start in stride(from: 0, to: original.batches.count, by: size) {
                let range = start..<min(start + size, original.batches.count)
                result.append(changed(original) { $0.batches.removeSubrange(range) })
            }
            size /= 2
        }
        for index in original.batches.indices
        where original.batches[index].mode != .compute && original.batches[index].mode != .lookUp {
            result.append(changed(original) { $0.batches[index].mode = .compute })
        }
        for index in original.batches.indices.dropLast()
        where original.batches[index].mode == .compute && original.batches[index + 1].mode == .compute
            && original.batches[index].table == original.batches[index + 1].table
        {
            result.append(
                changed(original) {
                    $0.batches[index].rows += $0.batches[index + 1].rows
                    $0.batches.remove(at: index + 1)
                })
        }
        return result
    }

    private static func rows(_ original: SoakCase) -> [SoakCase] {
        var result: [SoakCase] = []
        for index in original.batches.indices {
            let count = original.batches[index].rows.count
            var size = max(1, count / 2)
            while size >= 1 && count > 1 {
                for start in stride(from: 0, to: count, by: size) {
                    let range = start..<min(start + size, count)
                    if range.count < count { result.append(changed(original) { $0.batches[index].rows.removeSubrange(range) }) }
                }
                size /= 2
            }
        }
        return result
    }

    // MARK: Definition

    private static func definition(_ original: SoakCase) -> [SoakCase] {
        var result: [SoakCase] = []
        if original.otherShardCount != nil { result.append(changed(original) { $0.otherShardCount = nil }) }
        if original.shardCount > 1 { result.append(changed(original) { $0.shardCount = 1 }) }
        if original.shape != .subqueries { result.append(changed(original) { $0.shape = .subqueries }) }
        if original.outerWhere != nil { result.append(changed(original) { $0.outerWhere = nil }) }
        if original.betweenWhere != nil { result.append(changed(original) { $0.betweenWhere = nil }) }
        if original.innerWhere != nil { result.append(changed(original) { $0.innerWhere = nil }) }
        if original.idleAfter != nil { result.append(changed(original) { $0.idleAfter = nil }) }
        if original.lateness != nil { result.append(changed(original) { $0.lateness = nil }) }
        if original.zone != "UTC" { result.append(changed(original) { $0.zone = "UTC" }) }
        if original.isUnion {
            result.append(
                changed(original) { smaller in
                    smaller.isUnion = false
                    for batch in smaller.batches.indices where smaller.batches[batch].table == "t2" {
                        smaller.batches[batch].table = "t"
                    }
                })
        }
        for index in original.joins.indices {
            let table = original.joins[index].isAsOf ? "hist" : "ref"
            result.append(
                changed(original) {
                    $0.joins.remove(at: index)
                    $0.batches.removeAll { $0.table == table }
                })
            if original.joins[index].condition != nil { result.append(changed(original) { $0.joins[index].condition = nil }) }
            if original.joins[index].isInner { result.append(changed(original) { $0.joins[index].isInner = false }) }
        }
        for index in original.outputs.indices { result.append(changed(original) { $0.outputs.remove(at: index) }) }
        for index in original.derived.indices { result.append(changed(original) { $0.derived.remove(at: index) }) }
        for level in original.levels.indices.reversed() {
            if original.levels.count > 1 { result.append(changed(original) { $0.levels.remove(at: level) }) }
            for index in original.levels[level].indices where original.levels[level].count > 1 {
                result.append(changed(original) { $0.levels[level].remove(at: index) })
            }
            for (index, call) in original.levels[level].enumerated() {
                func with(_ change: (inout CallSpec) -> Void) {
                    result.append(changed(original) { change(&$0.levels[level][index]) })
                }
                if call.filter != nil { with { $0.filter = nil } }
                if call.isDistinct { with { $0.isDistinct = false } }
                if call.ignoresNulls { with { $0.ignoresNulls = false } }
                for key in call.keys.indices { with { $0.keys.remove(at: key) } }
                for tie in call.ties.indices { with { $0.ties.remove(at: tie) } }
                if call.arguments.count > 1, call.function == "lag" { with { $0.arguments.removeLast() } }
                for argument in ["x", "i", "s", "n"] where call.arguments.first.map({ $0.count > 1 && $0 != "*" }) == true {
                    with { $0.arguments[0] = argument }
                }
            }
        }
        return result
    }

    private static func frames(_ original: SoakCase) -> [SoakCase] {
        var result: [SoakCase] = []
        for (level, calls) in original.levels.enumerated() {
            for (index, call) in calls.enumerated() {
                guard let frame = call.frame else { continue }
                func with(_ change: (inout FrameSpec) -> Void) {
                    var smaller = frame
                    change(&smaller)
                    if smaller.text != frame.text { result.append(changed(original) { $0.levels[level][index].frame = smaller }) }
                }
                result.append(changed(original) { $0.levels[level][index].frame = nil })
                with { $0.exclusion = "" }
                with { $0.start = .unbounded }
                with { $0.end = .currentRow }
                if case .preceding(.count(let count)) = frame.start, count > 0 {
                    with { $0.start = .preceding(.count(count / 2)) }
                    with { $0.start = .preceding(.count(count - 1)) }
                }
                if case .preceding(.count(let count)) = frame.end, count > 0 {
                    with { $0.end = .preceding(.count(count / 2)) }
                    with { $0.end = .preceding(.count(count - 1)) }
                }
            }
        }
        return result
    }

    // MARK: Values

    private static func values(_ original: SoakCase) -> [SoakCase] {
        var result: [SoakCase] = []
        let all = Column.all(original.timeType)
        for column in original.usedColumns where column != Column.time {
            let plain = plainValue(all[column].type)
            let isPlain = original.batches.allSatisfy { !$0.isEvents || $0.rows.allSatisfy { $0[column] == plain } }
            if !isPlain {
                result.append(
                    changed(original) { smaller in
                        for batch in smaller.batches.indices where smaller.batches[batch].isEvents {
                            for row in smaller.batches[batch].rows.indices { smaller.batches[batch].rows[row][column] = plain }
                        }
                    })
            }
            for batch in original.batches.indices where original.batches[batch].isEvents {
                for row in original.batches[batch].rows.indices where original.batches[batch].rows[row][column] != plain {
                    result.append(changed(original) { $0.batches[batch].rows[row][column] = plain })
                }
            }
        }
        return result.count > 400 ? Array(result.prefix(400)) : result
    }

    private static func plainValue(_ type: ValueType) -> Value {
        switch type.form {
        case .boolean: .boolean(true)
        case .integer: .integer(type.isTimestamp || type == .date ? 0 : 1)
        case .double: .double(1)
        case .decimal: .decimal(100)
        case .text: .text([97])
        case .interval: .interval(Interval(days: 1))
        case .array: .null
        }
    }
}
