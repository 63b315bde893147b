import Bytes
import Language
import Plan
import Values

/// A partition's plan as the kernels read it: flat structures in memory that never moves, offsets resolved, nothing
/// counted. -1 stands for "not there".
struct PartitionCode {
    private let inputFields: UnsafeMutablePointer<InputFields>
    /// By index of the layout's inputs, then as single partials and folds read them.
    let inputs: UnsafeMutablePointer<InputCode>
    let inputCount: Int
    let partials: UnsafeMutablePointer<PartialCode>
    let partialCount: Int
    let windows: UnsafeMutablePointer<WindowCode>
    let windowCount: Int
    /// Where the longest frame starts, which is near the oldest row that is kept; -1: not known.
    let headCursor: Int
    private let callFields: UnsafeMutablePointer<CallFields>
    let calls: UnsafeMutablePointer<CallCode>
    let callCount: Int
    let distincts: UnsafeMutablePointer<DistinctCode>
    let distinctCount: Int
    let frameStates: UnsafeMutablePointer<FrameStateCode>
    let frameStateCount: Int
    let folds: UnsafeMutablePointer<FoldCode>
    let foldCount: Int
    let ties: UnsafeMutablePointer<TieCode>
    let tieCount: Int
    /// Column and total of peer groups; -1: not counted.
    let groups: Int
    let groupTotal: Int
    /// Every column of the log.
    let columns: UnsafeMutablePointer<ColumnCode>
    let columnCount: Int
    /// What is read where a RANGE frame starts.
    let starts: UnsafeMutablePointer<FrameStartCode>
    let startCount: Int

    let isKeyInline: Bool
    /// A row that is its key's newest needs nothing but its place in the log and, where inputs have links, in their tables.
    let isPlain: Bool
    let keys: UnsafeMutablePointer<KeyCode>
    let keyCount: Int
    let time: Int
    let recordBytes: Int
    let recordClass: SizeClass
    let bytesPerEvent: Int
    let partialBytes: Int
    let capacityMin: Int
    let lateness: Int64
    /// `Int64.max`: for ever.
    let idleAfter: Int64
    let retention: StateLayout.Retention
    /// Of images of the partition's keys.
    let fingerprint: UInt64
    /// What it costs to write a row into an image, in bytes copied.
    private let imageRowBytes: Int
    let hasTexts: Bool
    let hasLinks: Bool
    /// Rows are given up one by one, because something wants to see each of them go.
    let leavesTraces: Bool
    /// Given-up rows leave their values behind.
    let hasGivenUpValues: Bool
    /// Where the event time is a timestamptz and clocks change.
    private let zone: UnsafeMutablePointer<ZoneRules>?

