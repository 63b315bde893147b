import Language
import Plan
import Testing
import Values

/// What the planner makes of views, seen in the plan itself; how it reads is in `ExplanationTests`.
@Suite struct `Planning of views` {
    private static let columns = [
        Field(name: "ts", type: .timestamptz, isNullable: false), Field(name: "card", type: .bigint),
        Field(name: "amount", type: .double), Field(name: "declined", type: .boolean),
    ]
    private let time = Expression.column(0, .timestamptz)
    private let card = Expression.column(1, .bigint)
    private let amount = Expression.column(2, .double)
    private let declined = Expression.column(3, .boolean)

    private func window(_ hours: Int64, by keys: [Expression]) -> Window {
        Window(
            partitionBy: keys, orderBy: time,
            frame: Frame(
                mode: .range, start: .preceding(.interval(Interval(microseconds: hours * 3_600_000_000))), end: .currentRow))
    }

    private func count(_ window: Window, filter: Expression? = nil) -> WindowCall {
        WindowCall(function: .count, arguments: [], filter: filter, window: window, type: .bigint)
    }

    private func view(_ name: String, _ relation: Relation, _ types: [ValueType]) -> View {
        View(
            name: name, relation: relation,
            columns: types.enumerated().map { Field(name: "x\($0.offset)", type: $0.element) }, streams: [0])
    }

    private func plan(_ views: [View], _ table: Table? = nil) -> StreamPlan {
        let table = table ?? Table(name: "payments", columns: Self.columns, eventTime: 0)
        return Planner.plan(Definitions(tables: [table], views: views)).streams[0]
    }

    @Test func `equal windows and calls of two views are one`() {
        let windows = Relation.windows(.stream(0), [count(window(1, by: [card])), count(window(24, by: [card]))])
        let first = view("a", .project(windows, [.column(4, .bigint)]), [.bigint])
        let second = view("b", .project(windows, [.column(5, .bigint), .column(4, .bigint)]), [.bigint, .bigint])
        let plan = plan([first, second])
        #expect(plan.stages.count == 1)
        #expect(plan.stages[0].partitions.count == 1)
        #expect(plan.stages[0].partitions[0].windows.count == 2)
        #expect(plan.stages[0].partitions[0].calls.count == 2)
        #expect(plan.views[0].registers[0] == plan.views[1].registers[1])
    }

    @Test func `what no view answers is not computed`() {
        let windows = Relation.windows(.stream(0), [count(window(1, by: [card])), count(window(1, by: [amount]))])
        let plan = plan([view("a", .project(windows, [.column(5, .bigint)]), [.bigint])])
        #expect(plan.stages[0].partitions.count == 1)
        #expect(plan.stages[0].partitions[0].keys == [Register(index: 2, type: .double)])
        #expect(plan.registers.count == 5)
    }

    @Test func `WHERE below windows is who enters, above them who is answered`() {
        let below = Relation.windows(.filter(.stream(0), declined), [count(window(1, by: [card]))])
        let isMany = Expression.call(.greater, [.column(4, .bigint), .constant(.integer(3), .bigint)], .boolean)
        let plan = plan([view("a", .project(.filter(below, isMany), [.column(4, .bigint)]), [.bigint])])
        #expect(plan.stages[0].partitions[0].entry == Register(index: 3, type: .boolean))
        #expect(plan.views[0].filter != nil)
        #expect(plan.views[0].filter != plan.stages[0].partitions[0].entry)
        // The comparison and its AND with the entry need the count: they run when it is there.
        #expect(plan.stages[0].program.steps.isEmpty)
        #expect(plan.finish.steps.count == 3)
    }

    @Test func `an expression that a key needs runs before, one that only the answer needs after`() {
        let half = Expression.call(.divide, [card, .constant(.integer(2), .bigint)], .bigint)
        let double = Expression.call(.multiply, [amount, amount], .double)
        let windows = Relation.windows(.stream(0), [count(window(1, by: [half]))])
        let plan = plan([view("a", .project(windows, [double, .column(4, .bigint)]), [.double, .bigint])])
        #expect(plan.stages[0].program.steps.count == 2)
        #expect(plan.finish.steps.count == 1)
        #expect(plan.views[0].isWindowed == [false, true])
    }

    @Test func `a window over a window's result is a later stage`() {
        let inner = Relation.windows(.stream(0), [count(window(1, by: [card]))])
        let outer = Relation.windows(inner, [count(window(1, by: [.column(4, .bigint)]))])
        let plan = plan([view("a", .project(outer, [.column(5, .bigint)]), [.bigint])])
        #expect(plan.stages.map(\.partitions.count) == [1, 1])
        #expect(plan.stages[1].partitions[0].keys == [plan.stages[0].partitions[0].calls[0].result])
    }

    @Test func `lag and row_number share the window that keeps nothing`() {
        let calls = [
            WindowCall(function: .lag(offset: 1), arguments: [amount], window: window(1, by: [card]), type: .double),
            WindowCall(function: .rowNumber, arguments: [], window: window(9, by: [card]), type: .bigint),
        ]
        let plan = plan([
            view("a", .project(.windows(.stream(0), calls), [.column(4, .double), .column(5, .bigint)]), [.double, .bigint])
        ])
        #expect(
            plan.stages[0].partitions[0].windows == [WindowPlan(frame: Frame(mode: .rows, start: .currentRow, end: .currentRow))])
    }

    @Test(
        arguments: [
            (ValueType.timestamptz, nil, 60_000_000, 300_000_000), (.timestamp, 5, 5, 300_000_000),
            (.date, nil, 0, 300_000_000), (.date, 172_800_000_000, 2, 300_000_000), (.bigint, nil, 0, nil), (.bigint, 7, 7, nil),
        ] as [(ValueType, Int64?, Int64, Int64?)])
    func `options come in the event time's unit, with defaults`(
        _ type: ValueType, _ lateness: Int64?, _ expected: Int64, _ maxAhead: Int64?
    ) {
        let table = Table(name: "t", columns: [Field(name: "at", type: type)], eventTime: 0, lateness: lateness)
        let plan = plan([view("a", .stream(0), [type])], table)
        #expect(plan.lateness == expected)
        #expect(plan.maxAhead == maxAhead)
        #expect(plan.stages.isEmpty)
    }
}
