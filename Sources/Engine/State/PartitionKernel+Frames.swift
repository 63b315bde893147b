import Plan
import Values

extension PartitionKernel {
    /// Works out the frames of all windows for the first `count` pending rows (or, without rows, for moments). Cursors of
    /// RANGE bounds only say where to look first.
    @inline(__always)
    func resolveFrames(_ count: Int, hasRow: Bool) {
        for number in 0..<code.windowCount where code.windows[number].isUsed {
            let window = code.windows[number]
            let frames = pending.frames + number &* PendingRows.capacity
            if window.isPlainRange && hasRow {
                resolvePlainRange(window, frames, count)
            } else {
                for index in 0..<count { frames[index] = frame(window, index, hasRow: hasRow) }
            }
        }
    }

    /// Frames from a fixed distance before the row to the row itself.
    @inline(__always)
    private func resolvePlainRange(_ window: WindowCode, _ frames: UnsafeMutablePointer<FramePositions>, _ count: Int) {
        let distance = window.startDistance
        let cursor = window.startCursor
        for index in 0..<count {
            let (head, mask, times) = (pending[index].log.head, pending[index].log.mask, pending[index].log.times)
            let position = pending[index].position
            let bound = distance.fixedStart(before: pending[index].time)
            let field = pending[index].record.field(cursor, as: UInt32.self)
            let hint = head &+ Int(Int32(bitPattern: field.pointee &- UInt32(truncatingIfNeeded: head)))
            var start = max(head, min(hint, position))
            // How many rows leave is nothing that a processor foresees: four are looked at whatever they are. The row's own
            // time is not before its bound, so that what stands in the slots behind it does not count.
            let first = times[start & mask] < bound ? 1 : 0
            let second = first & (times[(start &+ 1) & mask] < bound ? 1 : 0)
            let third = second & (times[(start &+ 2) & mask] < bound ? 1 : 0)
            let fourth = third & (times[(start &+ 3) & mask] < bound ? 1 : 0)
            if fourth != 0 || start > head && times[(start &- 1) & mask] >= bound {
                start = firstPosition(index, atLeast: bound, from: start)
            } else {
                start = start &+ first &+ second &+ third
            }
            field.pointee = UInt32(truncatingIfNeeded: start)
            let end = position &+ 1
            frames[index] = FramePositions(start: start, end: end, isWhole: false, rows: end &- start)
        }
    }

    /// Apart, so that the loop above needs no copy of the log's view.
    @inline(never)
    private func firstPosition(_ index: Int, atLeast bound: Int64, from start: Int) -> Int {
        pending[index].log.firstPosition(atLeast: bound, from: start)
    }

    @inline(__always)
    private func frame(_ window: WindowCode, _ index: Int, hasRow: Bool) -> FramePositions {
        let (record, log) = (pending[index].record, pending[index].log)
        let (position, time) = (pending[index].position, pending[index].time)
        // A late row from before the rows that were forgotten sees none of those behind it.
        let floor = min(pending[index].floor, position)
        var isWhole = false
        var start: Int
        switch window.start {
        case .range:
            start = search(record, log, cursor: window.startCursor, bound: window.startDistance.start(before: time))
        case .unbounded:
            isWhole = floor == 0 || floor < log.head
            start = max(log.head, floor)
        case .rows:
            start = max(position &- window.startCount, log.head, floor)
        case .peers:
            start = firstPeer(log, position: position, time: time, hasRow: hasRow)
            // Peer groups are not bounded by time: those that idle_after forgot are gone.
            if window.countsGroups { start = max(start, floor) }
        case .groups:
            let group = group(record, log, position: position, time: time, hasRow: hasRow)
            start = max(firstRow(record, log, ofGroup: group &- window.startCount, near: position), floor)
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
            end = min(position &- window.endCount &+ 1, hasRow ? position &+ 1 : position)
        case .groups:
            let group = group(record, log, position: position, time: time, hasRow: hasRow)
            end = firstRow(record, log, ofGroup: group &- window.endCount &+ 1, near: position)
        }
        var apart = -1
        if hasRow {
            if window.excludesRow { end = min(end, position) }
            if window.excludesPeers {
                let peer = firstPeer(log, position: position, time: time, hasRow: true)
                if window.keepsRow && peer < position && start <= position && end > position { apart = position }
                if !window.keepsRow || peer < position { end = min(end, peer) }
            }
        }
        if isWhole {
            end = max(end, log.head)
            return FramePositions(start: start, end: end, isWhole: true, rows: end &- floor, apart: apart)
        }
        end = max(end, start)
        return FramePositions(start: start, end: end, isWhole: false, rows: end &- start, apart: apart)
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
    func firstPeer(_ log: KeyLog, position: Int, time: Int64, hasRow: Bool) -> Int {
        let first = log.firstPosition(atLeast: time, from: position)
        if code.tieCount == 0 || !hasRow { return first }
        // Peers stand side by side up to the row: doubling steps back to one that is none, then halving ones.
        var low = first &- 1
        var high = position
        var step = 1
        while high &- step > low {
            if areTiesEqual(log, high &- step, position) {
                high &-= step
                step = 2 &* step
            } else {
                low = high &- step
                break
            }
        }
        while high &- low > 1 {
            let middle = low &+ (high &- low) >> 1
            if areTiesEqual(log, middle, position) { high = middle } else { low = middle }
        }
        return high
    }

    func areTiesEqual(_ log: KeyLog, _ left: Int, _ right: Int) -> Bool {
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
            case .array: arraysAreResults()
            }
            if !isEqual { return false }
        }
        return true
    }
}
