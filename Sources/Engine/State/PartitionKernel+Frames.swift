import Plan
import Values

extension PartitionKernel {
    /// Works out the frames of all windows for the row at `position` (or, without a row, for the moment `time`). Cursors
    /// of RANGE bounds only say where to look first.
    @inline(__always)
    func resolveFrames(_ record: KeyRecord, _ log: KeyLog, position: Int, time: Int64, hasRow: Bool, floor: Int) {
        for number in 0..<code.windowCount {
            let window = code.windows[number]
            // A late row from before the rows that were forgotten sees none of those behind it.
            let floor = min(floor, position)
            var isWhole = false
            var start: Int
            switch window.start {
            case .range:
                start = search(record, log, cursor: window.startCursor, bound: window.startDistance.start(before: time))
            case .unbounded:
                isWhole = floor == 0 || floor < log.head
                start = max(log.head, floor)
            case .rows:
                start = max(position &- window.startRows, log.head, floor)
            case .peers:
                start = firstPeer(log, position: position, time: time, hasRow: hasRow)
            }
            var end: Int
            switch window.end {
            case .row:
                end = hasRow ? position &+ 1 : position
            case .range:
                let bound = window.endDistance.end(before: time)
                end = bound == .max ? log.tail : search(record, log, cursor: window.endCursor, bound: bound &+ 1)
                end = min(end, hasRow ? position &+ 1 : position)
            case .rows:
                end = min(position &- window.endRows &+ 1, hasRow ? position &+ 1 : position)
            }
            if hasRow {
                if window.excludesRow { end = min(end, position) }
                if window.excludesPeers { end = min(end, firstPeer(log, position: position, time: time, hasRow: true)) }
            }
            if isWhole {
                end = max(end, log.head)
                frames[number] = FramePositions(start: start, end: end, isWhole: true, rows: end &- floor)
            } else {
                end = max(end, start)
                frames[number] = FramePositions(start: start, end: end, isWhole: false, rows: end &- start)
            }
        }
    }

    @inline(__always)
    private func search(_ record: KeyRecord, _ log: KeyLog, cursor: Int, bound: Int64) -> Int {
        let field = record.field(cursor, as: UInt32.self)
        let hint = log.head &+ Int(Int32(bitPattern: field.pointee &- UInt32(truncatingIfNeeded: log.head)))
        let position = log.firstPosition(atLeast: bound, from: hint)
        field.pointee = UInt32(truncatingIfNeeded: position)
        return position
    }

    /// The first row that is equal to the one at `position` in all ORDER BY columns.
    private func firstPeer(_ log: KeyLog, position: Int, time: Int64, hasRow: Bool) -> Int {
        var first = log.firstPosition(atLeast: time, from: position)
        if code.tieCount == 0 || !hasRow { return first }
        while first < position && !areTiesEqual(log, first, position) { first += 1 }
        return first
    }

    private func areTiesEqual(_ log: KeyLog, _ left: Int, _ right: Int) -> Bool {
        for number in 0..<code.tieCount {
            let tie = code.ties[number]
            let nulls = log.column(tie.nulls, as: UInt8.self)
            if nulls[left & log.mask] != nulls[right & log.mask] { return false }
            if nulls[left & log.mask] != 0 { continue }
            let width = tie.form.storedBytes
            let values = log.base + tie.values * log.capacity
            let isEqual: Bool
            switch tie.form {
            case .double:
                let doubles = log.column(tie.values, as: Double.self)
                isEqual = KeyHash.canonicalBits(doubles[left & log.mask]) == KeyHash.canonicalBits(doubles[right & log.mask])
            case .interval:
                let spans = log.column(tie.values, as: Interval.self)
                isEqual = spans[left & log.mask].normalizedMicroseconds == spans[right & log.mask].normalizedMicroseconds
            case .boolean, .integer, .decimal, .text:
                isEqual = UnsafeRawBufferPointer(start: values + (left & log.mask) * width, count: width)
                    .elementsEqual(UnsafeRawBufferPointer(start: values + (right & log.mask) * width, count: width))
            }
            if !isEqual { return false }
        }
        return true
    }
}
