import Language
import Millrace
import PlainEvaluator
import Values

/// Takes every batch in the order of the sequence through the plain evaluator, and holds answers, pushes and reads against it.
struct Verifier {
    private let world: World
    private let history: History.State
    private let subscribers: [PushRecord]
    private let definitions: Definitions
    private var evaluator: Evaluator
    /// By view, the rows that it answered: for subscriptions.
    private var answered: [String: [PushRecord.Row]] = [:]
    private var cells = 0

    init(_ world: World, _ subscribers: [PushRecord]) {
        self.world = world
        self.subscribers = subscribers
        history = world.history.snapshot
        definitions = world.definitions.definitions
        evaluator = world.definitions.evaluator()
    }

    private struct Expectation {
        let status: RowStatus
        /// By view of the definitions; nil: the status alone is compared.
        let answers: [[Cell]?]?
    }

    mutating func run() {
        let reads = Dictionary(grouping: history.reads.filter(isOfKeptState)) { $0.answers[0].sequence }
        let batchPlaces = Set(history.applied.keys)
        let places = batchPlaces.union(reads.keys.map { History.Place(sequence: $0) }).sorted()
        for place in places {
            if let applied = history.applied[place] { check(applied, place) }
            if place.behind == 0 { for read in reads[place.sequence] ?? [] { check(read) } }
            if world.violation != nil { return }
        }
        for subscriber in subscribers where world.violation == nil {
            subscriber.check(answered[subscriber.view] ?? [], world)
        }
        world.count {
            $0.cells += cells
            $0.reads += history.reads.count
            $0.readsOfLostState += history.reads.count - reads.values.reduce(0) { $0 + $1.count }
        }
    }

    /// A read does not wait for the disk: it may show what is lost with the server. The next server's numbers begin where what is left ends.
    private func isOfKeptState(_ read: Read) -> Bool {
        guard let next = history.starts.filter({ $0.key > read.incarnation }).map(\.value).min() else { return true }
        return read.answers[0].sequence < next
    }

    // MARK: Batches

    private mutating func check(_ applied: History.Applied, _ place: History.Place) {
        let batch = applied.batch
        let pushes = place.behind == 0 ? subscribers.map { $0.pushes(at: place.sequence) } : []
        // Windows over windows are made of the inner ones' answers, whoever asks for them.
        let isAsked = !applied.answers.isEmpty || batch.table == .visits || pushes.contains { !$0.isEmpty }
        var expected: [Expectation] = []
        for (number, row) in batch.rows.enumerated() {
            if batch.statuses[number] == .refused {
                expected.append(Expectation(status: .refused, answers: nil))
                continue
            }
            let (status, answers) = evaluator.take(row, table: batch.table.rawValue, isAnswered: isAsked)
            precondition(evaluator.doubt == nil, "the plain evaluator cannot tell: \(evaluator.doubt!)")
            precondition(
                status.rawValue == batch.statuses[number].rawValue, "\(batch.id): a row's status is certain when it is made")
            expected.append(Expectation(status: batch.statuses[number], answers: answers))
        }
        for answer in applied.answers {
            check(answer, expected, "batch \(batch.id) at \(place.sequence)", rows: Array(batch.rows.indices))
        }
        for view in world.definitions.views(batch.table) {
            answered[view, default: []] += batch.rows.indices.map { PushRecord.Row(sequence: place.sequence, row: $0) }
        }
        for (subscriber, pushes) in zip(subscribers, pushes) {
            for push in pushes {
                let what = "push of batch \(batch.id) at \(place.sequence) to \(subscriber.view)"
                guard push.rowNumbers.allSatisfy({ batch.rows.indices.contains($0) }) else {
                    return world.violated("\(what): rows \(push.rowNumbers) of \(batch.rows.count)")
                }
                check(push, expected, what, rows: push.rowNumbers)
            }
        }
    }

    private mutating func check(_ answer: Answer, _ expected: [Expectation], _ what: String, rows: [Int]) {
        guard let index = definitions.views.firstIndex(where: { $0.name == answer.view }) else {
            return world.violated("\(what): there is no view \(answer.view)")
        }
        guard answer.rowNumbers == rows else {
            return world.violated("\(what): \(answer.view) answers rows \(answer.rowNumbers), expected \(rows)")
        }
        for (row, number) in answer.rowNumbers.enumerated() {
            let expectation = expected[number]
            guard answer.statuses[row] == expectation.status else {
                return world.violated(
                    "\(what), row \(number): status is \(answer.statuses[row]), expected \(expectation.status)")
            }
            if let cells = expectation.answers?[index] {
                compare(cells, answer.rows, row, definitions.views[index], "\(what), row \(number)")
            }
        }
    }

    private mutating func compare(
        _ expected: [Cell], _ found: ColumnBatch, _ row: Int, _ view: View, _ what: String, only: [Bool]? = nil
    ) {
        for column in expected.indices where only?[column] ?? true {
            cells += 1
            let value = Value(found.columns[column][row])
            if expected[column].isMet(by: value) { continue }
            return world.violated(
                "\(what): \(view.name).\(view.columns[column].name) is \(value.text), expected \(expected[column].value.text)")
        }
    }

    // MARK: Reads

    private mutating func check(_ read: Read) {
        let sequence = read.answers[0].sequence
        var copy = evaluator
        switch read.question {
        case .evaluate(let table, let rows):
            let expected = rows.map { row in
                let (status, answers) = copy.take(row, table: table.rawValue)
                return Expectation(status: status == .ok ? .ok : .late, answers: answers)
            }
            for answer in read.answers {
                check(answer, expected, "evaluation of \(table) at \(sequence) of \(rows)", rows: Array(rows.indices))
            }
        case .get(let name, let table, let keys, let time):
            let index = definitions.views.firstIndex { $0.name == name }!
            let columns = definitions.tables[table.rawValue].columns
            let card = columns.firstIndex { $0.name == "card" }!
            for (row, number) in read.answers[0].rowNumbers.enumerated() {
                var cells = columns.map { _ in Value.null }
                cells[card] = .integer(keys[number])
                cells[definitions.tables[table.rawValue].eventTime!] = .integer(time)
                guard let expected = copy.lookUp(cells, table: table.rawValue, given: [card])[index] else { continue }
                compare(
                    expected, read.answers[0].rows, row, definitions.views[index],
                    "get \(name) of card \(keys[number]) as of \(time) at \(sequence)", only: copy.windowedColumns(view: index))
            }
        }
    }
}
