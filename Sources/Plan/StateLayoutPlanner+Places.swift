import Language
import Values

/// Where the columns of the log and the fields of the record stand.
extension StateLayoutPlanner {
    mutating func placeColumns() {
        var columns: [(bytes: Int, place: (inout StateLayout, Int) -> Void)] = []
        for (index, tie) in partition.tieBreakers.enumerated() {
            layout.tieBreakers.append(0)
            layout.tieBreakerNulls.append(0)
            columns.append((tie.type.form.storedBytes, { $0.tieBreakers[index] = $1 }))
            columns.append((1, { $0.tieBreakerNulls[index] = $1 }))
        }
        if countsGroups { columns.append((4, { $0.groups = $1 })) }
        for (index, need) in needs.enumerated() {
            let input = layout.inputs[index]
            if need.values, let argument = input.argument {
                if argument == partition.time && !input.mayBeNull {
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
                let bytes = kind.bytes(of: input.form)
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
        for width in [32, 16, 48, 40, 24, 8, 4, 1] {
            for input in layout.inputs.indices {
                for partial in layout.inputs[input].partials.indices where layout.inputs[input].partials[partial].bytes == width {
                    layout.inputs[input].partials[partial].offset = entry
                    entry += width
                }
            }
        }
        layout.partialBytes = entry
    }

    mutating func placeFields() {
        var offset = StateLayout.headerBytes
        func place(_ bytes: Int) -> Int {
            defer { offset += bytes }
            return offset
        }
        func placeFrameStates(_ isPlaced: (StateLayout.FrameState.Kind) -> Bool) {
            for index in layout.frameStates.indices where isPlaced(layout.frameStates[index].kind) {
                layout.frameStates[index].offset = place(
                    layout.frameStates[index].bytes(form: layout.inputs[layout.frameStates[index].input].form))
            }
        }
        if countsGroups { layout.groupTotal = place(8) }
        for index in needs.indices {
            if needs[index].counts { layout.inputs[index].countTotal = place(8) }
            if needs[index].trues { layout.inputs[index].trueTotal = place(8) }
            if needs[index].sums && layout.inputs[index].sumBytes == 8 { layout.inputs[index].sumTotal = place(8) }
        }
        for index in needs.indices where needs[index].links { layout.inputs[index].occurrences = place(12) }
        for index in needs.indices where needs[index].givenUp { layout.inputs[index].givenUp = place(12) }
        for index in layout.distincts.indices {
            layout.distincts[index].offset = place(layout.distincts[index].isUnbounded ? 20 : 12)
        }
        placeFrameStates { $0 == .order || $0 == .mode }
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
        placeFrameStates { $0 == .distinctSum || $0.isRunning }
        for index in layout.folds.indices {
            let form = layout.inputs[layout.folds[index].input].form
            layout.folds[index].offset = place(layout.folds[index].kind.bytes(of: form))
        }
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
        case .array: arraysAreResults()
        }
    }
}

extension StateLayout.Partial.Kind {
    /// Beside the value of an argument's extreme stands its row's position, 8 bytes, in front.
    func bytes(of form: Form) -> Int {
        switch self {
        case .minimum, .maximum, .bitAnd, .bitOr, .bitXor: form.storedBytes
        case .variance, .decay: 24
        case .shape: 40
        case .pairs: 48
        case .argumentMinimum, .argumentMaximum: form == .decimal ? 32 : form == .interval ? 24 : 16
        }
    }
}

extension StateLayout.Fold.Kind {
    /// A multiple of 16. The last n values stand side by side, and then how many there are.
    func bytes(of form: Form) -> Int {
        switch self {
        case .argumentMinimum, .argumentMaximum: 64
        case .shape, .pairs: 48
        case .lastPresent(let n): (Int(n) * form.storedBytes + 15) & ~15 + 16
        default: 32
        }
    }
}
