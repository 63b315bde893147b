/// What may go wrong, counted over all runs.
public enum Fault: String, Hashable, Sendable, CaseIterable {
    case connectionReset = "connections reset"
    case connectionSilenced = "connections silenced"
    case connectionRefused = "connections refused"
    case bytesLost = "bytes lost with their connection"
    case partialTransfer = "partial reads and writes"
    case delay = "deliveries delayed"
    case resend = "batches sent again"
    case clockForward = "clock jumps forward"
    case clockBack = "clock jumps back"
    case longPause = "pauses of seconds to minutes"
    case crash = "crashes"
    case crashAtWrite = "crashes at a write"
    case crashAtSync = "crashes at a sync"
    case crashAtName = "crashes at a rename, creation or removal"
    case crashInRecovery = "crashes while recovering"
    case writeLost = "unsynced writes lost"
    case writeTorn = "unsynced writes torn"
    case nameLost = "unsynced names lost"
    case diskFull = "disks full"
    case syncFailed = "syncs failed"
    case writeFailed = "writes failed"
    case slowSync = "slow syncs"
    case snapshotDamaged = "snapshots damaged"
    case restart = "orderly restarts"
    case definitionsChanged = "definitions changed"
    case producerGone = "producers gone for good"
}

/// What happened in a run, or in many.
public struct SimulationCounts: Sendable {
    public var runs = 0
    public var steps = 0
    public var batches = 0
    public var rows = 0
    public var answers = 0
    public var cells = 0
    public var pushes = 0
    public var gaps = 0
    public var inDoubt = 0
    public var snapshots = 0
    public var segmentsRemoved = 0
    public var faults: [Fault: Int] = [:]

    public init() {}

    public mutating func add(_ other: SimulationCounts) {
        runs += other.runs
        steps += other.steps
        batches += other.batches
        rows += other.rows
        answers += other.answers
        cells += other.cells
        pushes += other.pushes
        gaps += other.gaps
        inDoubt += other.inDoubt
        snapshots += other.snapshots
        segmentsRemoved += other.segmentsRemoved
        faults.merge(other.faults, uniquingKeysWith: +)
    }
}

extension SimulationCounts {
    /// Everything, for people.
    public var summary: String {
        var lines = [
            "\(steps) steps, \(batches) batches, \(rows) rows, \(answers) answers, \(cells) cells compared, \(pushes) pushes, \(gaps) gaps",
            "\(snapshots) snapshots, \(segmentsRemoved) segments of logs removed or compressed",
        ]
        for fault in Fault.allCases { lines.append("  \(fault.rawValue): \(faults[fault] ?? 0)") }
        return lines.joined(separator: "\n")
    }
}
