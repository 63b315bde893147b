import Values

/// Peer groups: rows of a key that are equal in all ORDER BY columns. A column of the log counts how many groups had begun
/// before each row, the record how many there were in all; both start afresh where the key's rows do (its floor), so the
/// first row behind the floor begins a group whatever stands before it.
///
/// A late row goes behind its peers: it begins a group or joins the one before it, and never changes what another row does.
extension PartitionKernel {
    /// After the row at `position`, the newest of what was counted, has its time and its tie-breakers.
    func storeGroup(_ record: KeyRecord, _ log: KeyLog, position: Int) {
        let begins = position == log.head || position == record.floor || !arePeers(log, position &- 1, position)
        advance(record, log, total: code.groupTotal, column: code.groups, by: begins ? 1 : 0, position)
    }

    private func arePeers(_ log: KeyLog, _ left: Int, _ right: Int) -> Bool {
        log.time(left) == log.time(right) && (code.tieCount == 0 || areTiesEqual(log, left, right))
    }

    /// Numbers of groups count from 1 at the oldest row of the log. Without a row: that of rows at `time`, there or not.
    func group(_ record: KeyRecord, _ log: KeyLog, position: Int, time: Int64, hasRow: Bool) -> Int {
        let counts = groupCounts(record, log)
        return hasRow
            ? counts.steps(before: position &+ 1) : counts.steps(before: log.firstPosition(atLeast: time, from: position)) &+ 1
    }

    /// The first row of a group, or the end of the log where it has no such group.
    func firstRow(_ record: KeyRecord, _ log: KeyLog, ofGroup group: Int, near hint: Int) -> Int {
        let counts = groupCounts(record, log)
        if group < 1 { return log.head }
        return group > counts.steps(before: log.tail) ? log.tail : counts.row(ofStep: group, near: hint)
    }

    @inline(__always)
    private func groupCounts(_ record: KeyRecord, _ log: KeyLog) -> RunningCount {
        RunningCount(log, column: code.groups, total: record.field(code.groupTotal, as: Int64.self).pointee)
    }

    /// How many rows behind the floor come before the row's peers, and 1.
    func rank(_ log: KeyLog, position: Int, floor: Int) -> Int64 {
        let floor = min(floor, position)
        let peer = firstPeer(log, position: position, time: log.time(position), hasRow: true)
        return Int64(max(peer, floor) &- floor &+ 1)
    }

    /// How many groups there are from the floor to the row.
    func denseRank(_ record: KeyRecord, _ log: KeyLog, position: Int, floor: Int) -> Int64 {
        let floor = min(floor, position)
        let counts = groupCounts(record, log)
        let groups = counts.steps(before: position &+ 1)
        if floor == 0 || floor < log.head { return counts.before(log.head) &+ Int64(groups) }
        return Int64(max(1, groups &- counts.steps(before: floor)))
    }

    /// Where `bound` is the least admissible time: the first row that a frame may still reach which starts `groups` peer
    /// groups before a row at that time.
    func firstGroupKept(_ record: KeyRecord, _ log: KeyLog, groups: Int64, bound: Int64) -> Int {
        let end = log.firstPosition(atLeast: bound, from: log.head)
        let group = groupCounts(record, log).steps(before: end) &- Int(min(groups, 1 << 40)) &+ 1
        return firstRow(record, log, ofGroup: group, near: log.head)
    }
}
