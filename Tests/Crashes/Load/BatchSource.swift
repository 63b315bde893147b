import Millrace
import PlainEvaluator
import SeededRuns
import Synchronization
import Values

/// Rows that are sent as one batch, and what has to become of them.
struct SentBatch: Sendable {
    typealias Table = CrashDefinitions.Table

    let id: Int64
    let table: Table
    let rows: [[Value]]
    let isComputed: Bool
    /// By row: what the server has to say of it.
    let statuses: [RowStatus]

    var okLines: [Int64] { statuses.indices.filter { statuses[$0] == .ok }.map(Int64.init) }
    var lateCount: Int { statuses.count { $0 == .late } }
    var refusedCount: Int { statuses.count { $0 == .refused } }
}

/// Makes up batches of one producer. Which rows will be late or refused is certain when they are made: late ones are far behind anything that
/// can be on its way, the others are well within what their table allows.
struct BatchSource {
    private var random: SeededRandom
    private let producer: Int64
    private let clock: EventClock
    private var count: Int64 = 0

    private static let lateBySeconds: Int64 = 1_000_000
    private static let allowedSeconds: Int64 = 1_800
    private static let farAheadSeconds: Int64 = 70 * 366 * 86_400
    private static let cards = 60
    /// One for all, so that the rows that are kept to be verified share it.
    private static let note = Value.text([UInt8](repeating: 0x6E, count: 900_000))
    private static let shops = ["north", "south", "east", "west", "", "Zürich", "a shop whose name is not a short one"]

    init(seed: Int, producer: Int, clock: EventClock) {
        random = SeededRandom(seed: seed &* 64 &+ producer)
        self.producer = Int64(producer)
        self.clock = clock
    }

    mutating func pause(_ milliseconds: ClosedRange<Int>) -> Duration { .milliseconds(random.integer(milliseconds)) }
    mutating func chance(_ percent: Int) -> Bool { random.chance(percent) }
    mutating func integer(_ range: ClosedRange<Int>) -> Int { random.integer(range) }
    mutating func card() -> Int64 { Int64(random.integer(0...Self.cards)) }

    mutating func batch(_ table: SentBatch.Table) -> SentBatch {
        count += 1
        let id = producer * 1_000_000 + count
        let now = clock.next(table, by: random.integer(1...6))
        let mayBeLate = clock.hasBegun(table)
        let hasNotes = random.chance(3)
        let rowCount = random.chance(5) && !hasNotes ? random.integer(64...256) : random.integer(1...8)
        var (rows, statuses): ([[Value]], [RowStatus]) = ([], [])
        for line in 0..<rowCount {
            var (seconds, status) = (now + Int64(random.integer(0...3)), RowStatus.ok)
            switch random.integer(0..<100) {
            case 0..<15: seconds = now - Int64(random.integer(0...Int(Self.allowedSeconds)))
            case 15..<19 where mayBeLate: (seconds, status) = (now - Self.lateBySeconds, .late)
            case 19..<20 where mayBeLate && table == .payments: (seconds, status) = (now + Self.farAheadSeconds, .refused)
            default: break
            }
            rows.append(row(table, id, Int64(line), seconds, hasNotes))
            statuses.append(status)
        }
        return SentBatch(
            id: id, table: table, rows: rows, isComputed: random.chance(70), statuses: statuses)
    }

    /// Rows to be evaluated: of no batch.
    mutating func question(_ table: SentBatch.Table) -> [[Value]] {
        let now = clock.now(table)
        return (0..<random.integer(1...3)).map { row(table, 0, Int64($0), now + Int64($0), false) }
    }

    private mutating func row(_ table: SentBatch.Table, _ batch: Int64, _ line: Int64, _ seconds: Int64, _ hasNotes: Bool)
        -> [Value]
    {
        let front: [Value] = [.integer(table == .payments ? seconds * 1_000_000 : seconds), .integer(batch), .integer(line)]
        switch table {
        case .payments:
            let amount: Value = random.chance(5) ? .null : .double(Double(random.integer(-4_000...40_000)) / 16)
            return front + [
                .integer(card()), shop(), amount, .boolean(random.chance(80)), hasNotes ? Self.note : .null,
            ]
        case .visits:
            let price: Value = random.chance(5) ? .null : .decimal(Int128(random.integer(0...99_999)))
            return front + [.integer(card()), shop(), price]
        case .shops: return front + [.text(Array(random.pick(Self.shops).utf8)), .double(Double(random.integer(1...99)) / 8)]
        case .loose: return front + [.integer(card()), shop()]
        }
    }

    private mutating func shop() -> Value { random.chance(8) ? .null : .text(Array(random.pick(Self.shops).utf8)) }
}

/// The event times of all producers, in seconds, by table. They are past: no row is refused by the server's clock that is not meant to be.
final class EventClock: Sendable {
    private let seconds: Mutex<[Int64]>
    private let begun = Mutex<Set<SentBatch.Table>>([])

    /// 2024-01-01.
    init() { seconds = Mutex(SentBatch.Table.allCases.map { _ in 1_704_067_200 }) }

    /// A batch of the table has been acknowledged, so that there is something that others can be late behind.
    func hasBegun(_ table: SentBatch.Table) -> Bool { begun.withLock { $0.contains(table) } }
    func begin(_ table: SentBatch.Table) { begun.withLock { _ = $0.insert(table) } }

    func next(_ table: SentBatch.Table, by step: Int) -> Int64 {
        seconds.withLock { seconds in
            seconds[table.rawValue] += Int64(step)
            return seconds[table.rawValue]
        }
    }

    func now(_ table: SentBatch.Table) -> Int64 { seconds.withLock { $0[table.rawValue] } }
}

extension SeededRandom {
    fileprivate mutating func integer(_ range: Range<Int>) -> Int { integer(range.lowerBound...range.upperBound - 1) }
}

extension [[Value]] {
    /// The rows as a client's batch.
    func columns(_ fields: [Field]) -> ColumnBatch {
        ColumnBatch(
            fields.enumerated().map { index, field in
                var column = Column(field.name, type: field.type, reservingRows: count)
                for row in self {
                    switch row[index] {
                    case .boolean(let value): column.append(value)
                    case .integer(let value): column.append(value)
                    case .double(let value): column.append(value)
                    case .decimal(let value): column.append(value)
                    case .text(let value): column.append(utf8: value)
                    case .null: column.appendNull()
                    case .interval, .list: preconditionFailure("no table has such a column")
                    }
                }
                return column
            })
    }
}
