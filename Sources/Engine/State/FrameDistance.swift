import Language
import Values

/// How far before a row a RANGE bound lies, in the unit of the event time.
///
/// Months and days follow the calendar and, for moments, the clocks of the session's time zone, so a later row's bound can
/// lie before an earlier row's.
struct FrameDistance {
    private enum Unit { case fixed, calendar, calendarOfDates, calendarOfZone }
    private let unit: Unit
    private let distance: Int64
    private let interval: Interval
    /// Read by `calendarOfZone` alone; outlives the distance.
    private let zone: UnsafePointer<ZoneRules>?

    /// - Parameter zone: where the event time is a timestamptz and clocks change.
    init(_ distance: Frame.Distance, timeIsDate: Bool, zone: UnsafePointer<ZoneRules>?) {
        self.zone = zone
        switch distance {
        case .integer(let units):
            unit = .fixed
            self.distance = units
            interval = Interval()
        case .interval(let interval):
            self.interval = interval
            let microseconds = Int128(interval.days) * Int128(Timestamps.dayMicroseconds) + Int128(interval.microseconds)
            self.distance = Int64(clamping: microseconds)
            if timeIsDate {
                unit = .calendarOfDates
            } else if zone != nil {
                unit = interval.months == 0 && interval.days == 0 ? .fixed : .calendarOfZone
            } else {
                unit = interval.months == 0 ? .fixed : .calendar
            }
        }
    }

    /// The least time that is inside of a frame that starts this far before `time`.
    @inline(__always)
    func start(before time: Int64) -> Int64 {
        if unit == .fixed { return saturatingDifference(time) }
        return calendarBound(time, roundedUp: true)
    }

    /// The greatest time that is inside of a frame that ends this far before `time`.
    @inline(__always)
    func end(before time: Int64) -> Int64 {
        if unit == .fixed { return saturatingDifference(time) }
        return calendarBound(time, roundedUp: false)
    }

    /// Always the same number of units, whatever the calendar.
    @inline(__always) var isFixed: Bool { unit == .fixed }

    /// `start(before:)` of a fixed distance.
    @inline(__always)
    func fixedStart(before time: Int64) -> Int64 { saturatingDifference(time) }

    @inline(__always)
    private func saturatingDifference(_ time: Int64) -> Int64 {
        let (difference, overflow) = time.subtractingReportingOverflow(distance)
        return overflow ? (distance > 0 ? .min : .max) : difference
    }

    @inline(never)
    private func calendarBound(_ time: Int64, roundedUp: Bool) -> Int64 {
        if unit == .calendarOfZone { return zone!.pointee.subtracting(interval, from: time) ?? .min }
        if unit == .calendar { return Timestamps.subtracting(interval, from: time) ?? .min }
        guard let midnight = Timestamps.microseconds(days: time),
            let bound = Timestamps.subtracting(interval, from: midnight)
        else { return .min }
        let days = floorDivide(bound, Timestamps.dayMicroseconds)
        return roundedUp && days * Timestamps.dayMicroseconds != bound ? days + 1 : days
    }
}
