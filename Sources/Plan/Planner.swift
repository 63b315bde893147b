import Language
import Values

/// Definitions → plan: one stream plan a driving table, with everything that two views have in common computed once.
public enum Planner {
    /// Longest delay of a row that is still taken where a table says nothing: one minute, or 0 for integer event times.
    public static let latenessMicrosecondsDefault: Int64 = 60_000_000
    /// How far ahead of the clock a row may be where a table says nothing: five minutes.
    public static let maxAheadMicrosecondsDefault: Int64 = 300_000_000

    public static func plan(_ definitions: Definitions) -> Plan {
        var driving: [Int] = []
        for stream in definitions.views.flatMap(\.streams) where !driving.contains(stream) { driving.append(stream) }
        let streams = driving.sorted().map { table in
            var planner = StreamPlanner(columns: definitions.tables[table].columns)
            for view in definitions.views where view.streams == [table] { planner.add(view) }
            return planner.finished(table: table, options: StreamOptions(definitions.tables[table]))
        }
        return Plan(definitions: definitions, streams: streams)
    }
}

/// A table's stream options with its defaults filled in.
struct StreamOptions {
    var eventTime: Register?
    /// In the event time's unit: days, microseconds, or the integer's own.
    var lateness: Int64
    var idleAfter: Int64?
    var maxAhead: Int64?

    init(_ table: Table) {
        guard let column = table.eventTime else {
            lateness = 0
            return
        }
        let type = table.columns[column].type
        eventTime = Register(index: column, type: type)
        if type.isInteger {
            lateness = table.lateness ?? 0
            idleAfter = table.idleAfter
        } else {
            let unitMicroseconds: Int64 = type == .date ? 86_400_000_000 : 1
            lateness = (table.lateness ?? Planner.latenessMicrosecondsDefault) / unitMicroseconds
            idleAfter = table.idleAfter.map { $0 / unitMicroseconds }
            maxAhead = table.maxAhead ?? Planner.maxAheadMicrosecondsDefault
        }
    }
}
