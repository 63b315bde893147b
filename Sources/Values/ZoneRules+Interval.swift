/// A moment and an interval, where a day is one of the zone's clocks: 23 or 25 hours when they change.
extension ZoneRules {
    /// Months first, then days, each by the local date and time of day; then time. nil when out of range.
    public func adding(_ interval: Interval, to moment: Int64) -> Int64? {
        guard let withMonths = moved(moment, by: Interval(months: interval.months)),
            let withDays = moved(withMonths, by: Interval(days: interval.days))
        else { return nil }
        return Timestamps.adding(Interval(microseconds: interval.microseconds), to: withDays)
    }

    public func subtracting(_ interval: Interval, from moment: Int64) -> Int64? {
        guard let negated = interval.negated else { return nil }
        return adding(negated, to: moment)
    }

    private func moved(_ moment: Int64, by interval: Interval) -> Int64? {
        if interval == Interval() { return moment }
        guard let local = local(utc: moment), let moved = Timestamps.adding(interval, to: local) else { return nil }
        return utc(local: moved)
    }
}
