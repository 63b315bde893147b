/// What a partition's state costs, from how it lies in memory.
struct StateCost {
    var bytesPerKey: Int
    var bytesPerEvent: Int
    /// Longest frame and lateness, in the event time's unit; 0 where no frame looks back.
    var distance: Int64
    /// Rows that are kept however old they are.
    var rows: Int64
    /// Peer groups that are kept however old they are; a group is one row at least.
    var groups: Int64
    var keepsValues: Bool
    var keepsAll: Bool
    var isUnbounded: Bool
    private let unitsPerSecond: Double?
    private let layout: StateLayout

    init(_ layout: StateLayout, unitsPerSecond: Double?, lateness: Int64) {
        self.layout = layout
        bytesPerKey = layout.recordBytes + StateLayout.indexSlotBytes
        bytesPerEvent = layout.bytesPerEvent
        let retention = layout.retention
        distance = retention.distance > 0 ? retention.distance.addingReportingOverflow(lateness).partialValue : 0
        rows = retention.rows
        groups = retention.groups
        keepsValues = retention.keepsValues
        keepsAll = retention.keepsAll
        isUnbounded = retention.isUnbounded
        self.unitsPerSecond = unitsPerSecond
    }

    /// nil where the state grows with every event.
    ///
    /// Events are spread evenly over the keys. A log has room for a power of two of events: on average a third more than
    /// it holds. An index of keys is between half and wholly full.
    func bytes(for load: Load) -> Double? {
        if keepsAll || keepsValues { return nil }
        let keys = Double(max(1, load.keys))
        let eventsHeld = unitsPerSecond.map { Double(distance) / $0 * load.eventsPerSecond } ?? 0
        let eventsPerKey = max(eventsHeld / keys, Double(rows), Double(groups))
        let perEvent = Double(layout.bytesPerEvent) + (eventsPerKey < 32 ? 0 : Double(layout.partialBytes) * 2 / 15)
        let slots = Double(StateLayout.indexSlotBytes) * 0.5
        let inFrames = layout.frameStates.reduce(0) { sum, state in
            sum + state.bytesPerEvent(form: layout.inputs[state.input].argument!.type.form)
        }
        let states = eventsPerKey < 24 ? 0 : eventsPerKey * Double(inFrames)
        return keys * (Double(bytesPerKey) + slots + eventsPerKey * 4 / 3 * perEvent + states)
    }
}
