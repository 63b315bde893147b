import Plan
import Values

/// A register with its form, as rows of it are read.
struct FormedRegister {
    let register: Int
    let form: Form

    init(_ register: Register) { (self.register, form) = (register.index, register.type.form) }
}

/// One join of a stage, made ready to run.
struct JoinCode: Sendable {
    struct Column: Sendable {
        /// Place among the columns that the join table keeps.
        let place: Int
        let result: Int
    }

    let table: Int
    let keys: [FormedRegister]
    let time: Int?
    let includesEqual: Bool
    let columns: [Column]
    /// Columns that are derived from the row: places among those of the table's derivation.
    let derived: [Column]
    let isMatched: Int
    /// The register of the key where it is one integer.
    let integerKey: Int?

    /// - Parameter columnCount: of the joined table; a column beyond is a derived one.
    init(_ plan: JoinPlan, _ table: JoinTablePlan, columnCount: Int) {
        self.table = plan.table
        keys = plan.keys.map(FormedRegister.init)
        time = plan.time?.index
        includesEqual = plan.includesEqual
        columns = plan.columns.filter { $0.column < columnCount }.map {
            Column(place: table.columns.firstIndex(of: $0.column)!, result: $0.result.index)
        }
        derived = plan.columns.filter { $0.column >= columnCount }.map {
            Column(place: $0.column - columnCount, result: $0.result.index)
        }
        isMatched = plan.isMatched.index
        integerKey = keys.count == 1 && keys[0].form == .integer ? keys[0].register : nil
    }
}

/// How a stream's rows become rows of a join table.
struct IntakeCode: Sendable {
    let table: Int
    let keys: [FormedRegister]
    let time: Int?
    let condition: Int?
    let columns: [FormedRegister]

    init(_ plan: IntakePlan, _ table: JoinTablePlan, columns tableColumns: [Field]) {
        func register(_ column: Int) -> FormedRegister {
            FormedRegister(Register(index: column, type: tableColumns[column].type))
        }
        self.table = plan.table
        keys = table.keys.map(register)
        time = table.time
        condition = plan.condition?.index
        columns = table.columns.map(register)
    }
}
