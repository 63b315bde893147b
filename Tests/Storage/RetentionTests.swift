import Linux
import Testing

@testable import Storage

@Suite struct RetentionTests {
    /// Segments 1 to n of 100 records and 1,000 bytes each, an event a record, times rising.
    private func segments(_ count: UInt64, tables: [String] = ["t"]) -> [LogSegment] {
        (1...count).map { number in
            LogSegment(
                number: number, path: "log/\(number)", isCompressed: false, isFinished: true, formatVersion: 1, epoch: 1,
                firstSequence: number * 100 - 99, lastSequence: number * 100, recordCount: 100, byteCount: 1_000,
                newestEvents: Dictionary(uniqueKeysWithValues: tables.map { ($0, Int64(number) * 100) }))
        }
    }

    private func expendable(_ retention: LogRetention, _ segments: [LogSegment], newest: [String: Int64] = [:]) -> [UInt64] {
        retention.expendable(segments, newestEvents: newest).map(\.number)
    }

    @Test func `nothing that a snapshot needs goes, whatever the limit`() {
        let retention = LogRetention(neededFrom: 301, reachMicroseconds: [:], bytesMax: 0)
        #expect(expendable(retention, segments(10)) == [1, 2, 3])
        let inside = LogRetention(neededFrom: 300, reachMicroseconds: [:], bytesMax: 0)
        #expect(expendable(inside, segments(10)) == [1, 2])
        #expect(expendable(LogRetention(neededFrom: 1, reachMicroseconds: [:], bytesMax: 0), segments(10)).isEmpty)
    }

    @Test func `what windows still look at is kept`() {
        let retention = LogRetention(neededFrom: 1_001, reachMicroseconds: ["t": 500], bytesMax: .max)
        // The newest event is 1,000: events from 500 on are asked for.
        #expect(expendable(retention, segments(10)) == [1, 2, 3, 4])
        #expect(expendable(retention, segments(10), newest: ["t": 1_300]) == [1, 2, 3, 4, 5, 6, 7])
        let unbounded = LogRetention(neededFrom: 1_001, reachMicroseconds: ["t": .max], bytesMax: .max)
        #expect(expendable(unbounded, segments(10)).isEmpty)
    }

    @Test func `one table that looks far back keeps the segments that have rows of it`() {
        let retention = LogRetention(neededFrom: 1_001, reachMicroseconds: ["t": 100, "u": 900], bytesMax: .max)
        #expect(expendable(retention, segments(10)) == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(expendable(retention, segments(10, tables: ["t", "u"])).isEmpty)
        let gone = LogRetention(neededFrom: 1_001, reachMicroseconds: [:], bytesMax: .max)
        #expect(expendable(gone, segments(10)) == Array(1...10), "a table that no definition has any more needs nothing")
    }

    @Test func `past the limit the oldest go first, until what is left fits`() {
        let retention = LogRetention(neededFrom: 1_001, reachMicroseconds: ["t": .max], bytesMax: 3_500)
        #expect(expendable(retention, segments(10)) == [1, 2, 3, 4, 5, 6, 7])
    }

    @Test func `the segment in use stays`() {
        var all = segments(3)
        all[2].isFinished = false
        all[2].lastSequence = nil
        let retention = LogRetention(neededFrom: .max, reachMicroseconds: [:], bytesMax: 0)
        #expect(expendable(retention, all) == [1, 2])
    }

    // MARK: Files

    /// A log of several segments, closed.
    private func log(_ disk: FakeDisk, records: Int = 400) throws -> [UInt64: Entry] {
        let writer = try makeWriter(disk)
        let schema = try plainSchema("t")
        var entries: [UInt64: Entry] = [:]
        for index in 0..<records {
            let entry = Entry.batch(
                BatchEntry(table: "t", newestEvent: Int64(index), message: message(index / 40, byteCount: 8 * (index % 100))))
            entries[try writer.append(entry, schema: schema)] = entry
        }
        try writer.close()
        return entries
    }

