/// Where a row's frame lies: positions start ..< end.
struct FramePositions {
    var start = 0
    var end = 0
    /// Unbounded, and rows that the log gave up belong to it: totals and folds answer for them.
    var isWhole = false
    /// Rows of the frame, given-up ones included, the one that stands apart not.
    var rows = 0
    /// EXCLUDE TIES: the row itself, which belongs to the frame although its peers do not; -1: no row stands apart.
    var apart = -1

    @inline(__always) var rowsApart: Int { apart < 0 ? 0 : 1 }
}
