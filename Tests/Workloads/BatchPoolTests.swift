import Language
import Testing
import Values

@testable import Workloads

@Suite struct BatchPoolTests {
    private static let columns = [
        Field(name: "label", type: .text), Field(name: "ts", type: .timestamp, isNullable: false),
        Field(name: "id", type: .bigint, isNullable: false), Field(name: "day", type: .date, isNullable: false),
    ]

    private func pool(_ disturbance: BatchPool.Disturbance = BatchPool.Disturbance(), rows: Int = 40) throws -> BatchPool {
        try BatchPool(
            table: Pools.table(Self.columns),
            rules: ["zipf(1000) as label-#", "time", "sequence(100, 10)", "time"].map { try ColumnRule(parsing: $0) },
            rows: .drawn(rows), rowsPerBatch: 16, seed: 3, disturbance: disturbance)
    }

    @Test func `every time a batch is sent it has the times and numbers of then`() throws {
        let pool = try pool()
        #expect(pool.batchCount == 3)
        #expect((0..<3).map(pool.rows) == [16, 16, 8])
        let first = try Pools.read(pool, batch: 1, at: EventSpan(start: 1_000, end: 1_160, firstEvent: 0))
        #expect(first[1] == (1...16).map { .integer(1_000 + $0 * 10) })
        #expect(first[2] == (0..<16).map { .integer(100 + $0 * 10) })
        let again = try Pools.read(pool, batch: 1, at: EventSpan(start: 172_800_000_000, end: 172_800_000_016, firstEvent: 50))
        #expect(again[0] == first[0])
        #expect(again[1] == (1...16).map { .integer(172_800_000_000 + $0) })
        #expect(again[2] == (50..<66).map { .integer(100 + $0 * 10) })
        #expect(again[3] == (0..<16).map { _ in .integer(2) })
        // What stands before and behind it is as it was.
        #expect(try Pools.read(pool, batch: 2, at: EventSpan(start: 0, end: 8, firstEvent: 0))[1] == (1...8).map { .integer($0) })
    }

    @Test func `late rows are as many and as late as was asked for`() throws {
        var disturbance = BatchPool.Disturbance()
        disturbance.lateShare = 0.25
        disturbance.lateByMicroseconds = 500
        let pool = try pool(disturbance, rows: 16_000)
        var late = 0
        for batch in 0..<pool.batchCount {
            for time in try Pools.read(pool, batch: batch, at: EventSpan(start: 10_000, end: 10_000, firstEvent: 0))[1] {
                #expect((9_500...10_000).contains(time.number))
                late += time.number < 10_000 ? 1 : 0
            }
        }
        #expect((late - 4_000).magnitude < 300, "\(late)")
    }

    @Test func `duplicates are the row before them to the last column`() throws {
        var disturbance = BatchPool.Disturbance()
        disturbance.duplicateShare = 0.3
        disturbance.lateShare = 0.5
        disturbance.lateByMicroseconds = 1_000
        let pool = try pool(disturbance, rows: 16_000)
        var duplicates = 0
        for batch in 0..<pool.batchCount {
            let columns = try Pools.read(pool, batch: batch, at: EventSpan(start: 0, end: 160_000, firstEvent: 0))
            for row in 1..<16 where columns[2][row] == columns[2][row - 1] {
                duplicates += 1
                #expect(columns.allSatisfy { $0[row] == $0[row - 1] })
            }
        }
        #expect((duplicates - 4_500).magnitude < 300, "\(duplicates)")
    }

    @Test func `every key of a reference table comes once`() throws {
        let columns = [Field(name: "id", type: .integer, isNullable: false), Field(name: "name", type: .text)]
        let pool = try BatchPool(
            table: Pools.table(columns, primaryKey: [0]),
            rules: ["uniform(11, 50)", "zipf(5)"].map { try ColumnRule(parsing: $0) },
            rows: .everyKey(40), rowsPerBatch: 16, seed: 1)
        let keys = try (0..<3).flatMap { try Pools.read(pool, batch: $0, at: EventSpan(start: 0, end: 0, firstEvent: 0))[0] }
        #expect(keys == (11...50).map { .integer($0) })
    }

    @Test func `a pool stops at its bytes, with one batch at least`() throws {
        let pool = try BatchPool(
            table: Pools.table(Self.columns),
            rules: [ColumnRule](repeating: ColumnRule(.time), count: 4).enumerated().map {
                $0.offset == 0 ? ColumnRule(.zipf(keys: 3, exponent: 1)) : $0.element
            }, rows: .drawn(1_000_000), rowsPerBatch: 100, seed: 1, bytesMax: 10_000)
        #expect(pool.batchCount >= 1 && pool.byteCount < 20_000)
    }

    @Test func `event time goes with the rate, or with the machine's clock and never back`() {
        var rate = EventClock(start: 1_000_000, eventsPerSecond: 100)
        #expect(rate.next(rows: 50, nowMicroseconds: 9) == EventSpan(start: 1_000_000, end: 1_500_000, firstEvent: 0))
        #expect(rate.next(rows: 100, nowMicroseconds: 9) == EventSpan(start: 1_500_000, end: 2_500_000, firstEvent: 50))
        var wall = EventClock(wallFrom: 500)
        #expect(wall.next(rows: 1, nowMicroseconds: 700) == EventSpan(start: 500, end: 700, firstEvent: 0))
        #expect(wall.next(rows: 1, nowMicroseconds: 600) == EventSpan(start: 700, end: 700, firstEvent: 1))
    }
}
