import Language
import Plan
import Values

/// A partition's plan as the kernels read it: flat structures in memory that never moves, offsets resolved, nothing
/// counted. -1 stands for "not there".
struct PartitionCode {
    private let inputFields: UnsafeMutablePointer<InputFields>
    /// By index of the layout's inputs.
    let inputs: UnsafeMutablePointer<InputCode>
    let inputCount: Int
    let partials: UnsafeMutablePointer<PartialCode>
    let partialCount: Int
    let windows: UnsafeMutablePointer<WindowCode>
    let windowCount: Int
    private let callFields: UnsafeMutablePointer<CallFields>
    let calls: UnsafeMutablePointer<CallCode>
    let callCount: Int
    let distincts: UnsafeMutablePointer<DistinctCode>
    let distinctCount: Int
    let folds: UnsafeMutablePointer<FoldCode>
    let foldCount: Int
    let ties: UnsafeMutablePointer<TieCode>
    let tieCount: Int
    /// Every column of the log.
    let columns: UnsafeMutablePointer<ColumnCode>
    let columnCount: Int

    let isKeyInline: Bool
    let keys: UnsafeMutablePointer<KeyCode>
    let keyCount: Int
    let time: Int
    let recordBytes: Int
    let bytesPerEvent: Int
    let partialBytes: Int
    let capacityMin: Int
    let lateness: Int64
    /// `Int64.max`: for ever.
    let idleAfter: Int64
    let retention: StateLayout.Retention
    let hasTexts: Bool
    let hasLinks: Bool
    /// Where the event time is a timestamptz and clocks change.
    private let zone: UnsafeMutablePointer<ZoneRules>?

    init(plan: PartitionPlan, layout: StateLayout, lateness: Int64, idleAfter: Int64?, timeZone: ZoneRules) {
        let timeIsDate = plan.time.type == .date
        let zone = plan.time.type == .timestamptz && !timeZone.isFixed ? UnsafeMutablePointer.copy(of: [timeZone]) : nil
        self.zone = zone
        var partialCodes: [PartialCode] = []
        var inputCodes: [InputFields] = []
        for (index, input) in layout.inputs.enumerated() {
            inputCodes.append(InputFields(input, isTime: input.values == 0))
            for partial in input.partials {
                partialCodes.append(
                    PartialCode(
                        kind: PartialCode.Kind(partial.kind, form: input.argument!.type.form), input: index,
                        offset: partial.offset))
            }
        }
        let inputFields = UnsafeMutablePointer<InputFields>.copy(of: inputCodes)
        self.inputFields = inputFields
        inputs = .copy(of: inputCodes.indices.map { InputCode(fields: inputFields + $0) })
        inputCount = inputCodes.count
        partials = .copy(of: partialCodes)
        partialCount = partialCodes.count
        windowCount = plan.windows.count
        windows = .copy(
            of: plan.windows.indices.map {
                WindowCode(
                    plan.windows[$0].frame, timeIsDate: timeIsDate, zone: zone.map { UnsafePointer($0) },
                    startCursor: layout.startCursors[$0], endCursor: layout.endCursors[$0])
            })
        callCount = plan.calls.count
        let callFields = UnsafeMutablePointer<CallFields>.copy(
            of: zip(plan.calls, layout.calls).map { CallFields($0, $1, layout: layout) })
        self.callFields = callFields
        calls = .copy(of: plan.calls.indices.map { CallCode(fields: callFields + $0) })
        distinctCount = layout.distincts.count
        distincts = .copy(of: layout.distincts.map { DistinctCode(input: $0.input, offset: $0.offset) })
        foldCount = layout.folds.count
        folds = .copy(of: layout.folds.map { FoldCode($0, form: layout.inputs[$0.input].argument!.type.form) })
        tieCount = plan.tieBreakers.count
        ties = .copy(
            of: plan.tieBreakers.indices.map {
                TieCode(
                    register: plan.tieBreakers[$0].index, form: plan.tieBreakers[$0].type.form, values: layout.tieBreakers[$0],
                    nulls: layout.tieBreakerNulls[$0])
            })
        let columnCodes = ColumnCode.all(plan: plan, layout: layout)
        columns = .copy(of: columnCodes)
        columnCount = columnCodes.count
        isKeyInline = layout.isKeyInline
        keyCount = plan.keys.count
        keys = .copy(of: plan.keys.map { KeyCode(register: $0.index, form: $0.type.form) })
        time = plan.time.index
        recordBytes = layout.recordBytes
        bytesPerEvent = layout.bytesPerEvent
        partialBytes = layout.partialBytes
        // The first log fits a cache line where two rows do.
        var capacity = 4
        while capacity > 2 && capacity * layout.bytesPerEvent > 64 { capacity /= 2 }
        capacityMin = capacity
        self.lateness = lateness
        self.idleAfter = idleAfter ?? .max
        retention = layout.retention
        hasTexts =
            plan.tieBreakers.contains { $0.type.form == .text }
            || layout.inputs.contains { $0.values != nil && $0.argument?.type.form == .text }
        hasLinks = layout.inputs.contains { $0.next != nil }
    }

