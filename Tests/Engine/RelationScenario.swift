import Language
import Plan
import Values

/// Random views over two event streams, a reference table and a history table: filters, joins, windows and projections over
/// one another, below and above a UNION ALL.
struct RelationScenario {
    static let streamColumns = [
        Field(name: "ts", type: .bigint, isNullable: false), Field(name: "card", type: .bigint), Field(name: "word", type: .text),
        Field(name: "amount", type: .bigint),
    ]
    static let tables = [
        Table(name: "views", columns: streamColumns, eventTime: 0, lateness: 6),
        Table(name: "buys", columns: streamColumns, eventTime: 0, lateness: 25),
        Table(
            name: "cards",
            columns: [
                Field(name: "card", type: .bigint, isNullable: false), Field(name: "name", type: .text),
                Field(name: "grade", type: .bigint),
            ], primaryKey: [0]),
        Table(
            name: "rates",
            columns: [
                Field(name: "card", type: .bigint), Field(name: "at", type: .bigint, isNullable: false),
                Field(name: "label", type: .text), Field(name: "rate", type: .bigint),
            ]),
    ]

    private struct Shape {
        var relation: Relation
        var types: [ValueType]
        var streams: [Int]
    }

    var random: SeededRandom
    private(set) var definitions: Definitions
    private var now: Int64 = 100

    init(seed: Int) {
        random = SeededRandom(seed: seed)
        definitions = Definitions(tables: Self.tables, views: [])
        for number in 0..<Int.random(in: 1...3, using: &random) {
            let shape = view()
            let columns = shape.types.enumerated().map { Field(name: "x\($0.offset)", type: $0.element) }
            definitions.views.append(
                View(name: "v\(number)", relation: shape.relation, columns: columns, streams: shape.streams))
        }
    }

    // MARK: Relations

    private mutating func view() -> Shape {
        var shape = random.chance(40) ? union() : stream(Int.random(in: 0...1, using: &random))
        for _ in 0..<Int.random(in: 1...4, using: &random) { step(&shape) }
        return shape
    }

    private func stream(_ table: Int) -> Shape {
        Shape(relation: .stream(table), types: Self.streamColumns.map(\.type), streams: [table])
    }

    /// Branches of the columns time, bigint, text, bigint.
    private mutating func union() -> Shape {
        let branches = (0...1).map { table in
            var shape = stream(table)
            for _ in 0..<Int.random(in: 0...2, using: &random) { step(&shape) }
            let columns: [Expression] = [
                .column(0, .bigint), integer(shape), column(shape, .text) ?? .constant(.text("none"), .text),
                random.chance(30) ? .constant(.integer(Int64(table)), .bigint) : integer(shape),
            ]
            return Relation.project(shape.relation, columns)
        }
        return Shape(relation: .union(branches), types: Self.streamColumns.map(\.type), streams: [0, 1])
    }

