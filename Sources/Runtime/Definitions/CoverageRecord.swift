import Plan

/// From when on the columns of the definitions in force are complete, where they aren't yet.
struct CoverageRecord: Sendable {
    struct Column: Sendable {
        /// `view.column`
        var label: String
        var table: String
        /// Event time behind which answers are complete, as far as that is a matter of time.
        var completeAfter: Int64?
        var coverage: Coverage

        /// What is still missing when the stream has got as far as `newest`; nil where nothing is.
        func missing(at newest: Int64?) -> (completeAfter: Int64?, coverage: Coverage)? {
            let time = completeAfter.flatMap { time in (newest ?? .min) > time ? nil : time }
            if time == nil && coverage.rows == 0 && !coverage.isPartial && coverage.tables.isEmpty { return nil }
            return (time, coverage)
        }
    }

    private(set) var columns: [Column] = []
    /// By generation of plans, of those that coverage is still told from: the streams' greatest event times when it took effect,
    /// by table.
    private var newest: [Int: [String: Int64]] = [:]

    /// Takes the change's place; `times` are the streams' greatest event times there.
    mutating func changed(by transition: Transition, at times: [String: Int64]) {
        let plan = transition.plan
        newest[plan.generation] = times
        // What is told now, and what columns to come may be told from.
        let calls = plan.streams.flatMap(\.stages).flatMap(\.partitions).flatMap(\.calls)
        let told = calls.flatMap(\.coverage.moments) + plan.states.flatMap(\.since)
        let generations = Set(told.map(\.generation) + calls.map(\.since))
        newest = newest.filter { generations.contains($0.key) }
        columns = transition.columns.compactMap { column in
            if column.outcome == .dropped || column.coverage.isComplete { return nil }
            let table = plan.definitions.tables[plan.streams[column.stream].table].name
            return Column(
                label: "\(column.view).\(column.column)", table: table,
                completeAfter: column.coverage.completeAfter { newest[$0]?[table] }, coverage: column.coverage)
        }
    }
}
