import Bounds
import Values

/// CREATE TABLE to a table.
struct TableBinder {
    let reporter: Reporter

    /// The table without its options, and the column that `WITH (event_time = …)` names.
    func bound(_ syntax: TableSyntax) throws(Reported) -> (Table, eventTime: Int?) {
        var failed = !syntax.refusals.isEmpty
        for refusal in syntax.refusals { reporter.error(refusal) }
        var fields: [Field] = []
        var seen: Set<String> = []
        for column in syntax.columns {
            if !seen.insert(column.name.text).inserted {
                reporter.error(
                    "column \"\(column.name.text)\" is there twice", column.name.span, remedy: "give one of the two another name")
                failed = true
            }
            do throws(Reported) {
                let type = try TypeNames.columnType(column.type, reporter)
                fields.append(Field(name: column.name.text, type: type, isNullable: !column.isNotNull && !column.isPrimaryKey))
            } catch { failed = true }
        }
        if syntax.columns.isEmpty {
            reporter.error(
                "table \"\(syntax.name.text)\" has no columns", syntax.name.span, remedy: "list its columns and their types")
            failed = true
        }
        if syntax.columns.count > Bounds.columnsMax {
            reporter.error(
                "\(syntax.columns.count) columns are more than the \(Bounds.columnsMax) a table may have", syntax.name.span)
            failed = true
        }
        guard !failed else { throw Reported() }
        let key = try primaryKey(syntax, fields)
        for index in key { fields[index].isNullable = false }
        let eventTime = try eventTime(syntax, fields)
        return (Table(name: syntax.name.text, columns: fields, primaryKey: key), eventTime)
    }

    private func index(of name: String, in fields: [Field], _ table: String, _ span: Span) throws(Reported) -> Int {
        if let index = fields.firstIndex(where: { $0.name == name }) { return index }
        let near = Suggestion.nearest(to: name, among: fields.map(\.name))
        throw reporter.error(
            "column \"\(name)\" does not exist in \(table)", span,
            remedy: near.map { "did you mean \($0)?" } ?? "it has \(fields.prefix(12).map(\.name).joined(separator: ", "))")
    }

    private func primaryKey(_ syntax: TableSyntax, _ fields: [Field]) throws(Reported) -> [Int] {
        let inline = syntax.columns.indices.filter { syntax.columns[$0].isPrimaryKey }
        let count = inline.count + (syntax.primaryKey.isEmpty ? 0 : 1)
        guard count <= 1 else {
            throw reporter.error(
                "table \"\(syntax.name.text)\" has more than one primary key", syntax.name.span,
                remedy: "for a key of several columns, write PRIMARY KEY (a, b) behind the columns")
        }
        var key = inline
        for name in syntax.primaryKey {
            let index = try index(of: name.text, in: fields, syntax.name.text, name.span)
            if key.contains(index) { throw reporter.error("column \"\(name.text)\" is twice in the primary key", name.span) }
            key.append(index)
        }
        return key
    }

    private func eventTime(_ syntax: TableSyntax, _ fields: [Field]) throws(Reported) -> Int? {
        guard let option = syntax.options.last(where: { $0.name.lowercased() == "event_time" }) else { return nil }
        guard case .text(let name) = option.value else {
            throw reporter.error(
                "event_time is the name of a column", option.span,
                remedy: "write event_time = \(fields.first { $0.type.isTimestamp }?.name ?? fields[0].name)")
        }
        let index = try index(of: name, in: fields, syntax.name.text, option.span)
        let type = fields[index].type
        guard type == .date || type.isTimestamp || type.isInteger else {
            throw reporter.error(
                "event time cannot be of type \(type)", option.span,
                remedy: "event time is a timestamp, timestamptz, date or integer column")
        }
        return index
    }
}

/// The table's other options, which depend on the type of the event time that its views use.
struct TableOptions {
    let reporter: Reporter

    static let names = ["event_time", "lateness", "idle_after", "max_ahead"]

    func applied(_ syntax: [TableSyntax], to tables: [Table], eventTimes: [Int: Int], declared: [Int?]) -> [Table] {
        tables.enumerated().map { index, table in
            var table = table
            table.eventTime = eventTimes[index]
            let time =
                eventTimes[index] ?? declared[index] ?? table.columns.firstIndex { $0.type == .date || $0.type.isTimestamp }
            let isInteger = time.map { table.columns[$0].type.isInteger } ?? false
            var seen: Set<String> = []
            for option in syntax[index].options {
                guard seen.insert(option.name.lowercased()).inserted else {
                    reporter.error("the option \(option.name) is there twice", option.span, remedy: "keep one of the two")
                    continue
                }
                try? apply(option, isInteger: isInteger, to: &table)
            }
            return table
        }
    }

    private func apply(_ option: TableSyntax.Option, isInteger: Bool, to table: inout Table) throws(Reported) {
        switch option.name.lowercased() {
        case "event_time": return
        case "lateness": table.lateness = try distance(option, isInteger: isInteger, table)
        case "idle_after": table.idleAfter = try distance(option, isInteger: isInteger, table)
        case "max_ahead":
            guard !isInteger else {
                throw reporter.error(
                    "max_ahead compares event time with the clock, and the event time of \(table.name) is an integer",
                    option.span, remedy: "leave it out, or send the time as timestamptz")
            }
            table.maxAhead = try distance(option, isInteger: false, table)
        default:
            let near = Suggestion.nearest(to: option.name, among: Self.names)
            throw reporter.error(
                "\"\(option.name)\" is not an option of a table", option.span,
                remedy: near.map { "did you mean \($0)?" } ?? "options are \(Self.names.joined(separator: ", "))")
        }
    }

    /// In microseconds, or in the unit of an integer event time.
    private func distance(_ option: TableSyntax.Option, isInteger: Bool, _ table: Table) throws(Reported) -> Int64 {
        if isInteger {
            let count: Int64? =
                switch option.value {
                case .integer(let integer): integer
                case .text(let text): Int64(text)
                case .missing: nil
                }
            guard let count, count >= 0 else {
                throw reporter.error(
                    "\(option.name) of \(table.name) is a whole number in the unit of its event time, an integer, and not negative",
                    option.span, remedy: "write \(option.name) = 60")
            }
            return count
        }
        guard case .text(let text) = option.value, let interval = Interval(text), Double(text) == nil else {
            throw reporter.error("\(option.name) is a span of time", option.span, remedy: "write \(option.name) = '5 minutes'")
        }
        guard interval.months == 0 else {
            throw reporter.error(
                "\(option.name) is a span of fixed length, and months differ", option.span, remedy: "write it in days")
        }
        guard interval.normalizedMicroseconds >= 0, let microseconds = Int64(exactly: interval.normalizedMicroseconds) else {
            throw reporter.error(
                "\(option.name) must not be negative, nor longer than 292,000 years", option.span,
                remedy: "write \(option.name) = '5 minutes'")
        }
        return microseconds
    }
}
