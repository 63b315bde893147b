import Values

/// EXTRACT, date_trunc, AT TIME ZONE and age. What depends on the time zone is made explicit: a timestamptz goes through
/// `atTimeZone` of the session's zone.
struct TimeFunctions {
    let binder: SelectBinder
    let name: String
    let arguments: [Typed]
    let span: Span

    private var reporter: Reporter { binder.reporter }
    private var coercion: Coercion { binder.coercion }

    func bound(_ shape: ScalarFunctions.Shape) throws(Reported) -> Typed {
        switch shape {
        case .datePart: return try datePart()
        case .dateTruncate: return try dateTruncate()
        case .timeZone: return try timeZone()
        default: return try age()
        }
    }

    private func expect(_ counts: ClosedRange<Int>) throws(Reported) {
        guard !counts.contains(arguments.count) else { return }
        throw reporter.error("\(name) takes \(counts.lowerBound) arguments, and is given \(arguments.count)", span)
    }

    /// EXTRACT's fields and date_trunc's units, with PostgreSQL's other spellings.
    private func field() throws(Reported) -> DateField {
        guard case .text(let text)? = arguments[0].constant else {
            throw reporter.error("the field of \(name) must be a constant", arguments[0].span, remedy: "write 'hour'")
        }
        let word = text.lowercased()
        let spellings: [String: DateField] = [
            "us": .microseconds, "usec": .microseconds, "ms": .milliseconds, "msec": .milliseconds, "sec": .second,
            "seconds": .second,
            "min": .minute, "minutes": .minute, "hours": .hour, "h": .hour, "days": .day, "d": .day, "weeks": .week, "w": .week,
            "mon": .month,
            "months": .month, "qtr": .quarter, "years": .year, "y": .year, "decades": .decade, "centuries": .century,
            "millenniums": .millennium,
            "millennia": .millennium,
        ]
        if let field = DateField(rawValue: word) ?? spellings[word] { return field }
        let near = Suggestion.nearest(to: word, among: DateField.allCases.map(\.rawValue))
        let remedy =
            word.hasPrefix("timezone")
            ? "moments are kept in UTC; their offset is not"
            : near.map { "did you mean \($0)?" } ?? "fields are \(DateField.allCases.map(\.rawValue).joined(separator: ", "))"
        throw reporter.error("\"\(text.prefix(40))\" is not a field of \(name)", arguments[0].span, remedy: remedy)
    }

    /// A date, timestamp, timestamptz or interval.
    private func moment(_ value: Typed) throws(Reported) -> Typed {
        if value.isUnknown { return try coercion.literal(value, as: .timestamp) }
        guard value.type == .date || value.type.isTimestamp || value.type == .interval else {
            throw reporter.error(
                "\(name) works on date, timestamp and interval, and \(reporter.quoted(value.span)) is \(value.type)", value.span,
                remedy: value.type.isInteger
                    ? "make it a moment: TIMESTAMP 'epoch' + \(reporter.code(value.span)) * INTERVAL '1 second'" : nil)
        }
        return value
    }

    private func local(_ value: Typed) -> Typed {
        value.type == .timestamptz ? Typed(.atTimeZone(binder.timeZone), [value], .timestamp, span: value.span) : value
    }

    private func datePart() throws(Reported) -> Typed {
        try expect(2...2)
        let field = try field()
        let value = try moment(arguments[1])
        let timeOfDay: Set<DateField> = [.microseconds, .milliseconds, .second, .minute, .hour]
        let calendarOnly: Set<DateField> = [.dow, .isodow, .doy, .week, .isoyear, .julian]
        if value.type == .date, timeOfDay.contains(field) {
            throw reporter.error("a date has no \(field.rawValue)", span, remedy: "extract it from the timestamp")
        }
        if value.type == .interval, calendarOnly.contains(field) {
            throw reporter.error("an interval has no \(field.rawValue)", span, remedy: "extract it from a moment")
        }
        let argument = field == .epoch ? value : local(value)
        return Typed(.extract(field), [argument], .double, span: span)
    }

