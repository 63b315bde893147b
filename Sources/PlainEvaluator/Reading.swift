import Language
import Values

/// One call's view of a key at one moment: the rows of its frame, found by asking every row.
struct Reading {
    let rows: [WindowsState.StoredRow]
    /// Where the current row stands; nil for a look-up.
    let current: Int?
    let time: Int64
    let timeType: ValueType
    let zone: ZoneRules
    /// Place of the call among those of its grouping.
    let call: Int
    /// A look-up after the key was idle: nothing is left but what frames bound.
    let afterIdle: Bool

    /// Rows not after the current one (or the moment) that are there.
    private var seen: Int { current.map { $0 + 1 } ?? rows.count { $0.time <= time } }

    /// Whether a row counts where no frame bounds what is seen.
    private func isKept(_ row: Int) -> Bool { row == current || !(rows[row].isForgotten || afterIdle) }

    private func isPeer(_ row: Int) -> Bool {
        if let current { return rows[row].isPeer(of: rows[current]) }
        return rows[row].time == time
    }

    // MARK: Frame

    /// Rows of the frame in order.
    func frame(_ frame: Frame) -> [Int] {
        let candidates = Array(0..<seen)
        let inside: [Int]
        switch frame.mode {
        case .range: inside = candidates.filter { isInRange($0, frame) }
        case .rows: inside = counted(candidates.filter(isKept).map { [$0] }, frame)
        case .groups:
            // What is not kept any more makes no groups.
            var groups: [[Int]] = []
            for row in candidates where isKept(row) {
                // A look-up's moment and all rows of that time are one group, whatever breaks ties among rows.
                let isAtMoment = { current == nil && rows[$0].time == time }
                if let last = groups.last?.last, rows[last].isPeer(of: rows[row]) || (isAtMoment(last) && isAtMoment(row)) {
                    groups[groups.count - 1].append(row)
                } else {
                    groups.append([row])
                }
            }
            inside = counted(groups, frame)
        }
        return inside.filter { !isExcluded($0, frame.exclusion) }
    }

    private func isInRange(_ row: Int, _ frame: Frame) -> Bool {
        switch frame.start {
        case .unboundedPreceding: if !isKept(row) { return false }
        case .currentRow: if !isPeer(row) { return false }
        case .preceding(let distance): if !isAtOrAfter(row, distance) { return false }
        }
        switch frame.end {
        case .preceding(let distance): return isAtOrBefore(row, distance)
        default: return true
        }
    }

    /// `row's time >= time - distance`.
    private func isAtOrAfter(_ row: Int, _ distance: Frame.Distance) -> Bool { compare(row, distance) >= 0 }
    private func isAtOrBefore(_ row: Int, _ distance: Frame.Distance) -> Bool { compare(row, distance) <= 0 }

    private func compare(_ row: Int, _ distance: Frame.Distance) -> Int {
        let (left, right): (Int128, Int128)
        switch distance {
        case .integer(let units): (left, right) = (Int128(rows[row].time), Int128(time) - Int128(units))
        case .interval(let interval):
            // A date is its midnight.
            let unit: Int64 = timeType == .date ? 86_400_000_000 : 1
            let zone = timeType == .timestamptz ? self.zone : .utc
            left = Int128(rows[row].time) * Int128(unit)
            right = zone.subtracting(interval, from: time * unit).map { Int128($0) } ?? .min
        }
        return left < right ? -1 : left == right ? 0 : 1
    }

    /// ROWS and GROUPS: distances count units of the order, the current row's own being the last.
    private func counted(_ units: [[Int]], _ frame: Frame) -> [Int] {
        var last = units.count - 1
        // Without a current row the place behind the last one is where a row would be.
        if current == nil {
            let joins = frame.mode == .groups && units.last.map { rows[$0[0]].time == time } == true
            if !joins { last += 1 }
        }
        func place(_ bound: Frame.Bound) -> Int {
            switch bound {
            case .unboundedPreceding: 0
            case .currentRow: last
            case .preceding(.integer(let distance)): last - Int(min(distance, 1 << 40))
            case .preceding(.interval): fatalError("ROWS and GROUPS count")
            }
        }
        return units.indices.filter { $0 >= place(frame.start) && $0 <= place(frame.end) }.flatMap { units[$0] }
    }

    private func isExcluded(_ row: Int, _ exclusion: Frame.Exclusion) -> Bool {
        guard let current else { return false }
        switch exclusion {
        case .noOthers: return false
        case .currentRow: return row == current
        case .group: return isPeer(row)
        case .ties: return isPeer(row) && row != current
        }
    }

    // MARK: Answer

    func answer(_ call: WindowCall) -> Cell {
        let before = (0..<seen).filter { $0 != current && isKept($0) }
        switch call.function {
        case .lag(let offset):
            func otherwise() -> Cell {
                guard let current, call.arguments.count > 1 else { return .null }
                return rows[current].arguments[self.call][1]
            }
            if offset == 0 { return current.map { argument($0) } ?? .null }
            let candidates = call.ignoresNulls ? before.filter { !argument($0).isNull } : before
            return candidates.count >= offset ? argument(candidates[candidates.count - Int(offset)]) : otherwise()
        case .rowNumber:
            return current == nil ? .null : Cell(.integer(Int64(before.count + 1)))
        case .rank:
            return current == nil ? .null : Cell(.integer(Int64(before.count { !isPeer($0) } + 1)))
        case .denseRank:
            guard let current else { return .null }
            var groups = 1
            for (index, row) in before.enumerated() where !isPeer(row) {
                if index == 0 || !rows[before[index - 1]].isPeer(of: rows[row]) { groups += 1 }
            }
            _ = current
            return Cell(.integer(Int64(groups)))
        default: break
        }
        let inside = frame(call.window.frame)
        switch call.function {
        case .firstValue, .lastValue, .nthValue:
            let candidates = call.ignoresNulls ? inside.filter { !argument($0).isNull } : inside
            switch call.function {
            case .firstValue: return candidates.first.map { argument($0) } ?? .null
            case .lastValue: return candidates.last.map { argument($0) } ?? .null
            case .nthValue(let n): return candidates.count >= n ? argument(candidates[Int(n) - 1]) : .null
            default: fatalError()
            }
        default:
            let passed = inside.filter { rows[$0].passes[self.call] }
            return Aggregation(
                call: call, rows: passed.map { rows[$0] }, place: self.call, time: time, zone: zone, timeType: timeType
            )
            .result
        }
    }

    private func argument(_ row: Int) -> Cell { rows[row].arguments[call][0] }
}
