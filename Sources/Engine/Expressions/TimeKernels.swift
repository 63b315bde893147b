import Language
import Values

extension KernelFrame {
    func timestampPlusInterval() {
        if Arithmetic(rawValue: step.variant)! == .subtract {
            binaryOfValues { (x: Int64, y: Interval) in Timestamps.subtracting(y, from: x) }
        } else {
            binaryOfValues { (x: Int64, y: Interval) in Timestamps.adding(y, to: x) }
        }
    }

    /// A timestamptz, by the calendar and clocks of the session's zone.
    func momentPlusInterval(_ zone: ZoneRules) {
        if Arithmetic(rawValue: step.variant)! == .subtract {
            binaryOfValues { (x: Int64, y: Interval) in zone.subtracting(y, from: x) }
        } else {
            binaryOfValues { (x: Int64, y: Interval) in zone.adding(y, to: x) }
        }
    }

    func timestampDifference() {
        binaryOrFail { (x: Int64, y: Int64) in
            let result = Timestamps.difference(x, y)
            return (result ?? Interval(), result == nil)
        }
    }

    func intervalArithmetic() {
        if Arithmetic(rawValue: step.variant)! == .subtract {
            binaryOfValues { (x: Interval, y: Interval) in x.subtracting(y) }
        } else {
            binaryOfValues { (x: Interval, y: Interval) in x.adding(y) }
        }
    }

    func intervalScale() {
        if Arithmetic(rawValue: step.variant)! == .divide {
            binaryOfValues { (x: Interval, y: Double) in x.divided(by: y) }
        } else {
            binaryOfValues { (x: Interval, y: Double) in x.multiplied(by: y) }
        }
    }

    func intervalUnary() { unaryOfValues { (x: Interval) in x.negated } }

    func age() { binaryOfValues { (x: Int64, y: Int64) in Timestamps.age(x, y) } }

    func shiftZone(_ rules: ZoneRules) {
        if step.variant == 1 {
            unaryOfValues { (x: Int64) in rules.utc(local: x) }
        } else {
            unaryOfValues { (x: Int64) in rules.local(utc: x) }
        }
    }

    // MARK: EXTRACT

    /// A field of the time of day or the epoch is one expression; the calendar's need the day taken apart.
    func extractTimestamp() {
        let day = Timestamps.dayMicroseconds
        @inline(__always) func ofTime(_ unit: Int64, within: Int64) {
            unary { (x: Int64) in Double(floorRemainder(x, within) / unit) }
        }
        let field = DateField.allCases[Int(step.variant)]
        switch field {
        case .epoch: unary { (x: Int64) in Double(x) / 1_000_000 }
        case .microseconds: ofTime(1, within: 60_000_000)
        case .milliseconds: unary { (x: Int64) in Double(floorRemainder(x, 60_000_000)) / 1_000 }
        case .second: unary { (x: Int64) in Double(floorRemainder(x, 60_000_000)) / 1_000_000 }
        case .minute: ofTime(60_000_000, within: 3_600_000_000)
        case .hour: ofTime(3_600_000_000, within: day)
        case .dow: unary { (x: Int64) in Double(Weekday.iso(daysSince1970: floorDivide(x, day)) % 7) }
        case .isodow: unary { (x: Int64) in Double(Weekday.iso(daysSince1970: floorDivide(x, day))) }
        case .julian:
            unary { (x: Int64) in Double(floorDivide(x, day) + 2_440_588) + Double(floorRemainder(x, day)) / Double(day) }
        default: unary { (x: Int64) in Double(calendarField(field, daysSince1970: floorDivide(x, day))) }
        }
    }

    func extractInterval() {
        let field = DateField.allCases[Int(step.variant)]
        unary { (x: Interval) in intervalField(field, x) }
    }

    // MARK: date_trunc

    func truncateTimestamp() {
        let field = DateField.allCases[Int(step.variant)]
        let day = Timestamps.dayMicroseconds
        @inline(__always) func toUnit(_ unit: Int64) { unary { (x: Int64) in x &- floorRemainder(x, unit) } }
        switch field {
        case .microseconds: toUnit(1)
        case .milliseconds: toUnit(1_000)
        case .second: toUnit(1_000_000)
        case .minute: toUnit(60_000_000)
        case .hour: toUnit(3_600_000_000)
        case .day: toUnit(day)
        case .week:
            unary { (x: Int64) in
                let days = floorDivide(x, day)
                return (days &- Weekday.iso(daysSince1970: days) &+ 1) &* day
            }
        default:
            unaryOfValues { (x: Int64) in
                Timestamps.microseconds(days: firstDay(of: field, daysSince1970: floorDivide(x, day)))
            }
        }
    }