    init(plan: PartitionPlan, layout: StateLayout, lateness: Int64, idleAfter: Int64?, timeZone: ZoneRules) {
        let timeIsDate = plan.time.type == .date
        let zone = plan.time.type == .timestamptz && !timeZone.isFixed ? UnsafeMutablePointer.copy(of: [timeZone]) : nil
        self.zone = zone
        var partialCodes: [PartialCode] = []
        var views = InputViews(layout.inputs, timeType: plan.time.type)
        for (index, input) in layout.inputs.enumerated() {
            for partial in input.partials {
                partialCodes.append(
                    PartialCode(
                        kind: PartialCode.Kind(partial.kind, form: input.form),
                        hasPosition: partial.kind == .argumentMinimum || partial.kind == .argumentMaximum,
                        input: views.number(of: index, for: partial.kind), offset: partial.offset))
            }
        }
        let foldCodes = layout.folds.map { FoldCode($0, input: views.number(of: $0), inputs: layout.inputs) }
        let inputFields = views.placed()
        self.inputFields = inputFields
        inputs = .copy(of: views.fields.indices.map { InputCode(fields: inputFields + $0) })
        inputCount = layout.inputs.count
        partials = .copy(of: partialCodes)
        partialCount = partialCodes.count
        windowCount = plan.windows.count
        windows = .copy(
            of: plan.windows.indices.map {
                WindowCode(
                    plan.windows[$0].frame, timeIsDate: timeIsDate, zone: zone.map { UnsafePointer($0) },
                    startCursor: layout.startCursors[$0], endCursor: layout.endCursors[$0],
                    isUsed: plan.isFrameUsed(window: $0))
            })
        headCursor =
            UnsafeBufferPointer(start: windows, count: windowCount).filter(\.isPlainRange)
            .min { $0.startDistance.fixedStart(before: 0) < $1.startDistance.fixedStart(before: 0) }?.startCursor ?? -1
        callCount = plan.calls.count
        let callFields = UnsafeMutablePointer<CallFields>.copy(
            of: zip(plan.calls, layout.calls).map { CallFields($0, $1, layout: layout) })
        self.callFields = callFields
        calls = .copy(of: plan.calls.indices.map { CallCode(fields: callFields + $0) })
        distinctCount = layout.distincts.count
        distincts = .copy(
            of: layout.distincts.map { DistinctCode(input: $0.input, isUnbounded: $0.isUnbounded, offset: $0.offset) })
        frameStateCount = layout.frameStates.count
        frameStates = .copy(of: layout.frameStates.map { FrameStateCode($0, form: layout.inputs[$0.input].argument!.type.form) })
        foldCount = foldCodes.count
        folds = .copy(of: foldCodes)
        tieCount = plan.tieBreakers.count
        ties = .copy(
            of: plan.tieBreakers.indices.map {
                TieCode(
                    register: plan.tieBreakers[$0].index, form: plan.tieBreakers[$0].type.form, values: layout.tieBreakers[$0],
                    nulls: layout.tieBreakerNulls[$0])
            })
        groups = layout.groups ?? -1
        groupTotal = layout.groupTotal ?? -1
        let columnCodes = ColumnCode.all(plan: plan, layout: layout)
        columns = .copy(of: columnCodes)
        columnCount = columnCodes.count
        let startCodes = FrameStartCode.all(plan: plan, layout: layout)
        starts = .copy(of: startCodes)
        startCount = startCodes.count
        isKeyInline = layout.isKeyInline
        isPlain =
            layout.isKeyInline && plan.keys[0].type.form == .integer && plan.tieBreakers.isEmpty && layout.folds.isEmpty
            && idleAfter == nil
            && !layout.inputs.contains { $0.values != nil && $0.argument?.type.form == .text }
        keyCount = plan.keys.count
        keys = .copy(of: plan.keys.map { KeyCode(register: $0.index, form: $0.type.form) })
        time = plan.time.index
        recordBytes = layout.recordBytes
        recordClass = SizeClass(holding: layout.recordBytes)
        bytesPerEvent = layout.bytesPerEvent
        partialBytes = layout.partialBytes
        capacityMin = layout.capacityMin
        self.lateness = lateness
        self.idleAfter = idleAfter ?? .max
        retention = layout.retention
        fingerprint = LayoutFingerprint(plan, layout).value
        let textColumns =
            plan.tieBreakers.count { $0.type.form == .text }
            + layout.inputs.count { $0.values != nil && $0.argument?.type.form == .text }
        imageRowBytes = layout.bytesPerEvent + 32 * textColumns
        hasTexts =
            plan.tieBreakers.contains { $0.type.form == .text }
            || layout.inputs.contains { $0.values != nil && $0.argument?.type.form == .text }
        hasGivenUpValues = layout.inputs.contains { $0.givenUp != nil }
        hasLinks = layout.inputs.contains { $0.next != nil }
        leavesTraces =
            !layout.folds.isEmpty || hasGivenUpValues || hasTexts || layout.frameStates.contains { !$0.kind.isRunning }
    }

    func deallocate() {
        inputs.deallocate()
        inputFields.deallocate()
        partials.deallocate()
        windows.deallocate()
        calls.deallocate()
        for number in 0..<callCount { callFields[number].separator.deallocate() }
        callFields.deallocate()
        distincts.deallocate()
        frameStates.deallocate()
        folds.deallocate()
        ties.deallocate()
        columns.deallocate()
        starts.deallocate()
        keys.deallocate()
        zone?.deinitialize(count: 1)
        zone?.deallocate()
    }

