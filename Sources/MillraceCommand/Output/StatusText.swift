import Millrace

/// A server's status as a page for people: one line a measurement, and the percentiles of its stages as a table.
struct StatusText {
    private let status: ServerStatus
    private static let latencyPrefix = "latency_"

    init(_ status: ServerStatus) { self.status = status }

    var text: String {
        let latencies = status.entries.filter { $0.name.hasPrefix(Self.latencyPrefix) }
        let others = status.entries.filter { !$0.name.hasPrefix(Self.latencyPrefix) }
        var text = "millrace \(status.serverVersion)\n"
        text += alignedTable(
            others.map { [$0.name, $0.label, Self.number($0.value), $0.unit] }, isNumber: [false, false, true, false])
        if !latencies.isEmpty { text += "\n" + latencyTable(latencies) }
        return text
    }

    private func latencyTable(_ entries: [ServerStatus.Entry]) -> String {
        var stages: [String] = []
        var percentiles: [String] = []
        for entry in entries {
            if !stages.contains(entry.label) { stages.append(entry.label) }
            if !percentiles.contains(entry.name) { percentiles.append(entry.name) }
        }
        var rows = [["latency, \(entries[0].unit)"] + percentiles.map { String($0.dropFirst(Self.latencyPrefix.count)) }]
        for stage in stages {
            rows.append(
                [stage]
                    + percentiles.map { name in
                        entries.first { $0.name == name && $0.label == stage }.map { Self.number($0.value) } ?? ""
                    })
        }
        return alignedTable(rows, isNumber: [false] + percentiles.map { _ in true })
    }

    /// Whole numbers with commas, others to three digits behind the point.
    static func number(_ value: Double) -> String {
        if let whole = Int(exactly: value) { return grouped(whole) }
        return value.magnitude < 1e12 ? "\((value * 1_000).rounded() / 1_000)" : "\(value)"
    }
}