    func truncateInterval() {
        let field = DateField.allCases[Int(step.variant)]
        unary { (x: Interval) in truncated(x, to: field) }
    }
}

/// Fields of the calendar, PostgreSQL's way with years before 1 AD: there is no year 0.
private func calendarField(_ field: DateField, daysSince1970 days: Int64) -> Int64 {
    let date = CalendarDay(daysSince1970: days)
    let year = date.year
    switch field {
    case .day: return date.day
    case .month: return date.month
    case .quarter: return (date.month - 1) / 3 + 1
    case .year: return year > 0 ? year : year - 1
    case .decade: return floorDivide(year, 10)
    case .century: return year > 0 ? (year + 99) / 100 : -((99 - (year - 1)) / 100)
    case .millennium: return year > 0 ? (year + 999) / 1_000 : -((999 - (year - 1)) / 1_000)
    case .doy: return date.dayOfYear
    case .week: return Weekday.isoWeek(daysSince1970: days).week
    case .isoyear:
        let isoYear = Weekday.isoWeek(daysSince1970: days).year
        return isoYear > 0 ? isoYear : isoYear - 1
    default: preconditionFailure("\(field) is no field of the calendar")
    }
}

private func intervalField(_ field: DateField, _ interval: Interval) -> Double {
    let (months, microseconds) = (interval.months, interval.microseconds)
    switch field {
    case .microseconds: return Double(microseconds % 60_000_000)
    case .milliseconds: return Double(microseconds % 60_000_000) / 1_000
    case .second: return Double(microseconds % 60_000_000) / 1_000_000
    case .minute: return Double(microseconds / 60_000_000 % 60)
    case .hour: return Double(microseconds / 3_600_000_000)
    case .day: return Double(interval.days)
    case .month: return Double(months % 12)
    case .quarter: return Double(months % 12 / 3 + 1)
    case .year: return Double(months / 12)
    case .decade: return Double(months / 120)
    case .century: return Double(months / 1_200)
    case .millennium: return Double(months / 12_000)
    case .epoch:
        // A year counts 365.25 days, a month that makes no year 30.
        let days = Int64(months / 12) * 1_461 * 6 + Int64(months % 12) * 30 * 24 + Int64(interval.days) * 24
        return Double(nearest: Int128(days) * 3_600_000_000 + Int128(microseconds)) / 1_000_000
    default: preconditionFailure("\(field) is no field of an interval")
    }
}

private func firstDay(of field: DateField, daysSince1970 days: Int64) -> Int64 {
    var date = CalendarDay(daysSince1970: days)
    date.day = 1
    switch field {
    case .month: break
    case .quarter: date.month = (date.month - 1) / 3 * 3 + 1
    default:
        date.month = 1
        switch field {
        case .year: break
        case .decade: date.year = floorDivide(date.year, 10) * 10
        // Centuries and millennia begin with the year 1; those before with -99 and -999 (100 BC, 1000 BC).
        case .century: date.year = floorDivide(date.year - 1, 100) * 100 + 1
        case .millennium: date.year = floorDivide(date.year - 1, 1_000) * 1_000 + 1
        default: preconditionFailure("date_trunc has no \(field)")
        }
    }
    return date.daysSince1970
}

private func truncated(_ interval: Interval, to field: DateField) -> Interval {
    func months(_ unit: Int32) -> Interval { Interval(months: interval.months / unit * unit) }
    func time(_ unit: Int64) -> Interval {
        Interval(
            months: interval.months, days: interval.days, microseconds: interval.microseconds / unit * unit)
    }
    switch field {
    case .microseconds: return interval
    case .milliseconds: return time(1_000)
    case .second: return time(1_000_000)
    case .minute: return time(60_000_000)
    case .hour: return time(3_600_000_000)
    case .day: return Interval(months: interval.months, days: interval.days)
    case .month: return months(1)
    case .quarter: return months(3)
    case .year: return months(12)
    case .decade: return months(120)
    case .century: return months(1_200)
    case .millennium: return months(12_000)
    default: preconditionFailure("date_trunc of an interval has no \(field)")
    }
}
