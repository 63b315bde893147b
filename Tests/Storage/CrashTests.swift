import Bounds
import Linux
import Storage
import Testing

/// What a crash or a bad disk leaves: unfinished writes are cut off and said, everything else is refused with its place.
@Suite struct CrashTests {
    static let path = "log/0000000001.log"

    /// A log of one segment in use: records that are synced, and say so, and behind them some that are not.
    struct Sample {
        let disk = FakeDisk()
        var entries: [UInt64: Entry] = [:]
        /// Where each record ends.
        var ends: [(sequence: UInt64, offset: Int)] = []
        /// Everything below it was synced before the last record was written.
        var syncedEnd = 0
        var syncedSequence: UInt64 = 0

        init(synced: Int = 20, unsynced: Int = 20) throws {
            let writer = try makeWriter(disk)
            let schema = try plainSchema("t")
            for index in 0..<(synced + unsynced) {
                let entry = Entry.batch(BatchEntry(table: "t", message: message(index, byteCount: 40 + 8 * (index % 30))))
                let sequence = try writer.append(entry, schema: schema)
                entries[sequence] = entry
                // A message ends in a byte that is not zero.
                ends.append((sequence, disk.bytes(CrashTests.path).lastIndex { $0 != 0 }! + 1))
                if index < synced {
                    try writer.sync()
                    (syncedSequence, syncedEnd) = (sequence, ends.last!.offset)
                }
            }
        }

        var end: Int { ends.last!.offset }
        var bytes: [UInt8] { disk.bytes(CrashTests.path) }
        /// The last record that is whole within so many bytes.
        func last(within length: Int) -> UInt64 { ends.last { $0.offset <= length }?.sequence ?? 0 }
    }

    /// Starts over these bytes, as a server does; what then is in the log, and can go on.
    private func recover(_ bytes: [UInt8]) throws -> (entries: [UInt64: Entry], recovery: LogRecovery) {
        let disk = FakeDisk()
        disk.write(bytes, to: Self.path)
        let recovery = try LogRecovery.recover(disk: disk, directory: directory)
        let (entries, tail) = try readLog(disk)
        #expect(tail == nil, "recovery has finished every segment")
        #expect(UInt64(entries.count) == recovery.lastSequence)
        return (entries, recovery)
    }

    private func damage(_ bytes: [UInt8]) -> LogDamage? {
        let disk = FakeDisk()
        disk.write(bytes, to: Self.path)
        do {
            _ = try LogRecovery.recover(disk: disk, directory: directory)
        } catch .damaged(let damage) {
            // Not one by one in `#expect`, which is called a hundred thousand times.
            if damage.segment != 1 || damage.path != Self.path { Issue.record("\(damage)") }
            if disk.bytes(Self.path) != bytes { Issue.record("what is refused is left as it is") }
            return damage
        } catch {
            Issue.record("expected damage, found \(error)")
        }
        return nil
    }

    @Test func `a file cut at any byte is refused`() throws {
        let bytes = try Sample().bytes
        #expect(bytes.count == 64 << 10)
        for length in 0..<bytes.count where damage(Array(bytes.prefix(length))) == nil {
            Issue.record("cut at \(length)")
        }
    }

    @Test(arguments: [0, 0xA5] as [UInt8])
    func `what was not synced may be lost from any byte on, and is cut off and counted`(filler: UInt8) throws {
        let sample = try Sample()
        for length in sample.syncedEnd...sample.end {
            var bytes = sample.bytes
            // Garbage is what a device leaves that wrote some sectors only.
            for place in length..<bytes.count { bytes[place] = filler }
            if bytes == sample.bytes { continue }
            let (entries, recovery) = try recover(bytes)
            #expect(recovery.lastSequence == sample.last(within: length))
            #expect(recovery.lastSequence >= sample.syncedSequence)
            #expect(entries == sample.entries.filter { $0.key <= recovery.lastSequence })
            guard let tail = recovery.tornTail else {
                #expect(sample.ends.contains { $0.offset == length } && filler == 0, "cut at \(length) without a word")
                continue
            }
            #expect(tail.lastSequence == recovery.lastSequence && tail.offset <= length && tail.recordsLostMax > 0)
        }
    }