    private mutating func step(_ shape: inout Shape) {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: shape.relation = .filter(shape.relation, condition(shape))
        case 1, 2: lookUp(&shape)
        case 3, 4: asOf(&shape)
        case 5: project(&shape)
        default: windows(&shape)
        }
    }

    private mutating func column(_ shape: Shape, _ type: ValueType) -> Expression? {
        shape.types.indices.filter { shape.types[$0] == type }.randomElement(using: &random).map { .column($0, type) }
    }

    private mutating func integer(_ shape: Shape) -> Expression {
        let column = column(shape, .bigint)!
        return random.chance(80) ? column : .call(.add, [column, .constant(.integer(1), .bigint)], .bigint)
    }

    private mutating func condition(_ shape: Shape) -> Expression {
        let bound = Expression.constant(.integer(Int64.random(in: 0...4, using: &random)), .bigint)
        let column = integer(shape)
        if random.chance(30) { return .call(.isNull, [column], .boolean) }
        return .call(random.chance(50) ? .less : .equal, random.chance(50) ? [column, bound] : [bound, column], .boolean)
    }

    private mutating func lookUp(_ shape: inout Shape) {
        let table = Self.tables[2]
        let key = integer(shape)
        let both = Shape(relation: shape.relation, types: shape.types + table.columns.map(\.type), streams: shape.streams)
        let join = ReferenceJoin(
            table: 2, keys: [key], condition: random.chance(30) ? condition(both) : nil, isInner: random.chance(25))
        shape = both
        shape.relation = .lookUp(shape.relation, join)
    }

    private mutating func asOf(_ shape: inout Shape) {
        let types = Self.tables[3].columns.map(\.type)
        let time: Expression =
            random.chance(70)
            ? .column(0, .bigint)
            : .call(.add, [.column(0, .bigint), .constant(.integer(-7), .bigint)], .bigint)
        let rates = Shape(relation: .stream(3), types: types, streams: [])
        let join = AsOfJoin(
            table: 3, keys: random.chance(80) ? [.init(column: 0, value: integer(shape))] : [], timeColumn: 1, time: time,
            includesEqual: random.chance(60), condition: random.chance(20) ? condition(rates) : nil, isInner: random.chance(25))
        shape.relation = .asOf(shape.relation, join)
        shape.types += types
    }

    private mutating func project(_ shape: inout Shape) {
        var columns: [Expression] = [.column(0, .bigint), integer(shape)]
        for _ in 0..<3 {
            let index = Int.random(in: 0..<shape.types.count, using: &random)
            columns.append(.column(index, shape.types[index]))
        }
        shape.relation = .project(shape.relation, columns)
        shape.types = columns.map(\.type)
    }

    private mutating func windows(_ shape: inout Shape) {
        let calls = (0..<Int.random(in: 1...2, using: &random)).map { _ in call(shape) }
        shape.relation = .windows(shape.relation, calls)
        shape.types += calls.map(\.type)
    }

    private mutating func call(_ shape: Shape) -> WindowCall {
        let any = Int.random(in: 0..<shape.types.count, using: &random)
        let column = Expression.column(any, shape.types[any])
        let filter = random.chance(25) ? condition(shape) : nil
        let window = window(shape)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return WindowCall(function: .count, arguments: [], filter: filter, window: window, type: .bigint)
        case 1: return WindowCall(function: .count, arguments: [column], isDistinct: true, window: window, type: .bigint)
        case 2:
            return WindowCall(
                function: .sum, arguments: [integer(shape)], filter: filter, window: window,
                type: .numeric(precision: 38, scale: 0))
        case 3: return WindowCall(function: .lag(offset: 1), arguments: [column], window: window, type: column.type)
        case 4: return WindowCall(function: .lastValue, arguments: [column], window: window, type: column.type)
        default: return WindowCall(function: .maximum, arguments: [column], filter: filter, window: window, type: column.type)
        }
    }

    private mutating func window(_ shape: Shape) -> Window {
        var keys: [Expression] = []
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            let index = Int.random(in: 1..<shape.types.count, using: &random)
            keys.append(.column(index, shape.types[index]))
        }
        let far = Frame.Bound.preceding(.integer(Int64.random(in: 0...30, using: &random)))
        let frame = Frame(
            mode: random.chance(60) ? .range : .rows, start: random.chance(15) ? .unboundedPreceding : far, end: .currentRow,
            exclusion: random.chance(25) ? .currentRow : .noOthers)
        return Window(partitionBy: keys, orderBy: .column(0, .bigint), frame: frame)
    }

    // MARK: Rows

    mutating func rows(table: Int) -> [[Scalar]] {
        // Once in a while as many as two shards share for a join.
        let count = random.chance(2) ? 300 : Int.random(in: 1...12, using: &random)
        return (0..<count).map { _ in row(table: table) }
    }

    private mutating func row(table: Int) -> [Scalar] {
        let card = random.chance(5) ? Scalar.null : .integer(Int64.random(in: 0...4, using: &random))
        let word = random.chance(10) ? Scalar.null : .text(["", "a", "zebra crossing"].randomElement(using: &random)!)
        let number = random.chance(10) ? Scalar.null : .integer(Int64.random(in: -2...5, using: &random))
        if table == 2 { return [card == .null ? .integer(9) : card, word, number] }
        if random.chance(60) { now += Int64.random(in: 0...3, using: &random) }
        let time = Scalar.integer(now - (random.chance(25) ? Int64.random(in: 0...30, using: &random) : 0))
        return table == 3 ? [card, time, word, number] : [time, card, word, number]
    }
}
