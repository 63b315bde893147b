import Linux
import Storage
import Testing

@Suite struct DiskFaultTests {
    /// Appends batches until `count` are in, and makes room whenever the disk is full.
    @Test(arguments: 0..<4) func `a full disk is told before anything has changed, and heals`(segmentsThatFit: Int) throws {
        let disk = FakeDisk()
        disk.with { $0.freeBytes = (64 << 10) * (segmentsThatFit + 1) }
        let writer = try makeWriter(disk)
        let schema = try plainSchema("t")
        var expected: [UInt64: Entry] = [:]
        var refusals = 0
        while expected.count < 500 {
            let entry = Entry.batch(BatchEntry(table: "t", message: message(expected.count, byteCount: 900)))
            do {
                expected[try writer.append(entry, schema: schema)] = entry
            } catch LogError.disk(let error) {
                #expect(error.isOutOfSpace && writer.isUsable)
                #expect(throws: LogError.self) { try writer.prepareNext() }
                refusals += 1
                disk.with { $0.freeBytes += 64 << 10 }
            }
        }
        #expect(refusals > 3)
        try writer.close()
        #expect(try readLog(disk).entries == expected)
        #expect(!disk.paths.contains { $0.hasSuffix(".partial") })
    }

    @Test func `what is reservable is sure to fit`() throws {
        let disk = FakeDisk()
        let writer = try makeWriter(disk)
        let schema = try plainSchema("t")
        var expected: [UInt64: Entry] = [:]
        for round in 0..<6 {
            disk.with { $0.freeBytes = 1 << 20 }
            try writer.prepareNext()
            disk.with { $0.freeBytes = 0 }
            var left = writer.reservableBytes
            #expect(left > 50 << 10)
            while true {
                let entry = Entry.batch(BatchEntry(table: "t", message: message(round, byteCount: 700)))
                // Header, prefix and message.
                left -= 40 + 64 + 704
                if left < schema.byteCount + 200 { break }
                expected[try writer.append(entry, schema: schema)] = entry
            }
        }
        disk.with { $0.freeBytes = 1 << 20 }
        try writer.close()
        #expect(try readLog(disk).entries == expected)
    }

    @Test(arguments: 0..<6) func `a sync that failed is never repeated, and nothing is written any more`(after count: Int) throws
    {
        let disk = FakeDisk()
        let schema = try plainSchema("t")
        let writer = try makeWriter(disk)
        let first = Entry.batch(BatchEntry(table: "t", message: message(0)))
        disk.fail("sync", after: count)
        var synced: UInt64 = 0
        let error = #expect(throws: LogError.self) {
            for _ in 0...count {
                try writer.append(first, schema: schema)
                try writer.sync()
                synced = writer.syncedSequence
            }
        }
        guard case .disk(let cause) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(cause.call == "sync" && !writer.isUsable && writer.syncedSequence == synced)
        disk.heal()
        let calls = disk.with { $0.calls.count }
        #expect(throws: LogError.stopped(after: cause)) { try writer.append(first, schema: schema) }
        #expect(throws: LogError.stopped(after: cause)) { try writer.sync() }
        #expect(throws: LogError.stopped(after: cause)) { try writer.flush() }
        #expect(throws: LogError.stopped(after: cause)) { try writer.prepareNext() }
        #expect(throws: LogError.stopped(after: cause)) { try writer.noteSynced() }
        #expect(writer.orderSync() == nil && writer.orderNextSegment() == nil && writer.reservableBytes == 0)
        #expect(disk.with { $0.calls.count } == calls, "the disk is not touched again")
    }

    @Test(arguments: ["write", "truncate", "rename", "sync directory", "open"])
    func `any other failure stops the log too, and what was synced is found again`(call: String) throws {
        for count in 0..<12 {
            let disk = FakeDisk()
            let writer = try makeWriter(disk)
            let schema = try plainSchema("t")
            disk.fail(call, after: count)
            var synced: [UInt64: Entry] = [:]
            _ = try? {
                for index in 0..<40 {
                    let entry = Entry.batch(BatchEntry(table: "t", message: message(index, byteCount: 9_000)))
                    let sequence = try writer.append(entry, schema: schema)
                    try writer.sync()
                    synced[sequence] = entry
                }
            }()
            disk.heal()
            let recovery = try LogRecovery.recover(disk: disk, directory: directory)
            let found = try readLog(disk).entries
            for (sequence, entry) in synced { #expect(found[sequence] == entry, "\(call) \(count)") }
            #expect(recovery.lastSequence >= synced.keys.max() ?? 0)
        }
    }

    @Test func `records in the steady state allocate nothing`() throws {
        let disk = DiscardingDisk()
        let writer = try makeWriter(disk, segmentBytes: 64 << 20)
        let schema = try plainSchema("t")
        let body = message(1, byteCount: 256)
        try body.withUnsafeBytes { bytes in
            func append(_ count: Int) throws {
                for index in 0..<count {
                    let batch = LogBatch(
                        mode: .compute, rowCount: 1, receivedMicroseconds: 5, newestEventMicroseconds: Int64(index),
                        message: bytes)
                    try writer.append(batch, schema: schema)
                }
                try writer.flush()
            }
            try append(5_000)
            let count = try allocations { try append(20_000) }
            #expect(count == 0)
        }
    }
}
