import Linux
import Logging
import Plan
import Testing
import Values
import Wire

@testable import Engine
@testable import Runtime
@testable import Storage

/// The mark of a snapshot among batches, on cores that are turned by hand: what is imaged is the state behind the batches that
/// have lower sequence numbers, whatever happens meanwhile.
@Suite struct SnapshotMarkTests {
    /// With a window over another window's results, so that a batch has two stages, and one over a joined table.
    private static let sql = """
        CREATE TABLE shops (shop bigint PRIMARY KEY, factor bigint);
        CREATE TABLE events (ts bigint NOT NULL, key bigint NOT NULL, shop bigint NOT NULL, amount double precision)
            WITH (lateness = 10);
        CREATE VIEW per_key AS
            SELECT e.ts, e.key, s.factor, count(*) OVER w AS events, sum(e.amount) OVER w AS amount
            FROM events e LEFT JOIN shops s ON s.shop = e.shop
            WINDOW w AS (PARTITION BY e.key ORDER BY e.ts RANGE BETWEEN 100 PRECEDING AND CURRENT ROW);
        CREATE VIEW alike AS
            SELECT ts, count(*) OVER (PARTITION BY events ORDER BY ts RANGE BETWEEN 50 PRECEDING AND CURRENT ROW) AS alike,
                   sum(amount) OVER (PARTITION BY events ORDER BY ts RANGE BETWEEN 50 PRECEDING AND CURRENT ROW) AS amount
            FROM per_key;
        """
    private static let shops = [
        Field(name: "shop", type: .bigint, isNullable: false), Field(name: "factor", type: .bigint),
    ]

    private static func catalog() throws -> Catalog { Catalog(try CompiledPlan(Fixture.plan(of: sql)), version: 1) }

