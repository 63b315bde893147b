import Language
import PlainEvaluator
import Values

/// Holds what clients were told against the plain evaluator, which takes the batches in the order of their places.
struct Checker {
    private let world: Environment
    private let history: History
    private let subscribers: [SubscriptionRecord]
    /// By set of definitions; nil: no answer was made by it.
    private var evaluators: [Evaluator?]
    /// By view, the rows that it answered: for subscriptions.
    private var answered: [String: [RowPlace]] = [:]

    init(_ world: Environment, _ history: History, _ subscribers: [SubscriptionRecord]) {
        self.world = world
        self.history = history
        self.subscribers = subscribers
        let used = Set(history.variants.values)
        evaluators = SimulatedDefinitions.all.enumerated().map { used.contains($0) ? $1.evaluator() : nil }
    }

    mutating func run() {
        let sequences = Set(history.batches.keys).union(history.questions.keys).sorted()
        for sequence in sequences {
            if let batch = history.batches[sequence] { check(batch, at: sequence) }
            for asked in history.questions[sequence] ?? [] where history.isKept(asked, at: sequence) {
                check(asked, at: sequence)
            }
            if world.violation != nil { return }
        }
        for subscriber in subscribers {
            guard world.violation == nil else { return }
            subscriber.check(answered[subscriber.view] ?? [], world)
        }
    }

    // MARK: Batches

    private mutating func check(_ batch: SimulatedBatch, at sequence: UInt64) {
        var late = 0
        /// By set of definitions: what each row is answered.
        var expected: [[Expectation]] = evaluators.map { _ in [] }
        for variant in evaluators.indices {
            guard evaluators[variant] != nil else { continue }
            for (number, row) in batch.rows.enumerated() {
                if batch.refused.contains(number) {
                    expected[variant].append(Expectation(status: 2, answers: nil))
                } else {
                    let (status, answers) = evaluators[variant]!.take(row, table: batch.table.rawValue)
                    if let doubt = evaluators[variant]!.doubt { fatalError("the evaluator is in doubt: \(doubt)") }
                    expected[variant].append(Expectation(status: status.rawValue, answers: answers))
                }
            }
            late = expected[variant].count { $0.status == 1 }
        }
        world.counts.rows += batch.rows.count
        for answer in history.answers[sequence] ?? [] {
            check(answer, "batch \(batch.id) at \(sequence)") { expected[$0] }
        }
        if let accepted = history.acceptances[sequence] {
            let isRight =
                Int(accepted.rows) == batch.rows.count && Int(accepted.refused) == batch.refused.count
                && (batch.table == .shops || Int(accepted.late) == late)
            if !isRight {
                world.violated(
                    "batch \(batch.id) at \(sequence) is accepted as \(accepted), of \(batch.rows.count) rows \(late) are late")
            }
        }
        noteRows(of: batch, at: sequence)
        for subscriber in subscribers {
            for push in subscriber.pushes(at: sequence) {
                check(push, "\(subscriber.name) is pushed batch \(batch.id) at \(sequence)", isPart: true) { expected[$0] }
            }
        }
    }

    private struct Expectation {
        let status: UInt8
        /// By view; nil: the status alone is compared.
        let answers: [[Cell]?]?
    }

    private func check(
        _ answer: ObservedAnswer, _ what: String, isPart: Bool = false, _ expected: (Int) -> [Expectation]
    ) {
        guard let variant = history.variants[answer.definitions], let definitions = definitions(variant) else {
            return world.violated("\(what): nobody applied definitions version \(answer.definitions)")
        }
        guard let index = definitions.views.firstIndex(where: { $0.name == answer.view }) else {
            return world.violated("\(what): version \(answer.definitions) has no view \(answer.view)")
        }
        let view = definitions.views[index]
        guard answer.columns == view.columns.map(\.name) else {
            return world.violated("\(what): \(answer.view) has columns \(answer.columns)")
        }
        let expected = expected(variant)
        let rows = expected.indices.filter { expected[$0].answers == nil || expected[$0].answers![index] != nil }
        if !isPart && answer.rows.map(\.number) != rows {
            return world.violated("\(what): \(answer.view) answers rows \(answer.rows.map(\.number)), expected \(rows)")
        }
        for row in answer.rows {
            guard rows.contains(row.number) else { return world.violated("\(what): \(answer.view) has no row \(row.number)") }
            let expectation = expected[row.number]
            guard row.status == expectation.status else {
                return world.violated("\(what): row \(row.number) has status \(row.status), expected \(expectation.status)")
            }
            guard let cells = expectation.answers?[index] else { continue }
            compare(cells, row.cells, view, "\(what), row \(row.number)")
        }
    }

    private func compare(_ expected: [Cell], _ found: [Value], _ view: View, _ what: String, only: [Bool]? = nil) {
        for column in expected.indices where only?[column] ?? true {
            world.counts.cells += 1
            guard !expected[column].isMet(by: found[column]) else { continue }
            return world.violated(
                "\(what): \(view.name).\(view.columns[column].name) is \(found[column].text), expected \(expected[column].value.text)"
            )
        }
    }

    private func definitions(_ variant: Int) -> Definitions? { evaluators[variant]?.definitions }

    private mutating func noteRows(of batch: SimulatedBatch, at sequence: UInt64) {
        for view in SimulatedDefinitions.all[0].definitions.views where view.streams.contains(batch.table.rawValue) {
            answered[view.name, default: []] += batch.rows.indices.map { RowPlace(sequence: sequence, row: $0) }
        }
    }

    // MARK: Questions

    private mutating func check(_ asked: History.Asked, at sequence: UInt64) {
        guard let variant = asked.answers.first.flatMap({ history.variants[$0.definitions] }), evaluators[variant] != nil else {
            return world.violated("a question at \(sequence) is answered by definitions that nobody applied")
        }
        switch asked.question {
        case .evaluate(let table, let rows):
            var copy = evaluators[variant]!
            let expected = rows.map { row in
                let (status, answers) = copy.take(row, table: table.rawValue)
                return Expectation(status: status.rawValue, answers: answers)
            }
            for answer in asked.answers { check(answer, "an evaluation at \(sequence)") { _ in expected } }
        case .get(let name, let keyColumn, let keys, let time):
            var copy = evaluators[variant]!
            let index = copy.definitions.views.firstIndex { $0.name == name }!
            let view = copy.definitions.views[index]
            let table = view.streams.min()!
            let columns = copy.definitions.tables[table].columns
            let key = columns.firstIndex { $0.name == keyColumn }!
            guard let newest = copy.newest(table: table),
                time >= newest - copy.lateness(copy.definitions.tables[table])
            else { return }
            for row in asked.answers[0].rows {
                var cells = columns.map { _ in Value.null }
                cells[key] = keys[row.number]
                cells[copy.definitions.tables[table].eventTime!] = .integer(time)
                guard let expected = copy.lookUp(cells, table: table, given: [key])[index] else { continue }
                compare(
                    expected, row.cells, view, "get \(name) \(keys[row.number].text) as of \(time) at \(sequence)",
                    only: copy.windowedColumns(view: index))
            }
        }
    }
}

/// A row of a batch in the sequence.
struct RowPlace: Hashable, Comparable {
    var sequence: UInt64
    var row: Int

    static func < (left: RowPlace, right: RowPlace) -> Bool {
        (left.sequence, left.row) < (right.sequence, right.row)
    }
}
