import Linux

/// The standard error: one line that is written over and over on a terminal, lines one below the other elsewhere.
struct StandardError {
    func line(_ text: String) { try? FileWriter.standardError().write(text + "\n") }

    /// On a terminal only; empty: takes the line away.
    func progress(_ text: String) {
        let output = FileWriter.standardError()
        if output.isTerminal { try? output.write("\r\u{1B}[K" + text) }
    }
}

/// A line every second.
struct ProgressLine {
    let isQuiet: Bool
    let output: StandardError

    func show(_ second: Recorder.Second) {
        if isQuiet { return }
        let waiting = second.waiting > 0 ? ", \(Figures.count(second.waiting)) waiting" : ""
        let text =
            "\(second.second + 1) s: \(Figures.count(second.events)) events/s, p50 \(Figures.duration(second.p50Nanoseconds)), "
            + "p99 \(Figures.duration(second.p99Nanoseconds)), \(Figures.count(second.underWay)) under way\(waiting)"
        if FileWriter.standardError().isTerminal { output.progress(text) } else { output.line(text) }
    }

    func end() { if !isQuiet { output.progress("") } }
}