    private static func snapshots() throws -> SnapshotExchange {
        var limits = SnapshotLimits()
        // A few keys a turn: batches come in between.
        limits.sliceVisitsMax = 16
        limits.queueBytesMax = 64 << 10
        let storage = StorageConfiguration(
            directory: Running.temporaryPath(), disk: NoDisk(), snapshots: limits)
        return try SnapshotExchange(storage, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private static func client(_ turning: Turning) throws -> Turning.Client {
        let client = try turning.client()
        for (channel, open, columns) in [
            (1, Open(table: "events", views: ["per_key", "alike"]), Fixture.eventColumns), (2, Open(table: "shops"), shops),
        ] as [(UInt32, Open, [Field])] {
            try client.send(.open, channel: channel, body: ControlMessage.open(open).encode())
            _ = try client.expect(.opened)
            for _ in 0..<(channel == 1 ? 3 : 1) { _ = try client.expect(.schema) }
            try client.send(.schema, channel: channel, body: ArrowSchema(fields: columns).encode())
        }
        turning.turn(3)
        return client
    }

    private static func shopRows(_ number: Int) -> [UInt8] {
        let shops = (0..<5).map { Int64(($0 + number) % 13) }
        return Events.encode(self.shops, [.integers(shops), .integers(shops.map { $0 * Int64(number) })])
    }

    /// Answers of batches that come behind all others.
    private static func answers(_ turning: Turning, _ client: Turning.Client) throws -> [[UInt8]] {
        var answers: [[UInt8]] = []
        for number in 60..<64 {
            try client.send(.compute, channel: 1, body: Events.batch(number: number, rows: 200))
            for _ in 0..<2 { answers.append(try client.expect(.result).body) }
        }
        return answers
    }

    /// Every batch as its sequence number says.
    private static func send(_ number: Int, _ client: Turning.Client) throws {
        if number % 7 == 3 {
            try client.sendWithoutReading(.ingest, channel: 2, body: shopRows(number))
        } else {
            try client.sendWithoutReading(.ingest, channel: 1, body: Events.batch(number: number / 2, rows: 150))
        }
    }

    private static func loaded(_ pieces: [ImagePiece], cores: Int, sequence: UInt64) throws -> LoadedSnapshot {
        let catalog = try catalog()
        let shards = (0..<cores).map { index in
            ShardBox(Shard(plan: catalog.compiled, index: index, count: cores, memoryBytesMax: 32 << 20))
        }
        for shard in shards {
            for piece in pieces { try shard.load(Array(piece.bytes)) }
            try shard.finishLoading()
        }
        return LoadedSnapshot(
            header: SnapshotHeader(
                sequence: sequence, epoch: 1, wallMicroseconds: 0, definitionsVersion: 1, definitionSetCount: 1, coreCount: 1,
                release: "", timeZoneVersion: ""),
            footer: SnapshotFooter(blockCount: 0, keyCount: 0, rawBytes: 0, fileBytes: 0, chain: 0), catalog: catalog,
            history: [],
            coverage: CoverageRecord(), shards: shards, producers: [])
    }

    @Test(arguments: [1, 2, 3], [1, 4])
    func `what is imaged is the state at the mark's place`(cores: Int, loadingCores: Int) throws {
        let snapshots = try Self.snapshots()
        let turning = try Turning(cores: cores, catalog: try Self.catalog(), snapshots: snapshots)
        let client = try Self.client(turning)
        let run = SnapshotRun(number: 1, cores: cores, queueBytesMax: snapshots.limits.queueBytesMax)
        var pieces: [ImagePiece] = []
        var random = SystemRandomNumberGenerator()
        for number in 0..<50 {
            try Self.send(number, client)
            if number == 20 {
                snapshots.begin(run)
                turning.exchange.send(.snapshotAsked(run), to: 0)
            }
            // Cores get ahead of one another: a batch may be in its second stage on one and not begun on another.
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                turning.cores[Int.random(in: 0..<cores, using: &random)].step()
            }
            // The thread that writes falls behind, too.
            if number % 5 == 0 { pieces += run.takePieces() }
        }
        for _ in 0..<2_000 where !run.isTaken {
            turning.turn()
            pieces += run.takePieces()
        }
        #expect(run.isTaken && run.isOver && run.reason == nil)
        pieces += run.takePieces()
        let place = try #require(run.place)
        #expect(place.sequence > 0 && place.sequence < 50)
        turning.turn(20)
        #expect(turning.cores.allSatisfy { $0.computedSequence == 50 && $0.imaging == nil })

        let expected = try Turning(catalog: try Self.catalog())
        let its = try Self.client(expected)
        for number in 0..<Int(place.sequence) {
            try Self.send(number, its)
            expected.turn(3)
            _ = its.takeAll()
        }
        expected.turn(10)
        _ = its.takeAll()
        let found = try Turning(
            cores: loadingCores, catalog: try Self.catalog(),
            initial: try Self.loaded(pieces, cores: loadingCores, sequence: place.sequence))
        #expect(try Self.answers(found, try Self.client(found)) == Self.answers(expected, its))
    }

    @Test func `a run that is abandoned is let go of by all cores, and the next one goes through`() throws {
        let snapshots = try Self.snapshots()
        let turning = try Turning(cores: 2, catalog: try Self.catalog(), snapshots: snapshots)
        let client = try Self.client(turning)
        for number in 0..<20 { try Self.send(number, client) }
        turning.turn(10)
        for number: UInt32 in 1...3 {
            let run = SnapshotRun(number: number, cores: 2, queueBytesMax: 1 << 20)
            snapshots.begin(run)
            turning.exchange.send(.snapshotAsked(run), to: 0)
            turning.turn(Int(number))
            if number < 3 {
                run.abandon("for the test")
                for _ in 0..<100 where !run.isOver { turning.turn() }
                #expect(run.isOver && !run.isTaken)
            } else {
                for _ in 0..<1_000 where !run.isTaken { turning.turn() }
                #expect(run.isTaken && run.isOver && run.reason == nil)
            }
            turning.turn()
            #expect(turning.cores.allSatisfy { $0.imaging == nil })
            snapshots.end()
        }
    }

    @Test func `a queue that nobody empties pauses the sweep, not the batches`() throws {
        let snapshots = try Self.snapshots()
        let turning = try Turning(cores: 1, catalog: try Self.catalog(), snapshots: snapshots)
        let client = try Self.client(turning)
        for number in 0..<20 { try Self.send(number, client) }
        turning.turn(30)
        let run = SnapshotRun(number: 1, cores: 1, queueBytesMax: 0)
        snapshots.begin(run)
        turning.exchange.send(.snapshotAsked(run), to: 0)
        turning.turn(50)
        #expect(!run.isTaken && run.isOver && run.takePieces().isEmpty)
        for number in 20..<30 { try Self.send(number, client) }
        turning.turn(30)
        #expect(turning.cores[0].computedSequence == 30)
        run.abandon("the end of the test")
        turning.turn()
        #expect(turning.cores[0].imaging == nil && !turning.cores[0].shard.isImaging)
    }

    @Test func `a change of definitions gives it up`() throws {
        let snapshots = try Self.snapshots()
        let turning = try Turning(cores: 2, snapshots: snapshots)
        let client = try turning.client()
        try client.openEvents()
        for number in 0..<20 { try client.send(.ingest, channel: 1, body: Events.batch(number: number, rows: 200)) }
        turning.turn(20)
        let run = SnapshotRun(number: 1, cores: 2, queueBytesMax: 0)
        snapshots.begin(run)
        turning.exchange.send(.snapshotAsked(run), to: 0)
        turning.turn(3)
        #expect(turning.cores.allSatisfy { $0.imaging != nil })
        let next = Transition(
            from: Fixture.plan, to: Fixture.plan(of: Fixture.sql.replacing("100 PRECEDING", with: "90 PRECEDING")))
        let change = DefinitionsChange(
            to: Catalog(try CompiledPlan(next.plan), version: 2), by: next, cores: 2)
        turning.exchange.sendToAll(.definitionsAnnounced(change))
        turning.turn(20)
        #expect(turning.cores.allSatisfy { $0.catalog.version == 2 && $0.imaging == nil })
        #expect(run.reason != nil)
    }
}

/// A directory without files.
private struct NoDisk: Disk {
    func makeDirectory(_ path: String) throws(DiskError) {}
    func fileNames(in directory: String) throws(DiskError) -> [String] { [] }
    func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile {
        throw DiskError("open", path, code: DiskError.notFound)
    }
    func rename(_ path: String, to: String) throws(DiskError) {}
    func remove(_ path: String) throws(DiskError) {}
    func syncDirectory(_ path: String) throws(DiskError) {}
    func freeBytes(at path: String) throws(DiskError) -> Int { 0 }
    func lock(_ path: String) throws(DiskError) -> any DiskLock { throw DiskError("lock", path, code: DiskError.notFound) }
    func isLocked(_ path: String) throws(DiskError) -> Bool { false }
}