    @Test func `compressed segments are read like others, and listed with what they hold`() throws {
        let disk = FakeDisk()
        let entries = try log(disk)
        let upkeep = LogUpkeep(disk: disk, directory: directory)
        let before = try upkeep.segments()
        #expect(before.count > 3)
        for segment in before.dropLast(1) {
            let compressed = try upkeep.compress(segment)
            #expect(compressed.isCompressed && compressed.byteCount < segment.byteCount)
            #expect(compressed.newestEvents == segment.newestEvents && compressed.lastSequence == segment.lastSequence)
        }
        #expect(try upkeep.segments().map(\.number) == before.map(\.number))
        for first in [1, 100, 399, 400] as [UInt64] {
            #expect(try readLog(disk, from: first).entries == entries.filter { $0.key >= first })
        }
        try LogCheck.check(disk: disk, directory: directory) { #expect($0.isGood) }
        let recovery = try LogRecovery.recover(disk: disk, directory: directory)
        #expect(recovery.lastSequence == 400 && recovery.segments.count == before.count)
    }

    @Test func `a large segment of large records is read back from compressed blocks`() throws {
        let disk = FakeDisk()
        let writer = try makeWriter(disk, segmentBytes: 8 << 20)
        let schema = try plainSchema("t")
        var entries: [UInt64: Entry] = [:]
        for (index, size) in [3 << 20, 17, 1 << 20, 600_000, 8, 2_000_000].enumerated() {
            let entry = Entry.batch(BatchEntry(table: "t", message: message(index, byteCount: size)))
            entries[try writer.append(entry, schema: schema)] = entry
        }
        try writer.close()
        let upkeep = LogUpkeep(disk: disk, directory: directory)
        #expect(try readLog(disk).entries == entries)
        try upkeep.compress(try upkeep.segments()[0])
        #expect(disk.paths == ["log/0000000001.log.zst"])
        #expect(try readLog(disk).entries == entries)
    }

    @Test func `a compression that was cut short leaves the original, and is cleared away`() throws {
        for call in ["write", "sync", "rename", "sync directory", "remove"] {
            for count in 0..<4 {
                let disk = FakeDisk()
                let entries = try log(disk)
                let upkeep = LogUpkeep(disk: disk, directory: directory)
                let segments = try upkeep.segments()
                disk.fail(call, after: count)
                for segment in segments.prefix(2) { _ = try? upkeep.compress(segment) }
                disk.heal()
                #expect(try readLog(disk).entries == entries, "\(call) \(count)")
                _ = try LogRecovery.recover(disk: disk, directory: directory)
                #expect(try readLog(disk).entries == entries, "\(call) \(count)")
                #expect(!disk.paths.contains { $0.hasSuffix(".partial") })
                #expect(disk.paths.count == segments.count, "one file a segment")
            }
        }
    }

    @Test func `a compression may be cancelled`() throws {
        let disk = FakeDisk()
        _ = try log(disk)
        let before = disk.paths
        let upkeep = LogUpkeep(disk: disk, directory: directory)
        #expect(try upkeep.compress(try upkeep.segments()[0]) { true }.isCompressed == false)
        #expect(disk.paths == before)
    }

    @Test func `removed segments are gone one after the other, and the log begins behind them`() throws {
        let disk = FakeDisk()
        let entries = try log(disk)
        let upkeep = LogUpkeep(disk: disk, directory: directory)
        let segments = try upkeep.segments()
        let retention = LogRetention(neededFrom: segments[2].firstSequence, reachMicroseconds: [:], bytesMax: .max)
        let expendable = retention.expendable(segments)
        #expect(expendable.count == 2)
        try upkeep.remove(expendable)
        let first = segments[2].firstSequence
        #expect(throws: LogError.notKept(sequence: first - 1, oldest: first)) { try readLog(disk, from: first - 1) }
        #expect(try readLog(disk, from: first).entries == entries.filter { $0.key >= first })
        let calls = disk.with { $0.calls.filter { $0.hasPrefix("remove") || $0.hasPrefix("sync directory") } }
        let removals = expendable.map { "remove \($0.path)" }
        #expect(calls.suffix(4) == [removals[0], "sync directory log", removals[1], "sync directory log"])
    }
}
