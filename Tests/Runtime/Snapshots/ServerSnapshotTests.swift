import Linux
import Storage
import Testing
import Values
import Wire

@testable import Runtime

/// Servers over one data directory that take snapshots, and begin from them.
@Suite(.serialized) struct ServerSnapshotTests {
    private static func limits(everySeconds seconds: Double = 3_600) -> SnapshotLimits {
        var limits = SnapshotLimits()
        limits.intervalNanoseconds = UInt64(seconds * 1e9)
        return limits
    }

    private static func run<R>(
        _ folder: DataFolder, cores: Int, sql: String = Fixture.sql, everySeconds seconds: Double = 3_600,
        memoryBytesMax: Int = 256 << 20, _ body: (Running.RunningServer) throws -> R
    ) throws -> R {
        try Running.withServer(
            cores: cores, plan: Fixture.plan(of: sql), sources: DataFolder.sources(sql), memoryBytesMax: memoryBytesMax,
            storage: folder.storage(snapshots: limits(everySeconds: seconds)), body)
    }

    private static func answers(_ server: Running.RunningServer, _ numbers: Range<Int>) throws -> [[UInt8]] {
        let client = try TestClient.welcomed(server.address)
        _ = try client.open(Open(table: "events"), channel: 1, columns: Fixture.eventColumns)
        return try numbers.flatMap { number in
            try client.send(.compute, channel: 1, body: Events.batch(number: number, rows: 50))
            return [try client.expect(.result).body, try client.expect(.result).body]
        }
    }

    private static func snapshots(_ folder: DataFolder) throws -> [String] {
        try SystemDisk().fileNames(in: folder.path + "/snapshots")
    }

    @Test func `a server that was stopped leaves nothing to replay, to any number of cores`() throws {
        let folder = DataFolder()
        let whole = try Running.withServer(cores: 1) { try Self.answers($0, 0..<100) }
        var found: [[UInt8]] = []
        var sequence: UInt64 = 0
        for (part, cores) in [2, 1, 4, 3, 2].enumerated() {
            try Self.run(folder, cores: cores) { running in
                let exchange = running.server.exchange
                #expect(exchange.journal?.figures.replayedRows == 0)
                #expect(exchange.snapshots?.figures.last?.sequence == (part == 0 ? nil : sequence))
                found += try Self.answers(running, part * 20..<part * 20 + 20)
            }
            // Each start is an entry, too.
            sequence += 21
        }
        #expect(found == whole)
        #expect(try Self.snapshots(folder).count == 2)
    }

    @Test func `snapshots come while batches go on, and what they hold is where the log goes on`() throws {
        let folder = DataFolder()
        let whole = try Running.withServer(cores: 1) { try Self.answers($0, 0..<400) }
        let found = try Self.run(folder, cores: 2, everySeconds: 0.02) { running in
            let answers = try Self.answers(running, 0..<400)
            try Running.eventually { (running.server.exchange.snapshots?.figures.published ?? 0) >= 2 }
            #expect(running.server.exchange.snapshots?.figures.failed == 0)
            return answers
        }
        #expect(found == whole)
        let behind = try Self.run(folder, cores: 4) { try Self.answers($0, 400..<410) }
        let expected = try Running.withServer(cores: 1) { running in
            _ = try Self.answers(running, 0..<400)
            return try Self.answers(running, 400..<410)
        }
        #expect(behind == expected)
    }

    @Test func `nothing new, no snapshot`() throws {
        let folder = DataFolder()
        try Self.run(folder, cores: 1) { _ = try Self.answers($0, 0..<3) }
        let first = try Self.snapshots(folder)
        try Self.run(folder, cores: 1, everySeconds: 0.01) { running in
            // The start itself is an entry.
            try Running.eventually { running.server.exchange.snapshots?.figures.published == 1 }
            try Running.eventually { running.server.exchange.snapshots?.isUnderWay == false }
            let names = try Self.snapshots(folder)
            let end = SystemClock.monotonicNanoseconds() + 300_000_000
            try Running.eventually { SystemClock.monotonicNanoseconds() > end }
            #expect(try Self.snapshots(folder) == names)
        }
        #expect(try Self.snapshots(folder).count == 2 && first.count == 1)
    }

