/// Interval arithmetic as PostgreSQL defines it: field by field, but for order and for factors that are not whole.
extension Interval {
    /// For order and equality: a month counts 30 days and a day 24 hours.
    @inlinable public var normalizedMicroseconds: Int128 {
        Int128(microseconds) &+ Int128(Int64(months) &* 30 &+ Int64(days)) &* 86_400_000_000
    }

    /// nil when a field is out of range.
    @inlinable public var negated: Interval? { Interval().subtracting(self) }

    @inlinable public func adding(_ other: Interval) -> Interval? {
        let months = months.addingReportingOverflow(other.months)
        let days = days.addingReportingOverflow(other.days)
        let microseconds = microseconds.addingReportingOverflow(other.microseconds)
        if months.overflow || days.overflow || microseconds.overflow { return nil }
        return Interval(months: months.partialValue, days: days.partialValue, microseconds: microseconds.partialValue)
    }

    @inlinable public func subtracting(_ other: Interval) -> Interval? {
        let months = months.subtractingReportingOverflow(other.months)
        let days = days.subtractingReportingOverflow(other.days)
        let microseconds = microseconds.subtractingReportingOverflow(other.microseconds)
        if months.overflow || days.overflow || microseconds.overflow { return nil }
        return Interval(months: months.partialValue, days: days.partialValue, microseconds: microseconds.partialValue)
    }

    /// What is left of a month spills into days of 1/30 month, what is left of a day into time.
    public func multiplied(by factor: Double) -> Interval? {
        spilled(months: Double(months) * factor, days: Double(days) * factor, microseconds: Double(microseconds) * factor)
    }

    /// nil for a divisor of 0 too.
    public func divided(by divisor: Double) -> Interval? {
        if divisor == 0 { return nil }
        return spilled(
            months: Double(months) / divisor, days: Double(days) / divisor, microseconds: Double(microseconds) / divisor)
    }

    private func spilled(months: Double, days: Double, microseconds: Double) -> Interval? {
        guard let wholeMonths = Int32(truncating: months), let wholeDays = Int32(truncating: days) else { return nil }
        let daysOfMonths = roundedToMicroseconds((months - Double(wholeMonths)) * 30)
        let wholeDaysOfMonths = daysOfMonths.rounded(.towardZero)
        var seconds = roundedToMicroseconds(
            (days - Double(wholeDays) + daysOfMonths - wholeDaysOfMonths) * 86_400)
        var extraDays = wholeDaysOfMonths
        if seconds.magnitude >= 86_400 {
            let spilled = (seconds / 86_400).rounded(.towardZero)
            extraDays += spilled
            seconds -= spilled * 86_400
        }
        let (allDays, overflow) = wholeDays.addingReportingOverflow(Int32(extraDays))
        let time = (microseconds + seconds * 1_000_000).rounded(.toNearestOrEven)
        guard !overflow, time.magnitude < 0x1p63 else { return nil }
        return Interval(months: wholeMonths, days: allDays, microseconds: Int64(time))
    }

    /// `date_trunc` of an interval.
    public func truncated(months monthUnit: Int32) -> Interval { Interval(months: months / monthUnit * monthUnit) }
}

private func roundedToMicroseconds(_ value: Double) -> Double {
    (value * 1_000_000).rounded(.toNearestOrEven) / 1_000_000
}

extension Int32 {
    /// nil outside of the range, for NaN and for infinities.
    fileprivate init?(truncating value: Double) {
        guard value.magnitude < 0x1p31 else { return nil }
        self = Int32(value)
    }
}
