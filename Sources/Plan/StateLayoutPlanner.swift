import Language
import Values

/// Works out which inputs a partition's calls need, then gives every column and every field of the record its place.
struct StateLayoutPlanner {
    let partition: PartitionPlan
    let mayBeNull: (Register) -> Bool
    var layout = StateLayout()
    var needs: [Need] = []

    struct Need: Hashable {
        var values = false
        var counts = false
        var trues = false
        var sums = false
        var links = false
        var partials: [StateLayout.Partial.Kind] = []
    }

    init(partition: PartitionPlan, isNullable: @escaping (Register) -> Bool) {
        self.partition = partition
        mayBeNull = isNullable
    }

    mutating func plan() -> StateLayout {
        layout.isKeyInline =
            partition.keys.count == 1 && (partition.keys[0].type.form == .integer || partition.keys[0].type.form == .boolean)
        for call in partition.calls { layout.calls.append(add(call)) }
        layout.retention = retention()
        placeColumns()
        placeFields()
        return layout
    }

    // MARK: What is needed

    private mutating func add(_ call: CallPlan) -> StateLayout.Call {
        var result = StateLayout.Call()
        if call.argument == nil && call.filter == nil { return result }
        let input = inputIndex(argument: call.argument, filter: call.filter)
        result.input = input
        let isExact = call.argument.map { $0.type.form == .integer || $0.type.form == .decimal } ?? true
        if layout.inputs[input].mayBeNull { needs[input].counts = needs[input].counts || needsCount(call) }
        var fold: StateLayout.Fold.Kind?
        switch call.function {
        case .count:
            if call.isDistinct {
                needs[input].values = true
                needs[input].links = true
                result.distinct = distinctIndex(window: call.window, input: input)
            }
        case .sum, .average:
            if isExact {
                needs[input].sums = true
            } else {
                needs[input].values = true
                needPartial(.sum, of: input)
                fold = .sum
            }
        case .minimum:
            needs[input].values = true
            needPartial(.minimum, of: input)
            fold = .minimum
        case .maximum:
            needs[input].values = true
            needPartial(.maximum, of: input)
            fold = .maximum
        case .varianceSample, .variancePopulation, .deviationSample, .deviationPopulation:
            needs[input].values = true
            needPartial(.variance, of: input)
            fold = .variance
        case .booleanAnd, .booleanOr:
            needs[input].trues = true
        case .firstValue:
            needs[input].values = true
            fold = .nth(1)
        case .nthValue(let n):
            needs[input].values = true
            fold = .nth(n)
        case .lastValue:
            needs[input].values = true
            fold = .last
        case .lag:
            needs[input].values = true
            return result
        case .rowNumber:
            return result
        default:
            preconditionFailure("the language refuses \(call.function.sqlName)")
        }
        if let fold, partition.windows[call.window].frame.start == .unboundedPreceding {
            result.fold = foldIndex(fold, input: input)
        }
        return result
    }

    private func needsCount(_ call: CallPlan) -> Bool {
        switch call.function {
        case .count: !call.isDistinct
        case .sum, .average, .minimum, .maximum, .booleanAnd, .booleanOr: true
        default: false
        }
    }

    private mutating func inputIndex(argument: Register?, filter: Register?) -> Int {
        if let index = layout.inputs.firstIndex(where: { $0.argument == argument && $0.filter == filter }) { return index }
        let isTime = argument == partition.time
        let isNullable = filter != nil || (argument.map { !isTime && mayBeNull($0) } ?? false)
        layout.inputs.append(StateLayout.Input(argument: argument, filter: filter, mayBeNull: isNullable))
        needs.append(Need())
        return layout.inputs.count - 1
    }

    private mutating func needPartial(_ kind: StateLayout.Partial.Kind, of input: Int) {
        if !needs[input].partials.contains(kind) { needs[input].partials.append(kind) }
    }

    private mutating func distinctIndex(window: Int, input: Int) -> Int {
        if let index = layout.distincts.firstIndex(where: { $0.window == window && $0.input == input }) { return index }
        layout.distincts.append(StateLayout.Distinct(window: window, input: input, offset: 0))
        return layout.distincts.count - 1
    }

    private mutating func foldIndex(_ kind: StateLayout.Fold.Kind, input: Int) -> Int {
        if let index = layout.folds.firstIndex(where: { $0.kind == kind && $0.input == input }) { return index }
        layout.folds.append(StateLayout.Fold(kind: kind, input: input, offset: 0))
        return layout.folds.count - 1
    }

    // MARK: Retention

    private func retention() -> StateLayout.Retention {
        var result = StateLayout.Retention(distance: 0, rows: 0, keepsAll: false, isUnbounded: false)
        for call in partition.calls {
            let frame = partition.windows[call.window].frame
            switch call.function {
            case .lag(let offset):
                result.rows = max(result.rows, offset)
                result.isUnbounded = true
                continue
            case .rowNumber:
                result.isUnbounded = true
                continue
            default:
                break
            }
            for bound in [frame.start, frame.end] { keep(bound, of: frame, in: &result) }
            if frame.start == .unboundedPreceding {
                result.isUnbounded = true
                if call.isDistinct { result.keepsAll = true }
            }
        }
        return result
    }

