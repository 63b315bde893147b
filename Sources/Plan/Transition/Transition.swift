import Language

/// What a change of definitions keeps of the state behind the old ones: compared by what is computed, not by the names and
/// places of views and columns.
///
/// It is worked out from the two plans alone, before the change takes place. `plan` is then compiled, and every shard changes
/// to it at the same place of the sequence; the next transition starts from it.
public struct Transition: Sendable {
    /// The new plan, put in the order of what it continues, and with what is known of its state's past. This is the one to
    /// compile and to change to.
    public let plan: Plan
    /// By state of `plan`.
    public let states: [StateOrigin]
    /// By join table of `plan`.
    public let joinTables: [JoinTableOrigin]
    /// By clock of `plan`: clocks of the old plan, whose greatest event time goes on.
    public let clocks: [[Int]]
    /// Every view's columns in order, then those that the new definitions do not have any more.
    public let columns: [ColumnChange]
    /// By state of `plan`, then the old plan's states that nothing continues.
    public let stateChanges: [StateChange]

    public init(from old: Plan, to new: Plan) {
        var builder = TransitionBuilder(from: old, to: new)
        builder.matchJoinTables()
        builder.matchStates()
        builder.matchClocks()
        plan = builder.plan
        states = builder.states
        joinTables = builder.joinTables
        clocks = builder.clocks
        columns = builder.columnChanges()
        stateChanges = builder.stateChanges()
    }
}