    private func dateTruncate() throws(Reported) -> Typed {
        try expect(2...3)
        let field = try field()
        let cannot: Set<DateField> = [.epoch, .dow, .isodow, .doy, .isoyear, .julian]
        guard !cannot.contains(field) else {
            throw reporter.error(
                "date_trunc has no unit \(field.rawValue)", arguments[0].span, remedy: "units go from microseconds to millennium")
        }
        var value = try moment(arguments[1])
        // PostgreSQL prefers timestamptz for a date.
        if value.type == .date { value = coercion.convert(value, to: .timestamptz) }
        if value.type == .interval, field == .week {
            throw reporter.error("an interval cannot be truncated to weeks", span, remedy: "truncate it to days")
        }
        guard value.type == .timestamptz else {
            if arguments.count == 3 {
                throw reporter.error(
                    "a time zone goes with timestamptz, and \(reporter.quoted(value.span)) is \(value.type)", span)
            }
            return Typed(.dateTruncate(field), [value], value.type, span: span)
        }
        let zone = arguments.count == 3 ? try zoneName(arguments[2]) : binder.timeZone
        let inside = Typed(.atTimeZone(zone), [value], .timestamp, span: span)
        let truncated = Typed(.dateTruncate(field), [inside], .timestamp, span: span)
        let withinHour: Set<DateField> = [.hour, .minute, .second, .milliseconds, .microseconds]
        if zone != "UTC", withinHour.contains(field) {
            // What is cut off is taken from the moment, so that an hour that clocks show twice stays the one it was.
            let rest = Typed(.subtract, [inside, truncated], .interval, span: span)
            return Typed(.subtract, [value, rest], .timestamptz, mayFail: true, span: span)
        }
        return Typed(.atTimeZone(zone), [truncated], .timestamptz, span: span)
    }

    private func zoneName(_ value: Typed) throws(Reported) -> String {
        guard case .text(let zone)? = value.constant, value.type == .text else {
            throw reporter.error("the time zone must be a constant", value.span, remedy: "write AT TIME ZONE 'Europe/Berlin'")
        }
        guard TimeZoneName.isPlausible(zone) else {
            throw reporter.error(
                "time zone \"\(zone.prefix(40))\" is not recognized", value.span,
                remedy: "write a name of the IANA database, such as 'Europe/Berlin', or 'UTC'")
        }
        return zone
    }

    /// The grammar gives the zone first.
    private func timeZone() throws(Reported) -> Typed {
        try expect(2...2)
        let zone = try zoneName(arguments[0])
        var value = try moment(arguments[1])
        if value.type == .date { value = coercion.convert(value, to: .timestamptz) }
        guard value.type.isTimestamp else { throw reporter.error("an interval is in no time zone", span) }
        return Typed(.atTimeZone(zone), [value], value.type == .timestamp ? .timestamptz : .timestamp, mayFail: true, span: span)
    }

    private func age() throws(Reported) -> Typed {
        guard arguments.count == 2 else {
            throw reporter.error(
                "age with one argument depends on the clock, and answers follow from the events alone", span,
                remedy: "write age(later, earlier)")
        }
        let values = [try moment(arguments[0]), try moment(arguments[1])]
        guard !values.contains(where: { $0.type == .interval }) else {
            throw reporter.error("age works on moments, not intervals", span)
        }
        let type: ValueType = values.contains { $0.type == .timestamptz } ? .timestamptz : .timestamp
        let converted = values.map { coercion.convert($0, to: type) }.map(local)
        return Typed(.age, converted, .interval, mayFail: true, span: span)
    }
}

enum TimeZoneName {
    /// Letters, digits and what else names of the IANA database are made of; whether there is such a zone is for the
    /// time zone database to say.
    static func isPlausible(_ name: String) -> Bool {
        guard let first = name.utf8.first, first | 0x20 >= 97, first | 0x20 <= 122, name.utf8.count <= 64 else { return false }
        return name.utf8.allSatisfy { byte in
            byte | 0x20 >= 97 && byte | 0x20 <= 122 || byte >= 48 && byte <= 57 || "/_+-".utf8.contains(byte)
        }
    }
}
