import Bounds
import Language
import Values

/// How long rows are kept.
extension StateLayoutPlanner {
    func retention() -> StateLayout.Retention {
        var result = StateLayout.Retention(
            distance: 0, rows: 0, groups: 0, keepsValues: false, keepsAll: false, isUnbounded: false)
        for call in partition.calls {
            let frame = partition.windows[call.window].frame
            switch call.function {
            case .lag(let offset) where ignoresNulls(call):
                result.isUnbounded = true
                if offset > Bounds.presentLagMax { result.keepsAll = true }
                continue
            case .lag(let offset):
                result.rows = max(result.rows, offset)
                result.isUnbounded = true
                continue
            case .rowNumber, .rank, .denseRank:
                result.isUnbounded = true
                continue
            default:
                break
            }
            for bound in [frame.start, frame.end] { keep(bound, of: frame, in: &result) }
            if frame.start == .unboundedPreceding {
                result.isUnbounded = true
                if call.isDistinct && call.function == .count || call.function == .approximateCountDistinct {
                    result.keepsValues = true
                } else if call.isDistinct || call.function.needsAllRows {
                    result.keepsAll = true
                }
            }
        }
        return result
    }

    /// Whether IGNORE NULLS makes a difference: a fold remembers the values then.
    private func ignoresNulls(_ call: CallPlan) -> Bool {
        call.ignoresNulls && call.argument.map { $0 != partition.time && mayBeNull($0) } == true
    }

    private func keep(_ bound: Frame.Bound, of frame: Frame, in retention: inout StateLayout.Retention) {
        guard case .preceding(let distance) = bound else { return }
        switch (frame.mode, distance) {
        case (.range, .integer(let units)):
            retention.distance = max(retention.distance, units)
        case (.range, .interval(let interval)):
            retention.distance = max(retention.distance, interval.distanceMax(in: partition.time.type))
        case (.rows, .integer(let rows)):
            retention.rows = max(retention.rows, rows)
            retention.isUnbounded = true
        case (.groups, .integer(let groups)):
            retention.groups = max(retention.groups, groups)
            retention.isUnbounded = true
        default:
            preconditionFailure("ROWS and GROUPS count whole rows and groups")
        }
    }
}

extension WindowFunction {
    /// Over an unbounded frame nothing less than all its rows answers.
    var needsAllRows: Bool {
        switch self {
        case .quantileContinuous, .quantileDiscrete, .mode, .stringAggregate, .arrayAggregate: true
        default: false
        }
    }
}

extension Interval {
    /// The longest this interval can be on any calendar date, in the unit of `type`, rounded up; at least 0.
    func distanceMax(in type: ValueType) -> Int64 {
        let microsecondsPerDay = Int128(86_400_000_000)
        let calendarDays = Int128(months) * 31 + Int128(days)
        // A calendar day is longer than 24 hours where clocks are put back.
        let slack: Int128 = type == .timestamptz && calendarDays != 0 ? 2 * 3_600_000_000 : 0
        let total = calendarDays * microsecondsPerDay + slack + Int128(microseconds)
        let units = type == .date ? (total + microsecondsPerDay - 1) / microsecondsPerDay : total
        return Int64(clamping: max(units, 0))
    }
}
