/// What an image has for each row of a key, one column at a time. Numbers are offsets in the log and in the record.
enum ImageColumn {
    /// 1, 8 or 16 bytes a row, as in the log.
    case values(offset: Int, width: Int)
    /// Bits.
    case nulls(offset: Int)
    case texts(offset: Int)
    case tie(TieCode)
    /// Bits of rows that a running count counts.
    case steps(total: Int, column: Int)
    /// What each row adds to a sum.
    case addends(InputCode)

    /// About, and at least where there are no texts.
    var bytesPerRow: Int {
        switch self {
        case .values(_, let width): width
        case .nulls, .steps: 1
        case .texts: 8
        case .tie(let tie): max(8, tie.form.storedBytes)
        case .addends(let input): input.sumBytes
        }
    }
}
