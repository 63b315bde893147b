import Engine
import PlainEvaluator
import SeededRuns
import Values

extension CaseGenerator {
    mutating func events() {
        let count =
            switch size {
            case .small: random.integer(5...(random.chance(20) ? 60 : 25))
            case .middle: random.integer(100...400)
            case .large: random.integer(2000...5000)
            }
        var values = EventValues(random: &random, isHot: size != .small)
        let used = Set(made.usedColumns)
        var left = count
        var newest: Int64?
        while left > 0 {
            if let join = made.joins.randomElement(using: &random), random.chance(40) { joinedRows(join) }
            var mode: BatchMode = random.pick([.compute, .compute, .compute, .compute, .compute, .ingest, .evaluate, .lookUp])
            if size == .large { mode = random.pick([.compute, .compute, .ingest]) }
            let rows = min(left, size == .large ? random.integer(1...2000) : random.integer(1...(random.chance(50) ? 4 : count)))
            if mode == .lookUp {
                if let newest { lookUp(newest: newest, &values, used) }
                continue
            }
            left -= rows
            let before = times.now
            var batch = SoakCase.EventBatch(mode: mode, table: eventTable(), rows: [])
            for _ in 0..<rows {
                let time = times.next(&random)
                batch.rows.append(row(random.chance(1) ? .null : .integer(time), &values, used))
                if mode != .evaluate, batch.rows.last![Column.time] != .null { newest = max(newest ?? time, time) }
            }
            if mode == .evaluate && random.chance(50) { times.now = before }
            made.batches.append(batch)
        }
    }

    private mutating func lookUp(newest: Int64, _ values: inout EventValues, _ used: Set<Int>) {
        var batch = SoakCase.EventBatch(mode: .lookUp, table: eventTable(), rows: [])
        batch.given = used.subtracting([Column.time])
        if random.chance(30) { batch.given = batch.given.filter { _ in random.chance(60) } }
        for _ in 0..<random.integer(1...3) {
            let time = random.chance(30) ? newest : newest + Int64.random(in: -times.lateness...8 * times.step, using: &random)
            var cells = row(.integer(time), &values, used)
            for column in cells.indices where column != Column.time && !batch.given.contains(column) { cells[column] = .null }
            batch.rows.append(cells)
        }
        made.batches.append(batch)
    }

    private mutating func eventTable() -> String { made.isUnion && random.chance(50) ? "t2" : "t" }

    /// A few rows of a reference or history table.
    private mutating func joinedRows(_ join: SoakCase.JoinSpec) {
        var batch = SoakCase.EventBatch(
            mode: random.chance(10) ? .evaluate : .ingest, table: join.isAsOf ? "hist" : "ref", rows: [])
        for _ in 0..<random.integer(1...4) {
            var row: [Value] = [.integer(Int64(random.integer(0...4)))]
            if join.isAsOf {
                let time = times.now + Int64.random(in: -8 * times.step...4 * times.step, using: &random)
                row.insert(random.chance(3) ? .null : .integer(random.chance(30) ? times.now : time), at: 0)
                if random.chance(3) { row[1] = .null }
            }
            row.append(random.chance(15) ? .null : .double(Double(random.integer(-4...4))))
            row.append(random.chance(15) ? .null : .text(Array(random.pick(["a", "b", "naïve"]).utf8)))
            batch.rows.append(row)
        }
        made.batches.append(batch)
    }

    private mutating func row(_ time: Value, _ values: inout EventValues, _ used: Set<Int>) -> [Value] {
        var cells = values.row(&random, used: used)
        cells[Column.time] = time
        return cells
    }
}

/// Values of a case's columns.
struct EventValues {
    private let nullPercent: Int
    private let keyCount: Int
    private let hotPercent: Int
    private let isWild: Bool
    private let isSteady: Bool

    init(random: inout SeededRandom, isHot: Bool) {
        nullPercent = random.pick([0, 0, 10, 50])
        keyCount = isHot ? 2 : random.pick([1, 2, 5, 12])
        hotPercent = random.pick([0, 60])
        isWild = random.chance(50)
        // Values repeat, so that there is nothing to vary.
        isSteady = random.chance(15)
    }

    private static let texts = ["", "a", "b", "ab", "a longer text than eight bytes", "zebra", "naïve", "😀"].map {
        Value.text(Array($0.utf8))
    }
    private static let wild = [1e40, -1e40, 1e20, -1e20, .infinity, -.infinity, .nan, -0.0, 1e-9, 0.1, 3.3, 1e15, 1.5, 1.5, 2.5]
    private static let large: [Int64] = [.max, .min + 1, 1 << 53, 1 << 53 + 1, 0, 5, -7, 1 << 62]

    mutating func row(_ random: inout SeededRandom, used: Set<Int>) -> [Value] {
        var cells = Array(repeating: Value.null, count: 16)
        for column in used where column != Column.time {
            let isKey = column <= 2
            if random.chance(isKey ? min(nullPercent, 8) : nullPercent) { continue }
            cells[column] = value(column, &random)
        }
        return cells
    }

    private func value(_ column: Int, _ random: inout SeededRandom) -> Value {
        let small = isSteady ? 1 : Int64(random.integer(-20...20))
        let key = random.chance(hotPercent) ? 0 : Int64(random.integer(0..<keyCount))
        switch column {
        case 1: return .integer(key)
        case 2: return .text(Array("key \(key % 3)".utf8))
        case 3: return .integer(Int64(random.integer(0...2)))
        case 4: return .boolean(random.chance(50))
        case 5: return .double(isWild && random.chance(2) ? random.pick(Self.wild) : Double(small) * 0.25)
        case 6:
            if isSteady { return .double(random.chance(90) ? 0.1 : random.pick(Self.wild)) }
            return .double(isWild ? random.pick(Self.wild) : Double.random(in: -1000...1000, using: &random))
        case 7: return .double(Double(small) * 0.5)
        case 8: return .integer(random.chance(3) ? random.pick([Int64(Int32.max), Int64(Int32.min)]) : small)
        case 9: return .integer(random.chance(30) ? random.pick(Self.large) : small)
        case 10: return .decimal(random.chance(3) ? 999_999_999_999 : Int128(small) * 25)
        case 11: return .decimal(Int128(Int64.random(in: -10_000_000...10_000_000, using: &random)))
        case 12: return random.pick(Self.texts)
        case 13: return .integer(19_700 + Int64(random.integer(0...70)))
        default: return .integer(1_700_000_000_000_000 + Int64(random.integer(0...200)) * 3_600_000_000 + small)
        }
    }
}
