/// What became of the rows of a run.
struct RowCounts: Sendable {
    var rows = 0
    var late = 0
    var refused = 0
    var answers = 0

    /// `1,754,155 rows in 1.21 s (1,449,714 rows/s); 3 late`
    func summary(seconds: Double) -> String {
        let hundredths = Int((seconds * 100).rounded())
        let decimals = String(hundredths % 100)
        let time = "\(hundredths / 100).\(decimals.count == 1 ? "0" : "")\(decimals) s"
        var text =
            "\(grouped(rows)) rows in \(time) (\(grouped(Int(Double(rows) / max(seconds, 1e-9)))) rows/s); \(grouped(answers)) answers"
        if late > 0 { text += "; \(grouped(late)) late (their features are NULL)" }
        if refused > 0 { text += "; \(grouped(refused)) refused (they changed nothing)" }
        return text
    }
}
