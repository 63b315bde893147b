import Language
import Plan
import Values

/// What views make of the columns of one joined row alone, as a formatted symbol: computed when the row is first joined, and kept
/// with it, instead of once for every event that finds it.
///
/// Only functions that are NULL where an argument is NULL, so that an event without a match has NULL too; and none that can fail
/// in a row, since failures count by event.
final class JoinDerivation: Sendable {
    struct Input: Sendable {
        /// Among the columns that the join table keeps.
        let place: Int
        /// Of the table, and the register that holds it.
        let column: Int
        let form: Form
    }

    /// Over the table's columns.
    let expressions: [Expression]
    let inputs: [Input]
    /// The joined table as a stream whose finish computes the expressions.
    let stream: CompiledStream
    let outputs: [FormedRegister]
    private let timeZone: String

    /// - Parameters:
    ///   - kept: columns of the table that its join table keeps.
    init(_ expressions: [Expression], of table: Table, kept: [Int], timeZone: String) throws(ZoneError) {
        self.expressions = expressions
        let read = expressions.reduce(into: Set<Int>()) { $0.formUnion($1.columnsRead) }
        inputs = kept.enumerated().filter { read.contains($0.element) }.map {
            Input(place: $0.offset, column: $0.element, form: table.columns[$0.element].type.form)
        }
        let fields = expressions.enumerated().map { Field(name: "derived\($0.offset)", type: $0.element.type) }
        let view = View(name: "derived", relation: .project(.stream(0), expressions), columns: fields, streams: [0])
        let source = Table(name: table.name, columns: table.columns)
        let plan = Planner.plan(Definitions(timeZone: timeZone, tables: [source], views: [view]))
        stream = try CompiledStream(plan.streams[0], in: plan)
        outputs = plan.streams[0].views[0].registers.map(FormedRegister.init)
        self.timeZone = timeZone
    }

    /// Memos of one are memos of the other.
    func isSame(as other: JoinDerivation) -> Bool {
        self === other
            || (expressions == other.expressions && timeZone == other.timeZone
                && inputs.map(\.place) == other.inputs.map(\.place))
    }
}

extension Expression {
    fileprivate var columnsRead: Set<Int> {
        switch self {
        case .column(let index, _): [index]
        case .constant: []
        case .call(_, let arguments, _): arguments.reduce(into: []) { $0.formUnion($1.columnsRead) }
        case .choose: preconditionFailure("a choice is not derived")
        }
    }
}
