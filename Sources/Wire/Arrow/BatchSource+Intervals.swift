import Values

/// Arrow's three interval types and its durations as month_day_nano:
///
///     offset  0       4     8
///             months  days  nanoseconds
extension BatchSource {
    func convertInterval(
        _ plan: ColumnPlan, into column: inout ColumnView, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) {
        switch plan.conversion {
        case .monthDayNano: try checkNanoseconds(plan, into: &column, scratch: &scratch)
        case .months:
            let months = try integers(plan, .int32, column, scratch: &scratch)
            try store(into: &column, scratch: &scratch) { Interval(months: Int32(truncatingIfNeeded: months[$0])) }
        case .daysAndMilliseconds:
            // Two int32 side by side, read as one int64.
            let pairs = try integers(plan, .int64, column, scratch: &scratch)
            try store(into: &column, scratch: &scratch) { row in
                let milliseconds = Int64(Int32(truncatingIfNeeded: pairs[row] >> 32))
                return Interval(days: Int32(truncatingIfNeeded: pairs[row]), microseconds: milliseconds * 1000)
            }
        case .duration(let multiplier, let divisor):
            let microseconds = try microseconds(
                plan, column, multiplier: multiplier, divisor: divisor, scratch: &scratch)
            try store(into: &column, scratch: &scratch) { Interval(microseconds: microseconds[$0]) }
        default: preconditionFailure("no conversion to an interval")
        }
    }

    private func checkNanoseconds(
        _ plan: ColumnPlan, into column: inout ColumnView, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) {
        let source = try aligned(plan.buffer + 1, width: 16, count: rowCount, "values", scratch: &scratch)
        for row in 0..<rowCount where !column.isNull(row) {
            let nanoseconds = source.load(fromByteOffset: row * 16 + 8, as: Int64.self)
            guard nanoseconds % 1000 == 0 else {
                throw .value(row: row, why: "\(nanoseconds) ns is finer than a microsecond; round before sending")
            }
        }
        column.values = source
    }

    private func store(
        into column: inout ColumnView, scratch: inout ScratchBuffer, _ interval: (Int) -> Interval
    ) throws(ColumnProblem) {
        let target = try scratch.take(max(16 * rowCount, 16))
        for row in 0..<rowCount {
            let value = interval(row)
            let (nanoseconds, isOverflow) = value.microseconds.multipliedReportingOverflow(by: 1000)
            if isOverflow && !column.isNull(row) {
                throw .value(row: row, why: "\(value.microseconds) µs is out of range for interval")
            }
            (target + row * 16).storeBytes(of: value.months, as: Int32.self)
            (target + row * 16).storeBytes(of: value.days, toByteOffset: 4, as: Int32.self)
            (target + row * 16).storeBytes(of: nanoseconds, toByteOffset: 8, as: Int64.self)
        }
        column.values = UnsafeRawPointer(target)
    }
}
