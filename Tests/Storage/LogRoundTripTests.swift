import Linux
import Storage
import Testing
import Values
import Wire

@Suite struct LogRoundTripTests {
    private let everyKind: [Entry] = [
        .start(LogStart(epoch: 1, coreCount: 2, startedMicroseconds: 7, release: "1.0", timeZoneVersion: "2026a")),
        .definitions(LogDefinitions(version: 3, sources: [Apply.Source(name: "ä.sql", text: "CREATE …")])),
        .batch(BatchEntry(table: "t", message: message(1))),
        .admission(LogAdmission(shard: 1, shardCount: 2, acceptsNewKeys: false)),
        .batch(
            BatchEntry(
                table: "t", mode: .ingest, rowCount: 9, received: -5, newestEvent: 12, producer: 77, batchNumber: 4,
                receivedUpTo: 3, clock: [1, 2, 8], memory: [.init(partition: 1, row: 5), .init(partition: 2, row: 6)],
                message: message(2, byteCount: 1_000))),
        .batch(BatchEntry(table: "t", clock: [3], message: message(3, byteCount: 13))),
    ]

    @Test func `what is written is read, each record under its number`() throws {
        let disk = FakeDisk()
        let writer = try makeWriter(disk)
        let schema = try plainSchema("t")
        for entry in everyKind { try writer.append(entry, schema: schema) }
        try writer.close()
        let found = try readLog(disk).entries
        #expect(found == Dictionary(uniqueKeysWithValues: everyKind.enumerated().map { (UInt64($0 + 1), $1) }))
    }

    @Test func `a log of many segments is one log, from any number on`() throws {
        let disk = FakeDisk()
        let writer = try makeWriter(disk)
        let schemas = try ["t", "u"].map { try plainSchema($0, views: ["\($0)_view"]) }
        var expected: [UInt64: Entry] = [:]
        for index in 0..<400 {
            let schema = schemas[index % 2]
            let entry = BatchEntry(
                table: schema.table, newestEvent: Int64(index), message: message(index, byteCount: 8 * (index % 200)),
                views: schema.views)
            expected[try writer.append(.batch(entry), schema: schema)] = .batch(entry)
        }
        #expect(writer.segment > 4)
        try writer.close()
        #expect(try readLog(disk).entries == expected)
        for first in stride(from: UInt64(1), through: 401, by: 7) {
            #expect(try readLog(disk, from: first).entries == expected.filter { $0.key >= first })
        }
    }

    @Test func `definitions in force are said again at the beginning of a segment, as context`() throws {
        let disk = FakeDisk()
        let definitions = LogDefinitions(version: 1, sources: [Apply.Source(name: "a", text: "b")])
        let writer = try makeWriter(disk)
        try writer.append(definitions)
        let schema = try plainSchema("t")
        while writer.segment < 3 {
            try writer.append(.batch(BatchEntry(table: "t", message: message(1, byteCount: 999))), schema: schema)
        }
        let last = writer.appendedSequence
        try writer.close()
        let reader = try LogReader(disk: disk, directory: directory, from: last)
        let first = try #require(try reader.next())
        guard case .definitions(definitions) = first.content else {
            Issue.record("expected definitions, found \(first.content)")
            return
        }
        #expect(first.isContext && first.segment == 3)
    }

    @Test func `senders with equal schemas share one statement`() throws {
        let disk = FakeDisk()
        let writer = try makeWriter(disk)
        for index in 0..<10 {
            let schema = try plainSchema("t", columns: index < 5 ? ["a"] : ["b"])
            try writer.append(.batch(BatchEntry(table: "t", message: message(index))), schema: schema)
        }
        try writer.close()
        let reader = try LogReader(disk: disk, directory: directory)
        var stated: [UInt32] = []
        while let record = try reader.next() {
            if case .schema(let schema) = record.content { stated.append(schema.number) }
        }
        #expect(stated == [1, 2])
    }

