/// A summary as a table for a terminal.
enum TextReport {
    static func render(_ summary: Summary) -> String {
        var lines = [title(summary), ""]
        lines.append(row(["", "requests", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max"]))
        for latency in summary.latencies {
            let times = [latency.p50, latency.p90, latency.p99, latency.p999, latency.p9999, latency.max]
            lines.append(
                row(
                    [latency.kind, Figures.count(latency.count), Figures.duration(UInt64(latency.mean))]
                        + times.map(Figures.duration)))
        }
        lines += ["", "  \(throughput(summary))", "  \(counts(summary))"]
        if summary.mode == "open" {
            let (first, last) = (Figures.digits(summary.underWayFirstQuarter), Figures.digits(summary.underWayLastQuarter))
            lines.append(
                "  queue: \(summary.queueGrew ? "grew" : "did not grow"), \(first) requests under way at first, \(last) at last")
        }
        if summary.pushes > 0 {
            lines.append(
                "  pushes: \(Figures.count(summary.pushes)) with \(Figures.count(summary.pushedRows)) rows, \(Figures.count(summary.skippedRows)) skipped"
            )
        }
        for error in summary.errors {
            lines.append("  error \(error.code), \(Figures.count(error.count)) times: \(error.message)")
        }
        for broken in summary.broken { lines.append("  connection lost: \(broken)") }
        if let verification = summary.verification { lines += text(verification) }
        return lines.joined(separator: "\n") + "\n"
    }

    static func title(_ summary: Summary) -> String {
        let pace =
            summary.intendedEventsPerSecond.map { "open loop at \(Figures.count($0)) events/s" }
            ?? "closed loop, \(summary.inFlightMax ?? 0) in flight"
        let connections = "\(summary.connections) connection\(summary.connections == 1 ? "" : "s")"
        let subscribers = summary.subscribers > 0 ? ", \(summary.subscribers) subscribers" : ""
        return
            "\(summary.workload): \(pace), \(connections)\(subscribers), batches of \(Figures.count(summary.batchRows)), "
            + "\(Figures.digits(summary.measuredSeconds)) s"
    }

    static func throughput(_ summary: Summary) -> String {
        let (events, requests) = (Figures.count(summary.eventsPerSecond), Figures.count(summary.requestsPerSecond))
        let nanoseconds = summary.eventsPerSecond > 0 ? ", \(Figures.digits(1e9 / summary.eventsPerSecond)) ns an event" : ""
        return "\(events) events/s in \(requests) requests/s\(nanoseconds)"
    }

    static func counts(_ summary: Summary) -> String {
        let parts: [(String, Int)] = [
            ("sent", summary.sent), ("answered", summary.answered), ("failed", summary.failed), ("lost", summary.lost),
            ("unsent", summary.unsent), ("wrong", summary.wrong), ("late rows", summary.lateRows),
            ("refused rows", summary.refusedRows),
        ]
        return parts.map { "\($0.0) \(Figures.count($0.1))" }.joined(separator: ", ")
    }

    private static func text(_ verification: Verification) -> [String] {
        var lines = [
            "  verified: \(Figures.count(verification.cells)) cells of \(Figures.count(verification.sampledRows)) rows and the status of "
                + "\(Figures.count(verification.statuses)), \(Figures.count(verification.differenceCount)) differences"
        ]
        lines += verification.differences.map { "    \($0)" }
        if !verification.note.isEmpty { lines.append("    \(verification.note)") }
        return lines
    }

    private static func row(_ cells: [String]) -> String {
        cells.enumerated().map { place, cell in
            let width = place == 0 ? 10 : 11
            let padding = String(repeating: " ", count: max(1, width - cell.count))
            return place == 0 ? "  " + cell + padding : padding + cell
        }.joined()
    }
}
