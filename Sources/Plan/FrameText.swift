import Language
import Values

extension Frame {
    /// What the call looks at, for a person.
    func summary(of function: WindowFunction) -> String { function.ignoresFrame ? "all rows of the key" : sqlText }

    /// As SQL writes it; the end is left out where it is the current row.
    var sqlText: String {
        var text =
            switch mode {
            case .range: "RANGE "
            case .rows: "ROWS "
            case .groups: "GROUPS "
            }
        text += end == .currentRow && exclusion == .noOthers ? start.text : "BETWEEN \(start.text) AND \(end.text)"
        switch exclusion {
        case .noOthers: break
        case .currentRow: text += " EXCLUDE CURRENT ROW"
        case .group: text += " EXCLUDE GROUP"
        case .ties: text += " EXCLUDE TIES"
        }
        return text
    }
}

extension Frame.Bound {
    fileprivate var text: String {
        switch self {
        case .unboundedPreceding: "UNBOUNDED PRECEDING"
        case .currentRow: "CURRENT ROW"
        case .preceding(let distance): "\(distance.text) PRECEDING"
        }
    }
}

extension Frame.Distance {
    var text: String {
        switch self {
        case .integer(let count): "\(count)"
        case .interval(let interval): Scalar.interval(interval).sqlText(.interval)
        }
    }
}