    func deallocate() {
        inputs.deallocate()
        inputFields.deallocate()
        partials.deallocate()
        windows.deallocate()
        calls.deallocate()
        callFields.deallocate()
        distincts.deallocate()
        folds.deallocate()
        ties.deallocate()
        columns.deallocate()
        keys.deallocate()
        zone?.deinitialize(count: 1)
        zone?.deallocate()
    }

    func logBytes(capacity: Int) -> Int {
        bytesPerEvent * capacity + StateLayout.partialEntries(capacity: capacity) * partialBytes
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

/// What an input keeps and where, by reference: a few words in a register instead of a copy for every row.
struct InputCode {
    let fields: UnsafePointer<InputFields>

    @inline(__always) var argument: Int { fields.pointee.argument }
    @inline(__always) var filter: Int { fields.pointee.filter }
    @inline(__always) var form: Form { fields.pointee.form }
    @inline(__always) var isTime: Bool { fields.pointee.isTime }
    @inline(__always) var mayBeNull: Bool { fields.pointee.mayBeNull }
    @inline(__always) var values: Int { fields.pointee.values }
    @inline(__always) var nulls: Int { fields.pointee.nulls }
    @inline(__always) var counts: Int { fields.pointee.counts }
    @inline(__always) var trues: Int { fields.pointee.trues }
    @inline(__always) var sums: Int { fields.pointee.sums }
    @inline(__always) var sumBytes: Int { fields.pointee.sumBytes }
    @inline(__always) var previous: Int { fields.pointee.previous }
    @inline(__always) var next: Int { fields.pointee.next }
    @inline(__always) var countTotal: Int { fields.pointee.countTotal }
    @inline(__always) var trueTotal: Int { fields.pointee.trueTotal }
    @inline(__always) var sumTotal: Int { fields.pointee.sumTotal }
    @inline(__always) var occurrences: Int { fields.pointee.occurrences }
    @inline(__always) var unit: Double { fields.pointee.unit }
}

struct InputFields {
    let argument: Int
    let filter: Int
    let form: Form
    /// The values are the log's times: nothing to store.
    let isTime: Bool
    let mayBeNull: Bool
    let values: Int
    let nulls: Int
    let counts: Int
    let trues: Int
    let sums: Int
    let sumBytes: Int
    let previous: Int
    let next: Int
    let countTotal: Int
    let trueTotal: Int
    let sumTotal: Int
    let occurrences: Int
    /// 10^scale of a numeric argument.
    let unit: Double

    init(_ input: StateLayout.Input, isTime: Bool) {
        argument = input.argument?.index ?? -1
        filter = input.filter?.index ?? -1
        form = input.argument?.type.form ?? .boolean
        self.isTime = isTime
        mayBeNull = input.mayBeNull
        values = input.values ?? -1
        nulls = input.nulls ?? -1
        counts = input.counts ?? -1
        trues = input.trues ?? -1
        sums = input.sums ?? -1
        sumBytes = input.sumBytes
        previous = input.previous ?? -1
        next = input.next ?? -1
        countTotal = input.countTotal ?? -1
        trueTotal = input.trueTotal ?? -1
        sumTotal = input.sumTotal ?? -1
        occurrences = input.occurrences ?? -1
        unit = input.argument?.type.decimalUnit ?? 1
    }
}

extension ValueType {
    /// 10^scale: what an unscaled value is divided by.
    var decimalUnit: Double {
        guard case .numeric(_, let scale) = self else { return 1 }
        var unit: Int128 = 1
        for _ in 0..<scale { unit *= 10 }
        return Double(unit)
    }
}

struct PartialCode {
    enum Kind: UInt8 {
        case sum, variance
        case leastInteger, greatestInteger, leastDouble, greatestDouble, leastDecimal, greatestDecimal
        case leastText, greatestText, leastInterval, greatestInterval
    }

    let kind: Kind
    let input: Int
    let offset: Int
}

extension PartialCode.Kind {
    init(_ kind: StateLayout.Partial.Kind, form: Form) {
        switch kind {
        case .sum: self = .sum
        case .variance: self = .variance
        case .minimum: self = .extreme(form, isGreatest: false)
        case .maximum: self = .extreme(form, isGreatest: true)
        }
    }

    static func extreme(_ form: Form, isGreatest: Bool) -> Self {
        switch form {
        case .integer: isGreatest ? .greatestInteger : .leastInteger
        case .double: isGreatest ? .greatestDouble : .leastDouble
        case .decimal: isGreatest ? .greatestDecimal : .leastDecimal
        case .text: isGreatest ? .greatestText : .leastText
        case .interval: isGreatest ? .greatestInterval : .leastInterval
        case .boolean: preconditionFailure("min and max of boolean are refused by the language")
        }
    }
}

struct WindowCode {
    enum Start: UInt8 { case unbounded, range, peers, rows }
    enum End: UInt8 { case row, range, rows }

    let start: Start
    let end: End
    let startDistance: FrameDistance
    let endDistance: FrameDistance
    let startRows: Int
    let endRows: Int
    let startCursor: Int
    let endCursor: Int
    let excludesRow: Bool
    let excludesPeers: Bool
    /// The frame is limited by no RANGE bound: it does not reach behind rows that idle_after forgot.
    let stopsAtFloor: Bool

    init(
        _ frame: Frame, timeIsDate: Bool, zone: UnsafePointer<ZoneRules>?, startCursor: Int?, endCursor: Int?
    ) {
        precondition(frame.mode != .groups && frame.exclusion != .ties, "the language refuses GROUPS and EXCLUDE TIES")
        var startDistance = Frame.Distance.integer(0)
        var endDistance = Frame.Distance.integer(0)
        switch frame.start {
        case .unboundedPreceding: start = .unbounded
        case .currentRow: start = frame.mode == .rows ? .rows : .peers
        case .preceding(let distance):
            start = frame.mode == .rows ? .rows : .range
            startDistance = distance
        }
        switch frame.end {
        case .unboundedPreceding: preconditionFailure("no frame ends UNBOUNDED PRECEDING")
        case .currentRow: end = .row
        case .preceding(let distance):
            end = frame.mode == .rows ? .rows : .range
            endDistance = distance
        }
        self.startDistance = FrameDistance(startDistance, timeIsDate: timeIsDate, zone: zone)
        self.endDistance = FrameDistance(endDistance, timeIsDate: timeIsDate, zone: zone)
        startRows = WindowCode.rows(startDistance)
        endRows = WindowCode.rows(endDistance)
        self.startCursor = startCursor ?? -1
        self.endCursor = endCursor ?? -1
        excludesRow = frame.exclusion == .currentRow
        excludesPeers = frame.exclusion == .group
        stopsAtFloor = start == .unbounded || start == .rows
    }

    private static func rows(_ distance: Frame.Distance) -> Int {
        guard case .integer(let rows) = distance else { return 0 }
        return Int(min(rows, 1 << 40))
    }
}

struct DistinctCode {
    let input: Int
    let offset: Int
}

struct FoldCode {
    enum Kind: UInt8 { case sum, minimum, maximum, variance, nth, last }

    let kind: Kind
    let form: Form
    let n: Int
    let input: Int
    let offset: Int

    init(_ fold: StateLayout.Fold, form: Form) {
        var n = 0
        switch fold.kind {
        case .sum: kind = .sum
        case .minimum: kind = .minimum
        case .maximum: kind = .maximum
        case .variance: kind = .variance
        case .nth(let row):
            kind = .nth
            n = Int(min(row, 1 << 40))
        case .last: kind = .last
        }
        self.n = n
        self.form = form
        input = fold.input
        offset = fold.offset
    }
}

/// How a call is answered, by reference: a few words in a register instead of a copy for every row.
struct CallCode {
    let fields: UnsafePointer<CallFields>

    @inline(__always) var kind: CallFields.Kind { fields.pointee.kind }
    @inline(__always) var input: Int { fields.pointee.input }
    @inline(__always) var window: Int { fields.pointee.window }
    @inline(__always) var result: Int { fields.pointee.result }
    @inline(__always) var resultForm: Form { fields.pointee.resultForm }
    @inline(__always) var otherwise: Int { fields.pointee.otherwise }
    @inline(__always) var n: Int { fields.pointee.n }
    @inline(__always) var distinct: Int { fields.pointee.distinct }
    @inline(__always) var fold: Int { fields.pointee.fold }
    @inline(__always) var partial: Int { fields.pointee.partial }
}

struct CallFields {
    enum Kind: UInt8 {
        case rows, count, distinct
        case sumDouble, sumInteger, sumWide, averageDouble, averageInteger, averageWide
        case varianceSample, variancePopulation, deviationSample, deviationPopulation
        case minimum, maximum, booleanAnd, booleanOr
        case first, last, nth, lag, rowNumber
    }

    let kind: Kind
    let input: Int
    let window: Int
    let result: Int
    let resultForm: Form
    let otherwise: Int
    let n: Int
    let distinct: Int
    let fold: Int
    /// Offset of the partials that answer the call.
    let partial: Int

    init(_ call: CallPlan, _ place: StateLayout.Call, layout: StateLayout) {
        input = place.input ?? -1
        window = call.window
        result = call.result.index
        resultForm = call.result.type.form
        otherwise = call.second?.index ?? -1
        distinct = place.distinct ?? -1
        fold = place.fold ?? -1
        var n = 0
        var partialKind: StateLayout.Partial.Kind?
        let form = call.argument?.type.form
        let isWide = place.input.map { layout.inputs[$0].sumBytes == 16 } ?? false
        switch call.function {
        case .count:
            kind = call.isDistinct ? .distinct : place.input.map { layout.inputs[$0].counts != nil } ?? false ? .count : .rows
        case .sum:
            kind = form == .double ? .sumDouble : isWide ? .sumWide : .sumInteger
            partialKind = .sum
        case .average:
            kind = form == .double ? .averageDouble : isWide ? .averageWide : .averageInteger
            partialKind = .sum
        case .varianceSample: (kind, partialKind) = (.varianceSample, .variance)
        case .variancePopulation: (kind, partialKind) = (.variancePopulation, .variance)
        case .deviationSample: (kind, partialKind) = (.deviationSample, .variance)
        case .deviationPopulation: (kind, partialKind) = (.deviationPopulation, .variance)
        case .minimum: (kind, partialKind) = (.minimum, .minimum)
        case .maximum: (kind, partialKind) = (.maximum, .maximum)
        case .booleanAnd: kind = .booleanAnd
        case .booleanOr: kind = .booleanOr
        case .firstValue: kind = .first
        case .lastValue: kind = .last
        case .nthValue(let position):
            kind = .nth
            n = Int(min(position, 1 << 40))
        case .lag(let offset):
            kind = .lag
            n = Int(min(offset, 1 << 40))
        case .rowNumber: kind = .rowNumber
        default: preconditionFailure("the language refuses what no kernel computes")
        }
        self.n = n
        partial =
            partialKind.flatMap { wanted in place.input.flatMap { layout.inputs[$0].partials.first { $0.kind == wanted }?.offset }
            } ?? 0
    }
}
