import Millrace
import PlainEvaluator
import Values

/// Rows that a client sends as one batch.
struct SimulatedBatch {
    let id: Int
    let table: SimulatedTable
    let rows: [[Value]]
    let isComputed: Bool
    /// Rows that the server's clock must refuse; they touch nothing.
    let refused: Set<Int>

    static let rowsMax = 100
    func rowID(_ row: Int) -> Int64 { Int64(id * Self.rowsMax + row) }
}

/// A question that changes nothing.
enum SimulatedQuestion {
    /// What `compute` would have answered.
    case evaluate(SimulatedTable, rows: [[Value]])
    /// A view's columns for keys of its partition, as of a time.
    case get(view: String, keyColumn: String, keys: [Value], at: Int64)
}

/// Makes up what clients send.
final class Workload {
    private let dice: Dice
    private var nextBatch = 1
    private(set) var batches: [Int: SimulatedBatch] = [:]
    private var paymentTime: Int64 = 1_000
    private var visitTime = SimulatedClock.startMicroseconds - 3_600_000_000
    private let cards: Int
    /// Longest note of a payment, in bytes.
    private let notes: Int
    static let farAhead: Int64 = 40 * 365 * 86_400_000_000

    init(dice: Dice) {
        self.dice = dice
        cards = 1 + dice.index(6)
        notes = dice.permille(400) ? 8_000 : 0
    }

    func batch(_ table: SimulatedTable? = nil) -> SimulatedBatch {
        let table = table ?? dice.pick([.payments, .payments, .payments, .visits, .visits, .shops])
        let id = nextBatch
        nextBatch += 1
        let count = 1 + dice.small(7)
        var refused: Set<Int> = []
        var rows: [[Value]] = []
        for row in 0..<count {
            var cells = newRow(table, id: Int64(id * SimulatedBatch.rowsMax + row))
            if table == .visits && dice.permille(40), case .integer(let time) = cells[0] {
                cells[0] = .integer(time + Self.farAhead)
                refused.insert(row)
            }
            rows.append(cells)
        }
        let batch = SimulatedBatch(
            id: id, table: table, rows: rows, isComputed: table != .shops && dice.permille(600), refused: refused)
        batches[id] = batch
        return batch
    }

    func question() -> SimulatedQuestion {
        switch dice.index(4) {
        case 0, 1:
            let table: SimulatedTable = dice.pick([.payments, .visits])
            return .evaluate(table, rows: (0...dice.small(3)).map { newRow(table, id: Int64(-1 - $0)) })
        case 2:
            let keys = (0...dice.small(3)).map { _ in Value.integer(Int64(dice.index(cards + 1))) }
            return .get(view: "card_risk", keyColumn: "card", keys: keys, at: paymentTime + Int64(dice.number(-60...60)))
        default:
            let keys = (0...dice.small(3)).map { _ in Value.integer(Int64(dice.index(4))) }
            return .get(
                view: "page_views", keyColumn: "page", keys: keys, at: visitTime + Int64(dice.number(-80...80)) * 1_000_000)
        }
    }

    /// Questions that everything that was sent has its part in.
    var everything: [SimulatedQuestion] {
        [
            .get(
                view: "card_risk", keyColumn: "card", keys: (0...cards).map { .integer(Int64($0)) }, at: paymentTime),
            .get(view: "page_views", keyColumn: "page", keys: (0..<5).map { .integer($0) }, at: visitTime),
            .evaluate(.payments, rows: (0..<12).map { lastRow(.payments, $0) }),
            .evaluate(.visits, rows: (0..<4).map { lastRow(.visits, $0) }),
        ]
    }

    /// A row now, of one key or the other.
    private func lastRow(_ table: SimulatedTable, _ number: Int) -> [Value] {
        var row = newRow(table, id: Int64(-1 - number))
        row[0] = .integer(table == .payments ? paymentTime : visitTime)
        if table == .payments {
            row[2] = .integer(Int64(number % cards))
            row[3] = .text(Array(ShopDictionary.shops[number % ShopDictionary.shops.count].utf8))
        } else {
            row[2] = .integer(Int64(number))
        }
        return row
    }

    private func newRow(_ table: SimulatedTable, id: Int64) -> [Value] {
        switch table {
        case .payments:
            paymentTime += Int64(dice.small(12))
            let late = dice.permille(150) ? Int64(dice.number(0...90)) : 0
            // No view reads it: it fills segments of the log.
            let note: Value = notes == 0 ? .null : .text(Array(repeating: 0x6E, count: dice.small(notes)))
            let shop: Value = dice.permille(50) ? .null : .text(Array(dice.pick(ShopDictionary.shops).utf8))
            return [
                .integer(paymentTime - late), .integer(id), .integer(Int64(dice.index(cards))), shop,
                .integer(Int64(dice.number(-500...500))), note,
            ]
        case .visits:
            visitTime += Int64(dice.small(15)) * 1_000_000
            let late = dice.permille(150) ? Int64(dice.number(0...100)) * 1_000_000 : 0
            let seconds: Value = dice.permille(100) ? .null : .double(Double(dice.number(0...4_000)) / 8)
            return [.integer(visitTime - late), .integer(id), .integer(Int64(dice.index(4))), seconds]
        case .shops:
            return [.text(Array(dice.pick(ShopDictionary.shops).utf8)), .integer(id), .integer(Int64(dice.number(0...99)))]
        }
    }
}

extension [[Value]] {
    /// The rows as a client's batch.
    func columns(_ fields: [Field]) -> ColumnBatch {
        ColumnBatch(
            fields.enumerated().map { index, field in
                switch field.type {
                case .text: Column(field.name, map { row -> String? in row[index].text(orNull: ()) })
                case .double: Column(field.name, map { row -> Double? in row[index].double })
                case .timestamptz: Column(field.name, map { row -> Timestamp? in row[index].integer.map(Timestamp.init) })
                default: Column(field.name, map { row -> Int64? in row[index].integer })
                }
            })
    }
}

extension Value {
    var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    var double: Double? { if case .double(let value) = self { value } else { nil } }
    func text(orNull: Void) -> String? { if case .text(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil } }
}