    @Test func `pieces that were not synced may be missing in any order, and nothing that was is lost`() throws {
        let sample = try Sample()
        for seed in 0..<500 {
            var random = SplitMix(seed: UInt64(seed))
            var bytes = sample.bytes
            for start in stride(from: sample.syncedEnd, to: sample.end, by: 64) where Bool.random(using: &random) {
                for place in start..<min(start + 64, sample.end) { bytes[place] = 0 }
            }
            let (entries, recovery) = try recover(bytes)
            #expect(recovery.lastSequence >= sample.syncedSequence, "seed \(seed)")
            #expect(entries == sample.entries.filter { $0.key <= recovery.lastSequence }, "seed \(seed)")
            #expect(recovery.tornTail != nil || recovery.lastSequence == sample.entries.keys.max(), "seed \(seed)")
            let lost = Int(sample.entries.keys.max()! - recovery.lastSequence)
            if let tail = recovery.tornTail { #expect(tail.recordsLostMax >= min(lost, 1), "seed \(seed)") }
        }
    }

    @Test func `a byte that changed below what was synced is damage, above it a torn tail`() throws {
        let sample = try Sample()
        for place in 0..<(sample.end + 200) {
            var bytes = sample.bytes
            bytes[place] ^= 1 << UInt8(place % 8)
            if place < sample.syncedEnd {
                let damage = damage(bytes)
                #expect(damage != nil, "byte \(place)")
                #expect((damage?.offset ?? 0) <= place)
            } else {
                let (entries, recovery) = try recover(bytes)
                #expect(recovery.tornTail != nil, "byte \(place)")
                #expect(recovery.lastSequence >= sample.syncedSequence)
                #expect(entries == sample.entries.filter { $0.key <= recovery.lastSequence })
            }
        }
    }

    @Test func `every bit of the header counts`() throws {
        let sample = try Sample()
        for bit in 0..<(64 * 8) {
            var bytes = sample.bytes
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(damage(bytes)?.offset == 0, "bit \(bit)")
        }
    }

    @Test func `what is synced says so once nothing else is written`() throws {
        let disk = FakeDisk()
        let writer = try makeWriter(disk)
        try writer.append(.batch(BatchEntry(table: "t", message: message(1))), schema: plainSchema("t"))
        try writer.sync()
        let end = disk.bytes(Self.path).lastIndex { $0 != 0 }!
        try writer.noteSynced()
        let calls = disk.callCount("write")
        try writer.noteSynced()
        #expect(disk.callCount("write") == calls, "once is enough")
        var bytes = disk.bytes(Self.path)
        bytes[end] ^= 1
        #expect(damage(bytes) != nil)
    }

    @Test func `a torn tail is finished once, and the log goes on behind it`() throws {
        let sample = try Sample()
        let disk = sample.disk
        var bytes = sample.bytes
        bytes[sample.end - 1] ^= 1
        disk.write(bytes, to: Self.path)
        let first = try LogRecovery.recover(disk: disk, directory: directory)
        #expect(first.tornTail?.recordsLostMax == 1)
        #expect(first.lastSequence == 39)
        let again = try LogRecovery.recover(disk: disk, directory: directory)
        #expect(again.tornTail == nil && again.lastSequence == 39)
        let writer = try makeWriter(disk, after: again)
        let next = Entry.batch(BatchEntry(table: "t", message: message(1_000)))
        #expect(try writer.append(next, schema: plainSchema("t")) == 40)
        try writer.close()
        var expected = sample.entries.filter { $0.key < 40 }
        expected[40] = next
        #expect(try readLog(disk).entries == expected)
    }
}
