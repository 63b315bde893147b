import Language
import Plan
import Values

struct WindowCode {
    enum Start: UInt8 { case unbounded, range, peers, rows, groups }
    enum End: UInt8 { case row, range, rows, groups }

    let start: Start
    let end: End
    let startDistance: FrameDistance
    let endDistance: FrameDistance
    /// Of ROWS and GROUPS: how many rows or peer groups back.
    let startCount: Int
    let endCount: Int
    let startCursor: Int
    let endCursor: Int
    let excludesRow: Bool
    let excludesPeers: Bool
    /// EXCLUDE TIES: the row itself stays where its peers go.
    let keepsRow: Bool
    /// GROUPS.
    let countsGroups: Bool
    /// Some call looks at the frame.
    let isUsed: Bool
    /// From a fixed distance before the row to the row itself, nothing excluded: what most frames are.
    let isPlainRange: Bool
    /// A later row's frame starts no earlier than an earlier one's, and ends with its row.
    let movesForward: Bool

    init(
        _ frame: Frame, timeIsDate: Bool, zone: UnsafePointer<ZoneRules>?, startCursor: Int?, endCursor: Int?,
        isUsed: Bool
    ) {
        self.isUsed = isUsed
        countsGroups = frame.mode == .groups
        var startDistance = Frame.Distance.integer(0)
        var endDistance = Frame.Distance.integer(0)
        switch frame.start {
        case .unboundedPreceding: start = .unbounded
        case .currentRow: start = frame.mode == .rows ? .rows : .peers
        case .preceding(let distance):
            start = WindowCode.start(frame.mode, distance)
            startDistance = distance
        }
        switch frame.end {
        case .unboundedPreceding: preconditionFailure("no frame ends UNBOUNDED PRECEDING")
        case .currentRow: end = .row
        case .preceding(let distance):
            end = WindowCode.end(frame.mode, distance)
            endDistance = distance
        }
        self.startDistance = FrameDistance(startDistance, timeIsDate: timeIsDate, zone: zone)
        self.endDistance = FrameDistance(endDistance, timeIsDate: timeIsDate, zone: zone)
        startCount = WindowCode.count(startDistance)
        endCount = WindowCode.count(endDistance)
        self.startCursor = startCursor ?? -1
        self.endCursor = endCursor ?? -1
        excludesRow = frame.exclusion == .currentRow
        excludesPeers = frame.exclusion == .group || frame.exclusion == .ties
        keepsRow = frame.exclusion == .ties
        isPlainRange =
            start == .range && end == .row && frame.exclusion == .noOthers && self.startDistance.isFixed
            && self.startDistance.fixedStart(before: 0) <= 0
        movesForward = isPlainRange || start == .rows && end == .row && frame.exclusion == .noOthers
    }

    /// The row's own group is where its peers are.
    private static func start(_ mode: Frame.Mode, _ distance: Frame.Distance) -> Start {
        switch mode {
        case .range: .range
        case .rows: .rows
        case .groups: distance == .integer(0) ? .peers : .groups
        }
    }

    private static func end(_ mode: Frame.Mode, _ distance: Frame.Distance) -> End {
        switch mode {
        case .range: .range
        case .rows: .rows
        case .groups: distance == .integer(0) ? .row : .groups
        }
    }

    private static func count(_ distance: Frame.Distance) -> Int {
        guard case .integer(let count) = distance else { return 0 }
        return Int(min(count, 1 << 40))
    }
}
