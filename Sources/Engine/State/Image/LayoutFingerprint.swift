import Language
import Plan
import Values

/// What the bytes of a state's keys mean, in 64 bits: the same in every process and release that writes them alike.
struct LayoutFingerprint {
    private(set) var value = KeyHash.seed

    private mutating func add(_ number: Int) { value = KeyHash.fold(value ^ UInt64(bitPattern: Int64(number))) }

    private mutating func add(_ text: String) {
        for byte in text.utf8 { add(Int(byte)) }
        add(-1)
    }

    init(_ plan: PartitionPlan, _ layout: StateLayout) {
        for key in plan.keys { add(key.type.description) }
        add(plan.time.type.description)
        for tie in plan.tieBreakers { add(tie.type.description) }
        add(layout.groups == nil ? 0 : 1)
        for input in layout.inputs {
            add(input.argument?.type.description ?? "-")
            for isThere in [
                input.mayBeNull, input.values == 0, input.values != nil, input.nulls != nil, input.counts != nil,
                input.trues != nil, input.sums != nil, input.next != nil, input.givenUp != nil,
            ] {
                add(isThere ? 1 : 0)
            }
            add(input.sumBytes)
        }
        for fold in layout.folds {
            add("\(fold.kind)")
            add(fold.input)
            add(fold.valueInput ?? -1)
        }
    }

    init(_ plan: JoinTablePlan, columns: [Field]) {
        add(plan.isHistory ? 1 : 0)
        for column in plan.keys + [-1] + plan.columns { add(column < 0 ? "-" : columns[column].type.description) }
    }
}
