import Language
import Values

/// Definitions → plan: one stream plan a table, with everything that two views have in common computed once.
public enum Planner {
    /// Longest delay of a row that is still taken where a table says nothing: one minute, or 0 for integer event times.
    public static let latenessMicrosecondsDefault: Int64 = 60_000_000
    /// How far ahead of the clock a row may be where a table says nothing: five minutes.
    public static let maxAheadMicrosecondsDefault: Int64 = 300_000_000

    public static func plan(_ definitions: Definitions) -> Plan {
        var builder = PlanBuilder(definitions)
        for view in definitions.views { builder.add(view) }
        return builder.finished()
    }
}

/// A table's stream options with its defaults filled in.
struct StreamOptions {
    var eventTime: Register?
    /// In the event time's unit: days, microseconds, or the integer's own.
    var lateness: Int64 = 0
    var idleAfter: Int64?
    var maxAhead: Int64?

    /// - Parameter isStream: the table drives a view. One that is only joined has no event time.
    init(_ table: Table, isStream: Bool) {
        guard isStream, let column = table.eventTime else { return }
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