    /// How many rows of a key are written into an image at one time, which costs about as much as to copy so many bytes: a power
    /// of two, at least 8.
    func imageRows(bytes: Int) -> Int {
        let rows = max(8, bytes / imageRowBytes)
        return 1 << (Int.bitWidth - 1 - rows.leadingZeroBitCount)
    }

    func logBytes(capacity: Int) -> Int {
        bytesPerEvent * capacity + StateLayout.partialEntries(capacity: capacity) * partialBytes
    }
}

extension PartitionPlan {
    /// Whether a call's result depends on the window's frame.
    fileprivate func isFrameUsed(window: Int) -> Bool {
        calls.contains { call in
            switch call.function {
            case .lag, .rowNumber, .rank, .denseRank: false
            default: call.window == window
            }
        }
    }
}

extension UnsafeMutablePointer {
    static func copy(of values: [Pointee]) -> UnsafeMutablePointer<Pointee> {
        let pointer = UnsafeMutablePointer<Pointee>.allocate(capacity: max(1, values.count))
        pointer.initialize(from: values, count: values.count)
        return pointer
    }
}

struct ColumnCode {
    let offset: Int
    let width: Int

    static func all(plan: PartitionPlan, layout: StateLayout) -> [ColumnCode] {
        var columns = [ColumnCode(offset: 0, width: 8)]
        for (index, tie) in plan.tieBreakers.enumerated() {
            columns.append(ColumnCode(offset: layout.tieBreakers[index], width: tie.type.form.storedBytes))
            columns.append(ColumnCode(offset: layout.tieBreakerNulls[index], width: 1))
        }
        if let groups = layout.groups { columns.append(ColumnCode(offset: groups, width: 4)) }
        for input in layout.inputs {
            if let values = input.values, values != 0 {
                columns.append(ColumnCode(offset: values, width: input.argument!.type.form.storedBytes))
            }
            if let nulls = input.nulls { columns.append(ColumnCode(offset: nulls, width: 1)) }
            if let sums = input.sums { columns.append(ColumnCode(offset: sums, width: input.sumBytes)) }
            for narrow in [input.counts, input.trues, input.previous, input.next] {
                if let narrow { columns.append(ColumnCode(offset: narrow, width: 4)) }
            }
        }
        return columns
    }
}

/// A column that is read at the row where a window's frame starts: the times always, values where some of the frame's rows
/// are gone through one by one.
struct FrameStartCode: Hashable {
    let cursor: Int
    let offset: Int
    let width: Int

    static func all(plan: PartitionPlan, layout: StateLayout) -> [FrameStartCode] {
        var starts = layout.startCursors.compactMap { $0 }.map { FrameStartCode(cursor: $0, offset: 0, width: 8) }
        for (call, place) in zip(plan.calls, layout.calls) {
            guard let cursor = layout.startCursors[call.window], let input = place.input.map({ layout.inputs[$0] }) else {
                continue
            }
            let form = input.argument?.type.form
            let columns = [
                input.partials.isEmpty && place.frameState == nil ? nil : input.values.map { ($0, form!.storedBytes) },
                input.sums.map { ($0, input.sumBytes) }, input.counts.map { ($0, 4) }, input.trues.map { ($0, 4) },
                place.distinct == nil ? nil : input.next.map { ($0, 4) },
            ]
            for (offset, width) in columns.compactMap({ $0 }) {
                let start = FrameStartCode(cursor: cursor, offset: offset, width: width)
                if !starts.contains(start) { starts.append(start) }
            }
        }
        return starts
    }
}

struct KeyCode {
    let register: Int
    let form: Form
}

struct TieCode {
    let register: Int
    let form: Form
    let values: Int
    let nulls: Int
}

struct DistinctCode {
    let input: Int
    let isUnbounded: Bool
    let offset: Int
}
