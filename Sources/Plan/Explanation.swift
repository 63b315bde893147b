import Language
import Values

extension Plan {
    /// The plan as a person wants to read it: streams, event time and lateness, partitions with what they keep, windows,
    /// calls, row expressions, and what the state costs under a load.
    public func explain(_ load: Load) -> String {
        var page = Page()
        for (index, stream) in streams.enumerated() {
            if index > 0 { page.line("") }
            JoinExplanation(plan: self).write(table: stream.table, to: &page)
            if !isStream(stream.table) { continue }
            var explanation = StreamExplanation(stream: stream, plan: self, load: load)
            explanation.write(to: &page)
        }
        return page.text
    }

    /// Bytes of all windows' state under a load, without joined tables and texts; nil where it grows with every event.
    public func stateBytes(for load: Load) -> Double? {
        var total = 0.0
        var isCounted = Array(repeating: false, count: states.count)
        for stream in streams {
            let explanation = StreamExplanation(stream: stream, plan: self, load: load)
            for (_, partition, layout) in explanation.partitions where !isCounted[partition.state] {
                isCounted[partition.state] = true
                guard let bytes = explanation.bytes(of: partition, layout) else { return nil }
                total += bytes
            }
        }
        return total
    }
}

/// Lines with a depth.
struct Page {
    private(set) var text = ""
    var depth = 0

    mutating func line(_ line: String) {
        if !line.isEmpty { text += String(repeating: "  ", count: depth) + line }
        text += "\n"
    }

    /// `label` in a column of its own.
    mutating func entry(_ label: String, _ value: String) {
        line(label + String(repeating: " ", count: max(2, 18 - label.count)) + value)
    }

    mutating func indented(_ body: (inout Page) -> Void) {
        depth += 1
        body(&self)
        depth -= 1
    }
}

struct StreamExplanation {
    let stream: StreamPlan
    let plan: Plan
    let table: Table
    let load: Load
    let names: RegisterNames
    /// Bytes for the load, where the state does not grow for ever.
    private var totalBytes = 0.0
    private var growsForEver = false

    init(stream: StreamPlan, plan: Plan, load: Load) {
        self.stream = stream
        self.plan = plan
        self.table = plan.definitions.tables[stream.table]
        self.load = load
        names = RegisterNames(stream, of: plan)
    }

    mutating func write(to page: inout Page) {
        page.line("stream \(table.name)")
        page.depth += 1
        writeTime(to: &page)
        for view in stream.views {
            let features = view.isWindowed.count { $0 }
            let source = stream.stages.contains { !$0.joins.isEmpty } ? "windows and joins" : "windows"
            var text = "\(view.name): \(count(view.columns.count, "column")), \(features) from \(source)"
            if let filter = view.filter { text += "; only rows where \(names[filter])" }
            if view.isReadByView { text += "; read by another view" }
            page.entry("view", text)
        }
        for (index, stage) in stream.stages.enumerated() {
            for (number, partition, layout) in partitions where number == index {
                page.line("")
                write(partition, layout, stage: index, to: &page)
            }
            JoinExplanation(plan: plan).write(stage, number: index, names: names, to: &page)
        }
        writeExpressions(to: &page)
        writeTotal(to: &page)
        page.depth -= 1
    }

    private func writeTime(to page: inout Page) {
        guard let eventTime = stream.eventTime else {
            return page.entry("event time", "none: no view has a window, nothing is kept")
        }
        page.entry("event time", "\(names[eventTime]) (\(eventTime.type))")
        page.entry("late by up to", distance(stream.lateness))
        let united = plan.streams.filter { $0.clock == stream.clock && $0.table != stream.table }
        if !united.isEmpty {
            let tables = united.map { plan.definitions.tables[$0.table].name }.joined(separator: " and ")
            page.entry("united with", "\(tables), which it shares the greatest event time with")
        }
        if let maxAhead = stream.maxAhead {
            page.entry("ahead by up to", "\(Interval(microseconds: maxAhead).readable) of the server's clock")
        }
        if let idleAfter = stream.idleAfter { page.entry("idle after", distance(idleAfter)) }
    }

    // MARK: Partitions

    var partitions: [(stage: Int, partition: PartitionPlan, layout: StateLayout)] {
        stream.stages.indices.flatMap { stage in
            zip(stream.stages[stage].partitions, stream.stateLayouts(stage: stage, columns: table.columns)).map {
                (stage, $0, $1)
            }
        }
    }

    func bytes(of partition: PartitionPlan, _ layout: StateLayout) -> Double? {
        cost(of: partition, layout).bytes(for: load, keys: load.keys(of: partition.keys.map { names[$0] }))
    }

    private func cost(of partition: PartitionPlan, _ layout: StateLayout) -> StateCost {
        StateCost(
            partition, layout, plan.states[partition.state], unitsPerSecond: load.unitsPerSecond(of: stream.eventTime?.type))
    }

