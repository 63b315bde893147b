/// A summary as one page that opens without network: what a terminal shows, and charts of it.
enum HTMLReport {
    private static let colors = ["#2563eb", "#16a34a", "#d97706", "#9333ea", "#dc2626", "#0891b2"]

    static func render(_ summary: Summary) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(HTML.escaped(summary.workload)): load report</title>
        <style>
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 900px; margin: 2rem auto; padding: 0 1rem; color: #111827; }
        h1 { font-size: 1.3rem; } code { font-size: 13px; overflow-wrap: anywhere; }
        table { border-collapse: collapse; margin: 1rem 0; } td, th { padding: 3px 12px; text-align: right; }
        th { border-bottom: 1px solid #9ca3af; font-weight: 600; } td:first-child, th:first-child { text-align: left; }
        svg { width: 100%; height: auto; margin: 0.8rem 0; } .grid { stroke: #e5e7eb; }
        .tick { font: 12px system-ui, sans-serif; fill: #4b5563; } .title { font: 600 14px system-ui, sans-serif; fill: #111827; }
        .good { color: #15803d; } .bad { color: #b91c1c; }
        </style>
        </head>
        <body>
        <h1>\(HTML.escaped(TextReport.title(summary)))</h1>
        <p><code>\(HTML.escaped(summary.command))</code></p>
        \(verdict(summary))
        \(table(summary))
        <p>\(HTML.escaped(TextReport.throughput(summary)))<br>\(HTML.escaped(TextReport.counts(summary)))</p>
        \(distribution(summary))
        \(rate(summary))
        \(latency(summary))
        \(underWay(summary))
        </body>
        </html>

        """
    }

    private static func verdict(_ summary: Summary) -> String {
        var words = summary.isGood ? "Every request was answered." : "Not all requests were answered rightly."
        if summary.mode == "open" { words += summary.queueGrew ? " The queue grew: the rate is too high." : " No queue grew." }
        if let verification = summary.verification {
            words +=
                " \(Figures.count(verification.cells)) cells computed once more, \(verification.differenceCount) differences."
        }
        let problems =
            summary.errors.map { "\($0.code) (\($0.count)): \($0.message)" } + summary.broken
            + (summary.verification?.differences ?? [])
        let list = problems.isEmpty ? "" : "<ul>" + problems.map { "<li>\(HTML.escaped($0))</li>" }.joined() + "</ul>"
        return "<p class=\"\(summary.isGood && !summary.queueGrew ? "good" : "bad")\">\(HTML.escaped(words))</p>\(list)"
    }

    private static func table(_ summary: Summary) -> String {
        let rows = summary.latencies.map { latency in
            let times = [UInt64(latency.mean), latency.p50, latency.p90, latency.p99, latency.p999, latency.p9999, latency.max]
            let cells = [latency.kind, Figures.count(latency.count)] + times.map(Figures.duration)
            return "<tr>" + cells.map { "<td>\(HTML.escaped($0))</td>" }.joined() + "</tr>"
        }
        let names = ["", "requests", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max"]
        return "<table><tr>" + names.map { "<th>\($0)</th>" }.joined() + "</tr>\(rows.joined())</table>"
    }

    // MARK: Charts

    /// Latency by the share of requests that took no longer; every step to the right is ten times rarer.
    private static func distribution(_ summary: Summary) -> String {
        let series = summary.latencies.enumerated().map { place, latency in
            Chart.Series(
                name: latency.kind, color: colors[place % colors.count],
                points: latency.distribution.filter { $0.share < 1 }.map { (1 / (1 - $0.share), Double(max(1, $0.nanoseconds))) })
        }
        let values = series.flatMap { $0.points.map(\.y) }
        guard !values.isEmpty else { return "" }
        let greatest = series.flatMap { $0.points.map(\.x) }.max() ?? 1
        var ticks: [(value: Double, label: String)] = [(1, "0 %")]
        var nines = ["90 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %", "99.99999 %"][...]
        while ticks[ticks.count - 1].value < greatest, let label = nines.popFirst() {
            ticks.append((ticks[ticks.count - 1].value * 10, label))
        }
        return Chart(
            title: "Latency by percentile",
            x: Chart.Axis(title: "requests that took no longer", isLogarithmic: true, ticks: ticks),
            y: .logarithmic("latency", values) { Figures.duration(UInt64($0)) }, series: series
        ).svg()
    }

    private static func whole(_ summary: Summary) -> [Recorder.Second] { Array(summary.seconds.dropLast()) }

    private static func time(_ summary: Summary) -> Chart.Axis {
        .linear("seconds", upTo: Double(max(1, whole(summary).count))) { Figures.digits($0) }
    }

    private static func rate(_ summary: Summary) -> String {
        let points = whole(summary).map { (Double($0.second + 1), Double($0.events)) }
        guard points.count > 1 else { return "" }
        return Chart(
            title: "Events answered per second", x: time(summary),
            y: .linear("events/s", upTo: points.map(\.1).max()!) { Figures.count($0) },
            series: [Chart.Series(name: "events", color: colors[0], points: points)]
        ).svg()
    }

    private static func latency(_ summary: Summary) -> String {
        let seconds = whole(summary).filter { $0.requests > 0 }
        guard seconds.count > 1 else { return "" }
        func line(_ name: String, _ color: String, _ value: (Recorder.Second) -> UInt64) -> Chart.Series {
            Chart.Series(name: name, color: color, points: seconds.map { (Double($0.second + 1), Double(max(1, value($0)))) })
        }
        let series = [
            line("p50", colors[0], \.p50Nanoseconds), line("p99", colors[2], \.p99Nanoseconds),
            line("max", colors[4], \.maxNanoseconds),
        ]
        return Chart(
            title: "Latency, second by second", x: time(summary),
            y: .logarithmic("latency", series.flatMap { $0.points.map(\.y) }) { Figures.duration(UInt64($0)) }, series: series
        ).svg()
    }

    private static func underWay(_ summary: Summary) -> String {
        let points = whole(summary).map { (Double($0.second + 1), Double($0.underWay + $0.waiting)) }
        guard points.count > 1 else { return "" }
        return Chart(
            title: "Requests that wait for their turn or an answer", x: time(summary),
            y: .linear("requests", upTo: max(1, points.map(\.1).max()!)) { Figures.count($0) },
            series: [Chart.Series(name: "requests", color: colors[3], points: points)]
        ).svg()
    }
}

enum HTML {
    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}
