import Language
import Values

@testable import Plan

/// What a partition answers whose calls change on the way, by the plain evaluator: every call has an evaluator of its own,
/// which has seen the rows that the call may know of, with NULL where it may not know their values.
struct ChangeReference {
    /// What a state keeps, whatever its calls make of it: its rows as of the last change and all since, cut where rows were
    /// given up.
    private var kept: StateReference
    /// The rows that unbounded frames without arguments count.
    private var counted: StateReference
    private(set) var calls: [StateReference?]
    private var rowCount = 0
    var newest: Int64 { kept.newest }
    var lateness: Int64 { kept.lateness }
    private var plan: PartitionPlan
    private var layout: StateLayout
    /// Rows that come later than this were taken by other rules when definitions changed.
    private(set) var oldLateBound = Int64.min

    init(plan: PartitionPlan, layout: StateLayout, lateness: Int64, idleAfter: Int64?) {
        var bare = plan
        bare.calls = []
        self.plan = plan
        self.layout = layout
        kept = StateReference(plan: bare, lateness: lateness, idleAfter: idleAfter)
        counted = kept
        calls = plan.calls.map { call in
            var alone = plan
            alone.calls = [call]
            return StateReference(plan: alone, lateness: lateness, idleAfter: idleAfter)
        }
    }

    mutating func take(_ cells: [Scalar]) -> [Scalar]? {
        rowCount += 1
        forgetKey(cells)
        _ = counted.take(cells, number: rowCount)
        let isTaken = kept.take(cells, number: rowCount) != nil
        var answers: [Scalar] = []
        for number in calls.indices {
            answers.append(calls[number]?.take(cells, number: rowCount)?.first ?? StateReference.anything)
        }
        return isTaken ? answers : nil
    }

    func lookUp(_ cells: [Scalar]) -> [Scalar] { calls.map { $0?.lookUp(cells).first ?? StateReference.anything } }

    /// A key that is out of reach starts anew; what it had is no part of what is kept.
    private mutating func forgetKey(_ cells: [Scalar]) {
        let name = plan.keys.map { cells[$0.index] }
        guard let key = kept.keys[name], key.lastTime < forgottenBefore else { return }
        kept.keys[name] = nil
        counted.keys[name] = nil
    }

    private var forgottenBefore: Int64 {
        let retention = layout.retention
        if newest == .min || retention.isUnbounded && kept.idleAfter == nil { return .min }
        let bound = newest - kept.lateness - retention.distance
        return retention.isUnbounded ? min(bound, newest - kept.lateness - kept.idleAfter!) : bound
    }

    // MARK: Changes

    mutating func change(by match: StateMatch) {
        giveUpOldRows()
        let before = calls
        let isUnbounded = { (plan: PartitionPlan, call: Int) in plan.reach(ofCall: call).isUnbounded }
        let keepsUnbounded = match.known.compactMap { $0 }.contains { isUnbounded(match.old.partition, $0) }
        if !keepsUnbounded { counted = kept }
        calls = match.new.partition.calls.enumerated().map { number, call in
            var alone = match.new.partition
            alone.calls = [call]
            if let known = match.known[number] {
                var reference = before[known]
                reference?.plan = alone
                return reference
            }
            let (since, knownSince) = (call.since, match.knownSince[number])
            let isAfresh = knownSince == match.generation
            if !isAfresh && knownSince > 0 { return nil }
            // What is known of the filter makes NULLs elements.
            if isAfresh && call.function == .arrayAggregate && call.filter != nil { return nil }
            let reads = !StateLayout(partition: alone) { match.new.isNullable($0) }.inputs.allSatisfy { $0.level == .none }
            if isUnbounded(match.new.partition, number) && keepsUnbounded {
                if reads && since < match.generation || call.function == .denseRank { return nil }
                var reference = counted
                reference.plan = alone
                if !reads && !call.function.isDecayed { return reference }
                let onlyKept = [.arrayAggregate].contains(call.function) || call.function.isDecayed
                hide(in: &reference, of: call, everything: isAfresh, dropsRows: onlyKept)
                return reference
            }
            var reference = kept
            reference.plan = alone
            if isAfresh { hide(in: &reference, of: call, everything: true, dropsRows: false) }
            return reference
        }
        oldLateBound = newest == .min ? .min : newest - kept.lateness
        plan = match.new.partition
        layout = match.new.layout
        let state = match.new.state
        func adapt(_ reference: inout StateReference) {
            (reference.lateness, reference.idleAfter) = (state.lateness, state.idleAfter)
        }
        adapt(&kept)
        adapt(&counted)
        for number in calls.indices where calls[number] != nil { adapt(&calls[number]!) }
    }

    /// Makes the arguments NULL of rows that are not kept, or of all.
    private func hide(in reference: inout StateReference, of call: CallPlan, everything: Bool, dropsRows: Bool) {
        for (name, key) in reference.keys {
            let known = Set(kept.keys[name]?.rows.map(\.number) ?? [])
            for number in key.rows.indices where everything || !known.contains(key.rows[number].number) {
                for register in [call.argument, call.second, call.filter].compactMap({ $0 }) {
                    reference.keys[name]!.rows[number].cells[register.index] = .null
                }
            }
            defer { reference.keys[name]!.groups = reference.numberGroups(reference.keys[name]!.rows) }
            if !dropsRows { continue }
            for number in key.rows.indices.reversed() where !known.contains(key.rows[number].number) {
                reference.keys[name]!.rows.remove(at: number)
                if number < reference.keys[name]!.floor { reference.keys[name]!.floor -= 1 }
            }
        }
    }

    private mutating func giveUpOldRows() {
        if newest == .min { return }
        let forgottenBefore = forgottenBefore
        for (name, key) in kept.keys {
            if key.lastTime < forgottenBefore {
                kept.keys[name] = nil
                counted.keys[name] = nil
                for number in calls.indices { calls[number]?.keys[name] = nil }
                continue
            }
            let count = givenUpRows(key)
            kept.keys[name]!.rows.removeFirst(count)
            kept.keys[name]!.groups = kept.numberGroups(kept.keys[name]!.rows)
            kept.keys[name]!.floor = max(0, key.floor - count)
        }
    }

    private func givenUpRows(_ key: StateReference.Key) -> Int {
        let retention = layout.retention
        if retention.keepsAll { return 0 }
        let lateBound = newest - kept.lateness
        let bound = lateBound - retention.distance
        var firstKept = key.rows.count
        if retention.groups > 0 {
            let end = key.rows.firstIndex { $0.time >= lateBound } ?? key.rows.count
            var groups: [Int] = []
            for row in key.rows.indices {
                let begins = row == 0 || row == key.floor || !kept.arePeers(key.rows[row - 1], key.rows[row])
                groups.append((groups.last ?? 0) + (begins ? 1 : 0))
            }
            let group = (end == 0 ? 0 : groups[end - 1]) - Int(retention.groups) + 1
            firstKept = group < 1 ? 0 : groups.firstIndex { $0 >= group } ?? key.rows.count
        }
        var head = 0
        let rows = Int(retention.rows)
        while head < firstKept, key.rows[head].time < bound {
            if rows > 0 && !(head + rows < key.rows.count && key.rows[head + rows].time < lateBound) { break }
            head += 1
        }
        return head
    }
}

extension WindowFunction {
    fileprivate var isDecayed: Bool {
        switch self {
        case .decayedSum, .decayedCount: true
        default: false
        }
    }
}
