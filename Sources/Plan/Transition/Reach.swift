import Language

/// How far back a call looks.
struct Reach {
    /// In the event time's unit; nil where no time bounds it.
    var distance: Int64?
    var rows: Int64 = 0
    var groups: Int64 = 0
    var isUnbounded = false

    /// What it lacks where nothing before a change is known.
    func coverage(since generation: Int) -> Coverage {
        var coverage = Coverage()
        if let distance { coverage.add(Coverage.Moment(generation: generation, offset: distance)) }
        coverage.rows = max(rows, groups)
        coverage.isPartial = isUnbounded
        return coverage
    }
}

extension PartitionPlan {
    func reach(ofCall number: Int) -> Reach {
        let call = calls[number]
        var alone = self
        alone.calls = [call]
        let retention = StateLayout(partition: alone) { _ in true }.retention
        if call.function.ignoresFrame {
            if case .lag = call.function, !call.ignoresNulls { return Reach(rows: retention.rows) }
            return Reach(isUnbounded: true)
        }
        let frame = windows[call.window].frame
        if frame.start == .unboundedPreceding { return Reach(isUnbounded: true) }
        return Reach(
            distance: frame.mode == .range ? retention.distance : nil, rows: retention.rows, groups: retention.groups)
    }
}

extension StateLayout {
    /// Whether records and logs laid out like this lie as those of another do, whatever they are filled with.
    func hasPlaces(of other: StateLayout) -> Bool { withoutRegisters == other.withoutRegisters }

    private var withoutRegisters: StateLayout {
        func anonymous(_ register: Register?) -> Register? { register.map { Register(index: 0, type: $0.type) } }
        var layout = self
        for input in layout.inputs.indices {
            layout.inputs[input].argument = anonymous(layout.inputs[input].argument)
            layout.inputs[input].filter = anonymous(layout.inputs[input].filter)
            layout.inputs[input].companion = anonymous(layout.inputs[input].companion)
        }
        layout.calls = []
        layout.retention = Retention(distance: 0, rows: 0, groups: 0, keepsValues: false, keepsAll: false, isUnbounded: false)
        return layout
    }
}