    private func keep(_ bound: Frame.Bound, of frame: Frame, in retention: inout StateLayout.Retention) {
        guard case .preceding(let distance) = bound else { return }
        switch (frame.mode, distance) {
        case (.range, .integer(let units)):
            retention.distance = max(retention.distance, units)
        case (.range, .interval(let interval)):
            retention.distance = max(retention.distance, interval.distanceMax(in: partition.time.type))
        case (.rows, .integer(let rows)):
            retention.rows = max(retention.rows, rows)
            retention.isUnbounded = true
        default:
            // How many rows a number of peer groups takes is not known beforehand.
            retention.keepsAll = true
            retention.isUnbounded = true
        }
    }

    // MARK: Places

    private mutating func placeColumns() {
        var columns: [(bytes: Int, place: (inout StateLayout, Int) -> Void)] = []
        for (index, tie) in partition.tieBreakers.enumerated() {
            layout.tieBreakers.append(0)
            layout.tieBreakerNulls.append(0)
            columns.append((tie.type.form.storedBytes, { $0.tieBreakers[index] = $1 }))
            columns.append((1, { $0.tieBreakerNulls[index] = $1 }))
        }
        for (index, need) in needs.enumerated() {
            let input = layout.inputs[index]
            if need.values, let argument = input.argument {
                if argument == partition.time && input.filter == nil {
                    layout.inputs[index].values = 0
                } else {
                    let form = argument.type.form
                    columns.append((form.storedBytes, { $0.inputs[index].values = $1 }))
                    if form == .integer && input.mayBeNull { columns.append((1, { $0.inputs[index].nulls = $1 })) }
                }
            }
            if need.counts { columns.append((4, { $0.inputs[index].counts = $1 })) }
            if need.trues { columns.append((4, { $0.inputs[index].trues = $1 })) }
            if need.sums {
                let type = input.argument!.type
                let bytes = type == .bigint || type.isNumeric ? 16 : 8
                layout.inputs[index].sumBytes = bytes
                columns.append((bytes, { $0.inputs[index].sums = $1 }))
            }
            if need.links {
                columns.append((4, { $0.inputs[index].previous = $1 }))
                columns.append((4, { $0.inputs[index].next = $1 }))
            }
            for kind in need.partials {
                let bytes = kind == .variance ? 24 : input.argument!.type.form.storedBytes
                layout.inputs[index].partials.append(StateLayout.Partial(kind: kind, offset: 0, bytes: bytes))
            }
        }
        // Widest first, so that every column is aligned to its width whatever the capacity; the time stands in front.
        var offset = 8
        for width in [16, 8, 4, 1] {
            for column in columns where column.bytes == width {
                column.place(&layout, offset)
                offset += width
            }
        }
        layout.bytesPerEvent = offset
        var entry = 0
        for width in [16, 24, 8, 4, 1] {
            for input in layout.inputs.indices {
                for partial in layout.inputs[input].partials.indices where layout.inputs[input].partials[partial].bytes == width {
                    layout.inputs[input].partials[partial].offset = entry
                    entry += width
                }
            }
        }
        layout.partialBytes = entry
    }

    private mutating func placeFields() {
        var offset = StateLayout.headerBytes
        func place(_ bytes: Int) -> Int {
            defer { offset += bytes }
            return offset
        }
        for index in needs.indices {
            if needs[index].counts { layout.inputs[index].countTotal = place(8) }
            if needs[index].trues { layout.inputs[index].trueTotal = place(8) }
            if needs[index].sums && layout.inputs[index].sumBytes == 8 { layout.inputs[index].sumTotal = place(8) }
        }
        for index in needs.indices where needs[index].links { layout.inputs[index].occurrences = place(12) }
        for index in layout.distincts.indices { layout.distincts[index].offset = place(12) }
        for window in partition.windows {
            let frame = window.frame
            var start: Int?
            var end: Int?
            if frame.mode == .range, case .preceding = frame.start { start = place(4) }
            if frame.mode == .range, case .preceding = frame.end { end = place(4) }
            layout.startCursors.append(start)
            layout.endCursors.append(end)
        }
        offset = (offset + 15) & ~15
        for index in needs.indices where needs[index].sums && layout.inputs[index].sumBytes == 16 {
            layout.inputs[index].sumTotal = place(16)
        }
        for index in layout.folds.indices { layout.folds[index].offset = place(32) }
        layout.recordBytes = (offset + 15) & ~15
    }
}

extension Form {
    /// Bytes of one value in a key log: texts are numbers of interned texts.
    public var storedBytes: Int {
        switch self {
        case .boolean: 1
        case .text: 4
        case .integer, .double: 8
        case .decimal, .interval: 16
        }
    }
}

extension Interval {
    /// The longest this interval can be on any calendar date, in the unit of `type`, rounded up; at least 0.
    func distanceMax(in type: ValueType) -> Int64 {
        let microsecondsPerDay = Int128(86_400_000_000)
        let calendarDays = Int128(months) * 31 + Int128(days)
        // A calendar day is longer than 24 hours where clocks are put back.
        let slack: Int128 = type == .timestamptz && calendarDays != 0 ? 2 * 3_600_000_000 : 0
        let total = calendarDays * microsecondsPerDay + slack + Int128(microseconds)
        let units = type == .date ? (total + microsecondsPerDay - 1) / microsecondsPerDay : total
        return Int64(clamping: max(units, 0))
    }
}
