import Language
import Values

/// A call of a state.
struct CallPlace: Hashable {
    var state: Int
    var number: Int
}

/// Lays a new plan over an old one.
struct TransitionBuilder {
    let old: Plan
    /// The new plan, as far as it has been adapted.
    var plan: Plan
    var meanings = Meanings()
    let oldMeanings: PlanMeanings
    let newMeanings: PlanMeanings
    var states: [StateOrigin] = []
    var joinTables: [JoinTableOrigin] = []
    var clocks: [[Int]] = []
    /// Calls of which nothing is there.
    var afreshCalls: Set<CallPlace> = []

    init(from old: Plan, to new: Plan) {
        self.old = old
        plan = new
        plan.generation = old.generation + 1
        var meanings = Meanings()
        oldMeanings = PlanMeanings(old, in: &meanings)
        newMeanings = PlanMeanings(new, in: &meanings)
        self.meanings = meanings
    }

    /// The stream of the old plan over the table of the same name with the same event time.
    func oldStream(like stream: Int) -> Int? {
        let table = plan.definitions.tables[plan.streams[stream].table]
        return old.streams.firstIndex { candidate in
            let known = old.definitions.tables[candidate.table]
            guard known.name == table.name else { return false }
            return timeField(of: candidate, known) == timeField(of: plan.streams[stream], table)
        }
    }

    private func timeField(of stream: StreamPlan, _ table: Table) -> Field? {
        stream.eventTime.map { Field(name: table.columns[$0.index].name, type: $0.type, isNullable: true) }
    }

    /// Nothing of a table that the old definitions did not have can be missing.
    func isNew(stream: Int) -> Bool {
        let name = plan.definitions.tables[plan.streams[stream].table].name
        return !old.definitions.tables.contains { $0.name == name }
    }

    // MARK: Clocks

    mutating func matchClocks() {
        clocks = Array(repeating: [], count: plan.clocks.count)
        for (index, stream) in plan.streams.enumerated() {
            guard stream.eventTime != nil, let known = oldStream(like: index) else { continue }
            let clock = old.streams[known].clock
            if !clocks[stream.clock].contains(clock) { clocks[stream.clock].append(clock) }
        }
    }

    // MARK: Join tables

    mutating func matchJoinTables() {
        joinTables = Array(repeating: .fresh, count: plan.joinTables.count)
        for number in plan.joinTables.indices {
            if let known = oldMeanings.joinTables.firstIndex(of: newMeanings.joinTables[number]), keep(number, rowsOf: known) {
                joinTables[number] = .continued(table: known)
                plan.joinTables[number].coverage = old.joinTables[known].coverage
                continue
            }
            let name = plan.definitions.tables[plan.joinTables[number].table].name
            if old.definitions.tables.contains(where: { $0.name == name }) { plan.joinTables[number].coverage.tables = [name] }
        }
    }

    /// Lays a join table over one with the same rows. It keeps the old one's columns, which may be more than it needs; false
    /// where it needs more than these.
    private mutating func keep(_ number: Int, rowsOf known: Int) -> Bool {
        let (before, now) = (old.joinTables[known], plan.joinTables[number])
        let fields = plan.definitions.tables[now.table].columns
        func places(_ columns: [Int]) -> [Int]? {
            var places: [Int] = []
            for column in columns {
                let field = old.definitions.tables[before.table].columns[column]
                guard let place = fields.firstIndex(where: { $0.name == field.name && $0.type == field.type }) else { return nil }
                places.append(place)
            }
            return places
        }
        guard let columns = places(before.columns), let keys = places(before.keys), Set(columns).isSuperset(of: now.columns)
        else {
            return false
        }
        let order = keys.map { now.keys.firstIndex(of: $0)! }
        plan.joinTables[number].columns = columns
        plan.joinTables[number].keys = keys
        for stream in plan.streams.indices {
            for stage in plan.streams[stream].stages.indices {
                for join in plan.streams[stream].stages[stage].joins.indices
                where plan.streams[stream].stages[stage].joins[join].table == number {
                    let keys = plan.streams[stream].stages[stage].joins[join].keys
                    plan.streams[stream].stages[stage].joins[join].keys = order.map { keys[$0] }
                }
            }
        }
        return true
    }
}