    @Test func `a segment that begins anew states the dictionaries that count`() throws {
        let disk = FakeDisk()
        let writer = try makeWriter(disk)
        var schema = try DictionaryMessages.schema.withUnsafeBytes { try LogSchema(table: "t", message: $0) }
        let (first, delta) = (DictionaryMessages.first, DictionaryMessages.delta)
        let replacement = DictionaryMessages.replacement
        var expected: [UInt64: Entry] = [:]
        for (added, counting) in [(first, [first]), (delta, [first, delta]), (replacement, [replacement])] {
            schema = try added.withUnsafeBytes { try schema.adding(dictionary: $0) }
            // Enough for each state to be stated again by a segment.
            for index in 0..<100 {
                var entry = BatchEntry(table: "t", message: message(index, byteCount: 1_600))
                let sequence = try writer.append(.batch(entry), schema: schema)
                entry.dictionaries = counting
                expected[sequence] = .batch(entry)
            }
        }
        #expect(writer.segment > 6)
        try writer.close()
        #expect(try readLog(disk).entries == expected)
        #expect(try readLog(disk, from: 290).entries == expected.filter { $0.key >= 290 })
    }

    @Test func `senders with dictionaries never share one`() throws {
        let disk = FakeDisk()
        let writer = try makeWriter(disk)
        let schemas = try (0..<2).map { _ in
            try DictionaryMessages.schema.withUnsafeBytes { try LogSchema(table: "t", message: $0) }
        }
        let known = try DictionaryMessages.first.withUnsafeBytes { try schemas[0].adding(dictionary: $0) }
        let other = try DictionaryMessages.replacement.withUnsafeBytes { try schemas[1].adding(dictionary: $0) }
        for schema in [known, other, known] {
            try writer.append(.batch(BatchEntry(table: "t", message: message(1))), schema: schema)
        }
        try writer.close()
        let found = try readLog(disk).entries.sorted { $0.key < $1.key }.map { _, entry in
            if case .batch(let batch) = entry { batch.dictionaries } else { [[UInt8]]() }
        }
        #expect(found == [[DictionaryMessages.first], [DictionaryMessages.replacement], [DictionaryMessages.first]])
    }

    // MARK: While it is written

    @Test func `a reader goes on with what was written since it came to the end of what it had read`() throws {
        let disk = FakeDisk()
        let writer = try makeWriter(disk)
        let schema = try plainSchema("t")
        func append(_ count: Int) throws {
            for index in 0..<count {
                try writer.append(.batch(BatchEntry(table: "t", message: message(index, byteCount: 100))), schema: schema)
                try writer.sync()
            }
        }
        try append(5)
        let reader = try LogReader(disk: disk, directory: directory)
        var found: [UInt64] = []
        while let record = try reader.next() {
            if record.isContext { continue }
            found.append(record.sequence)
            // Behind the first one, so that the reader has a piece with zeros where records are by now; the segment ends meanwhile.
            if found.count == 1 { try append(400) }
        }
        #expect(found.count > 100 && found == Array(1...UInt64(found.count)) && reader.tornTail == nil)
    }

    @Test func `segments that are compressed or removed while they are listed and read are no damage`() throws {
        let disk = FakeDisk()
        let writer = try makeWriter(disk)
        let schema = try plainSchema("t")
        for index in 0..<400 {
            try writer.append(.batch(BatchEntry(table: "t", message: message(index, byteCount: 600))), schema: schema)
        }
        try writer.sync()
        let upkeep = LogUpkeep(disk: disk, directory: directory)
        let reader = try LogReader(disk: disk, directory: directory)
        var count: UInt64 = 0
        while let record = try reader.next() {
            if record.isContext { continue }
            count += 1
            if count == 1 { for segment in try upkeep.segments() where segment.isFinished { try upkeep.compress(segment) } }
        }
        #expect(count == 400)
    }
}
