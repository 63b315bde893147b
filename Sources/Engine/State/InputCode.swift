import Plan
import Values

/// What an input keeps and where, by reference: a few words in a register instead of a copy for every row.
struct InputCode {
    let fields: UnsafePointer<InputFields>

    @inline(__always) var argument: Int { fields.pointee.argument }
    @inline(__always) var filter: Int { fields.pointee.filter }
    @inline(__always) var companion: Int { fields.pointee.companion }
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
    @inline(__always) var givenUp: Int { fields.pointee.givenUp }
    @inline(__always) var unit: Double { fields.pointee.unit }
    @inline(__always) var second: InputCode { InputCode(fields: fields.pointee.second!) }
    @inline(__always) var decay: Double { fields.pointee.decay }
    @inline(__always) var countsRows: Bool { fields.pointee.countsRows }
}

struct InputFields {
    let argument: Int
    let filter: Int
    let companion: Int
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
    let givenUp: Int
    /// 10^scale of a numeric argument.
    let unit: Double
    /// Of pairs.
    var second: UnsafePointer<InputFields>?
    /// The time in which a weight falls to 1/e, in the event time's unit.
    var decay = 0.0
    /// Every value counts as 1.
    var countsRows = false

    init(_ input: StateLayout.Input, isTime: Bool) {
        argument = input.argument?.index ?? -1
        filter = input.filter?.index ?? -1
        companion = input.companion?.index ?? -1
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
        givenUp = input.givenUp ?? -1
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
