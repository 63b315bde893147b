import Language

/// Definitions with rules for the rows of their tables: what a load is made of.
public struct Workload: Sendable {
    public struct TableLoad: Sendable {
        /// Index into the definitions' tables.
        public var table: Int
        public var role: TableRole
        /// By column.
        public var rules: [ColumnRule]
        /// Share of the events that are rows of this table, in proportion to the others'.
        public var weight: Double
        /// Rows that are sent before the load begins: each key of a reference table once.
        public var rowsBefore: Int
    }

    public let definitions: Definitions
    public private(set) var tables: [TableLoad] = []

    /// - Parameters:
    ///   - rules: for some columns; others get what `DefaultRules` says.
    ///   - weights: by name of the table, for some of them; others get 1, joined tables 0.01, and what no view needs 0.
    public init(_ definitions: Definitions, rules: [NamedRule], weights: [String: Double]) throws(RuleError) {
        self.definitions = definitions
        let names = definitions.tables.map(\.name)
        for rule in rules { try Self.check(rule, definitions) }
        for name in weights.keys where !names.contains(name) {
            throw RuleError("there is no table \"\(name)\" that could have a weight; there is \(names.joined(separator: ", "))")
        }
        for (index, role) in definitions.tableRoles.enumerated() {
            guard let role else { continue }
            let table = definitions.tables[index]
            let defaults = DefaultRules(definitions: definitions, table: index)
            let own = table.columns.indices.map { column in
                rules.last { $0.column == table.columns[column].name && ($0.table ?? table.name) == table.name }?.rule
                    ?? defaults.rule(column: column)
            }
            var before = 0
            if role == .reference, table.primaryKey.count == 1 {
                before = min(own[table.primaryKey[0]].keyCount ?? DefaultRules.keys, 10_000_000)
            } else if role != .stream {
                before = DefaultRules.keys
            }
            let weight = weights[table.name] ?? (role == .stream ? 1 : 0.01)
            tables.append(TableLoad(table: index, role: role, rules: own, weight: weight, rowsBefore: before))
        }
        guard tables.contains(where: { $0.role == .stream }) else {
            throw RuleError("these definitions have no view over a stream: there is nothing to send")
        }
        guard tables.contains(where: { $0.weight > 0 }) else { throw RuleError("every table's weight is 0: nothing is sent") }
    }

    private static func check(_ rule: NamedRule, _ definitions: Definitions) throws(RuleError) {
        let candidates = definitions.tables.filter { rule.table == nil || $0.name == rule.table }
        guard !candidates.isEmpty else {
            let names = definitions.tables.map(\.name).joined(separator: ", ")
            throw RuleError("there is no table \"\(rule.table ?? "")\"; there is \(names)")
        }
        guard candidates.contains(where: { $0.columns.contains { $0.name == rule.column } }) else {
            let names = candidates.flatMap { $0.columns.map(\.name) }.joined(separator: ", ")
            throw RuleError("there is no column \"\(rule.column)\"; there is \(names)")
        }
    }

    /// The pool of a table's batches.
    public func pool(
        of load: TableLoad, rows: BatchPool.Rows, rowsPerBatch: Int, seed: UInt64,
        disturbance: BatchPool.Disturbance = BatchPool.Disturbance(), timeUnit: IntegerTimeUnit? = nil, bytesMax: Int = .max
    ) throws -> BatchPool {
        // Other numbers for each table.
        let seed = seed &+ UInt64(load.table) &* 0x9E37_79B9_7F4A_7C15
        return try BatchPool(
            table: definitions.tables[load.table], rules: load.rules, rows: rows, rowsPerBatch: rowsPerBatch, seed: seed,
            disturbance: disturbance, timeUnit: timeUnit, bytesMax: bytesMax)
    }
}