    @Test func `definitions that were changed are those of the snapshot, with what is said of their columns`() throws {
        let folder = DataFolder()
        let wider = Fixture.sql.replacing("100 PRECEDING", with: "500 PRECEDING")
        func coverage(_ running: Running.RunningServer) -> [String] {
            running.server.exchange.reloads.figures.coverage.columns.map { "\($0.label) \($0.completeAfter ?? -1)" }
        }
        let (told, before) = try Self.run(folder, cores: 2) { running in
            _ = try Self.answers(running, 0..<5)
            #expect(try TestClient.welcomed(running.address).apply(wider).isApplied)
            return (coverage(running), try Self.answers(running, 5..<8))
        }
        #expect(!told.isEmpty && !before.isEmpty)
        try Self.run(folder, cores: 3, sql: wider) { running in
            #expect(running.server.exchange.journal?.figures.replayedRows == 0)
            #expect(running.server.exchange.reloads.newest.version == 2)
            #expect(coverage(running) == told)
            let found = try Self.answers(running, 8..<12)
            let expected = try Running.withServer(cores: 1) { other in
                _ = try Self.answers(other, 0..<5)
                _ = try TestClient.welcomed(other.address).apply(wider)
                _ = try Self.answers(other, 5..<8)
                return try Self.answers(other, 8..<12)
            }
            #expect(found == expected)
        }
    }

    @Test func `a producer's batches are known, and answered again from the snapshot`() throws {
        let folder = DataFolder()
        func send(_ server: Running.RunningServer, _ numbers: ClosedRange<UInt64>, sent: UInt64) throws -> [[UInt8]] {
            let client = try TestClient.producer(77, sent: sent, at: server.address)
            _ = try client.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns)
            return try numbers.map { number in
                try client.send(
                    .compute, channel: 1, body: Events.batch(number: Int(number), rows: 20), number: number)
                return try client.expect(.result).body
            }
        }
        let first = try Self.run(folder, cores: 2) { try send($0, 1...5, sent: 0) }
        try Self.run(folder, cores: 1) { running in
            #expect(running.server.exchange.journal?.figures.replayedRows == 0)
            let sequence = running.server.exchange.journal?.writtenSequence
            let again = try send(running, 3...5, sent: 5)
            #expect(again == Array(first[2...]))
            #expect(running.server.exchange.journal?.writtenSequence == sequence, "nothing was applied twice")
        }
    }

    @Test func `log that no start needs is compressed, and removed where it takes too much`() throws {
        let folder = DataFolder()
        func feed(_ running: Running.RunningServer, _ numbers: Range<Int>) throws {
            let client = try TestClient.welcomed(running.address)
            _ = try client.open(Open(table: "events"), channel: 1, columns: Fixture.eventColumns)
            for number in numbers {
                try client.send(.ingest, channel: 1, body: Events.batch(number: number, rows: 2_000))
                _ = try client.expect(.accepted)
            }
        }
        func names() throws -> [String] { try folder.segments.map { String($0.split(separator: "/").last ?? "") } }
        func run(logBytesMax: Int, _ numbers: Range<Int>, until isDone: @escaping () throws -> Bool) throws {
            let storage = folder.storage(logBytesMax: logBytesMax, snapshots: Self.limits(everySeconds: 0.05))
            try Running.withServer(cores: 2, sources: DataFolder.sources, storage: storage) { running in
                try feed(running, numbers)
                try Running.eventually {
                    // So that there is always something to take a snapshot of.
                    try feed(running, numbers.upperBound - 1..<numbers.upperBound)
                    return try isDone()
                }
            }
        }
        try run(logBytesMax: 1 << 30, 0..<60) { try names().contains("0000000001.log.zst") }
        #expect(try names().first == "0000000001.log.zst")
        try run(logBytesMax: 1 << 20, 60..<80) { try names().first?.hasPrefix("0000000001") == false }
        try Self.run(folder, cores: 1) { running in
            #expect(running.server.exchange.journal?.figures.replayedRows == 0)
            let answers = try Self.answers(running, 100..<101)
            #expect(answers.count == 2)
        }
    }

    @Test func `a state that does not fit is refused, and no older snapshot tried`() throws {
        let folder = DataFolder()
        for part in 0..<2 {
            try Self.run(folder, cores: 1) { running in
                let client = try TestClient.welcomed(running.address)
                _ = try client.open(Open(table: "events"), channel: 1, columns: Fixture.eventColumns)
                for number in 0..<40 {
                    let keys = (0..<2_000).map { Int64(number * 2_000 + $0 + part) }
                    let ones = keys.map { _ in Int64(1) }
                    try client.send(
                        .ingest, channel: 1, body: Events.encode(ts: ones, key: keys, shop: keys, amount: keys.map { Double($0) })
                    )
                    _ = try client.expect(.accepted)
                }
            }
        }
        let error = #expect(throws: StartError.self) { try Self.run(folder, cores: 1, memoryBytesMax: 4 << 20) { _ in } }
        #expect(error?.description.contains("--memory") == true, "\(String(describing: error))")
    }
}
