import Language
import Plan
import Values

struct WindowCode {
    enum Start: UInt8 { case unbounded, range, peers, rows }
    enum End: UInt8 { case row, range, rows }

    let start: Start
    let end: End
    let startDistance: FrameDistance
    let endDistance: FrameDistance
    let startRows: Int
    let endRows: Int
    let startCursor: Int
    let endCursor: Int
    let excludesRow: Bool
    let excludesPeers: Bool
    /// The frame is limited by no RANGE bound: it does not reach behind rows that idle_after forgot.
    let stopsAtFloor: Bool

    init(
        _ frame: Frame, timeIsDate: Bool, zone: UnsafePointer<ZoneRules>?, startCursor: Int?, endCursor: Int?
    ) {
        precondition(frame.mode != .groups && frame.exclusion != .ties, "the language refuses GROUPS and EXCLUDE TIES")
        var startDistance = Frame.Distance.integer(0)
        var endDistance = Frame.Distance.integer(0)
        switch frame.start {
        case .unboundedPreceding: start = .unbounded
        case .currentRow: start = frame.mode == .rows ? .rows : .peers
        case .preceding(let distance):
            start = frame.mode == .rows ? .rows : .range
            startDistance = distance
        }
        switch frame.end {
        case .unboundedPreceding: preconditionFailure("no frame ends UNBOUNDED PRECEDING")
        case .currentRow: end = .row
        case .preceding(let distance):
            end = frame.mode == .rows ? .rows : .range
            endDistance = distance
        }
        self.startDistance = FrameDistance(startDistance, timeIsDate: timeIsDate, zone: zone)
        self.endDistance = FrameDistance(endDistance, timeIsDate: timeIsDate, zone: zone)
        startRows = WindowCode.rows(startDistance)
        endRows = WindowCode.rows(endDistance)
        self.startCursor = startCursor ?? -1
        self.endCursor = endCursor ?? -1
        excludesRow = frame.exclusion == .currentRow
        excludesPeers = frame.exclusion == .group
        stopsAtFloor = start == .unbounded || start == .rows
    }

    private static func rows(_ distance: Frame.Distance) -> Int {
        guard case .integer(let rows) = distance else { return 0 }
        return Int(min(rows, 1 << 40))
    }
}