    private mutating func write(
        _ partition: PartitionPlan, _ layout: StateLayout, stage: Int, to page: inout Page
    ) {
        let key = partition.keys.isEmpty ? "all rows together" : "by " + partition.keys.map { names[$0] }.joined(separator: ", ")
        page.line("partition \(key)" + (stage > 0 ? " (stage \(stage))" : ""))
        page.depth += 1
        if let owner = plan.streams.first(where: { $0.holds(partition.state) }), owner.table != stream.table {
            page.entry("state", "shared with \(plan.definitions.tables[owner.table].name)")
            page.depth -= 1
            return
        }
        if let entry = partition.entry { page.entry("only rows where", names[entry]) }
        if !partition.tieBreakers.isEmpty {
            page.entry("ties broken by", partition.tieBreakers.map { names[$0] }.joined(separator: ", "))
        }
        page.entry("columns kept", keptColumns(partition))
        let cost = cost(of: partition, layout)
        page.entry("history", history(cost))
        page.entry("state", "\(count(cost.bytesPerKey, "byte")) a key, \(count(cost.bytesPerEvent, "byte")) an event")
        for (index, window) in partition.windows.enumerated() {
            let calls = partition.calls.filter { $0.window == index }
            page.line("window " + window.frame.summary(of: calls[0].function))
            page.indented { page in for call in calls { page.line(names.call(call)) } }
        }
        if let bytes = bytes(of: partition, layout) { totalBytes += bytes } else { growsForEver = true }
        page.depth -= 1
    }

    private func keptColumns(_ partition: PartitionPlan) -> String {
        var columns = [names[partition.time]]
        for register in partition.tieBreakers + partition.calls.flatMap(\.inputs)
        where !columns.contains(names[register]) { columns.append(names[register]) }
        return columns.joined(separator: ", ")
    }

    private func history(_ cost: StateCost) -> String {
        if cost.keepsAll { return "all rows of every key" }
        var parts: [String] = []
        if cost.distance > 0 { parts.append(distance(cost.distance)) }
        if cost.rows > 0 {
            parts.append(cost.rows == 1 ? "the last row of a key" : "the last \(grouped(Int(cost.rows))) rows of a key")
        }
        if cost.groups > 0 {
            parts.append(
                cost.groups == 1 ? "the last peer group of a key" : "the last \(grouped(Int(cost.groups))) peer groups of a key")
        }
        if cost.keepsValues { parts.append("the different values of a key") }
        let kept = parts.isEmpty ? "none" : parts.joined(separator: " and ")
        return cost.isUnbounded && stream.idleAfter == nil ? kept + "; keys are kept for ever" : kept
    }

    private func distance(_ value: Int64) -> String { spanText(value, stream.eventTime?.type) }

    // MARK: Row expressions and memory

    private func writeExpressions(to page: inout Page) {
        let programs = stream.stages.enumerated().map {
            ($0.offset == 0 ? "before windows" : "stage \($0.offset)", $0.element.program)
        }
        for (label, program) in programs + [("after windows", stream.finish)] {
            let steps = program.steps.filter { step in
                if case .constant = step.operation { return false }
                return !program.steps.contains { $0.inputs.contains(step.output) }
            }
            if steps.isEmpty { continue }
            page.line("")
            page.line("row expressions, \(label)")
            page.indented { page in for step in steps { page.line(names[step.output]) } }
        }
    }

    private func writeTotal(to page: inout Page) {
        if stream.eventTime == nil { return }
        page.line("")
        let keys = count(load.keys, "key")
        var rate = "\(grouped(Int(load.eventsPerSecond))) events a second"
        if load.spread == .zipf { rate += " by Zipf's law" }
        if let seconds = load.seconds { rate += " after \(grouped(Int((seconds / 3_600).rounded(.up)))) hours" }
        var text = "\(bytesText(totalBytes)) for \(keys) a partition and \(rate)"
        if growsForEver { text += ", growing with every event" }
        if load.unitsPerSecond(of: stream.eventTime?.type) == nil { text += "; rows of RANGE frames are not counted" }
        page.entry("memory", text)
    }
}

extension StreamPlan {
    fileprivate func holds(_ state: Int) -> Bool { stages.contains { $0.partitions.contains { $0.state == state } } }
}

/// A span in the event time's unit.
func spanText(_ value: Int64, _ type: ValueType?) -> String {
    guard let type, !type.isInteger else { return "\(value)" }
    if value == 0 { return "nothing" }
    if type == .date { return Interval(days: Int32(clamping: value)).readable }
    let days = value / Timestamps.dayMicroseconds
    return Interval(days: Int32(clamping: days), microseconds: value % Timestamps.dayMicroseconds).readable
}

/// `1 row`, `2 rows`
func count(_ number: Int, _ noun: String) -> String { "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")" }

/// `1,000,000`
func grouped(_ number: Int) -> String {
    var text = ""
    for (index, digit) in String(number).reversed().enumerated() {
        if index > 0 && index % 3 == 0 && digit != "-" { text.append(",") }
        text.append(digit)
    }
    return String(text.reversed())
}

/// `1.5 GiB`
func bytesText(_ bytes: Double) -> String {
    var (size, unit) = (bytes, 0)
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while size >= 1_024 && unit < units.count - 1 {
        size /= 1_024
        unit += 1
    }
    if unit == 0 { return "\(Int(size)) bytes" }
    let tenths = Int((size * 10).rounded())
    return size >= 100 ? "\(Int(size.rounded())) \(units[unit])" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
}
