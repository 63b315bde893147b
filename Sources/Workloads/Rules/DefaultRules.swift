import Language
import Values

/// What a column gets for which no rule is given: by what it is for, its name and its type.
///
/// | column | rule |
/// |---|---|
/// | event time, and any timestamp | time |
/// | one-column primary key of a stream | sequence |
/// | key: of a primary key, a window, a join, or named …id, …key | zipf(10000) |
/// | boolean | category(true*1, false*9) |
/// | smallint, integer, bigint | uniform(0, 99), uniform(0, 9999), uniform(0, 999999) |
/// | real, double precision, numeric | normal(100, 25), as far as there are digits for it |
/// | text | zipf(100) as NAME_# |
/// | date | uniform(2024-01-01, 2024-12-31) |
/// | interval | uniform(0, 3600), in seconds |
struct DefaultRules {
    static let keys = 10_000

    let definitions: Definitions
    let table: Int

    func rule(column: Int) -> ColumnRule {
        let field = definitions.tables[table].columns[column]
        let name = field.name.lowercased()
        if column == definitions.timeColumn(table: table) || field.type.isTimestamp { return ColumnRule(.time) }
        let isNumberOrText = field.type.isInteger || field.type == .text || field.type.isNumeric
        let primaryKey = definitions.tables[table].primaryKey
        if isNumberOrText, primaryKey == [column], definitions.tableRoles[table] == .stream, field.type.isInteger {
            return ColumnRule(.sequence(first: 1, step: 1))
        }
        let isKey =
            primaryKey.contains(column) || definitions.keyColumns(stream: table).contains(column)
            || ["id", "key"].contains { name == $0 || name.hasSuffix("_\($0)") }
        if isNumberOrText, isKey {
            let pattern = field.type == .text ? "#" : nil
            return ColumnRule(.zipf(keys: Self.keys, exponent: 1), pattern: pattern)
        }
        return plain(field)
    }

    private func plain(_ field: Field) -> ColumnRule {
        switch field.type {
        case .boolean:
            return ColumnRule(
                .category([ColumnRule.Choice(text: "true", weight: 1), ColumnRule.Choice(text: "false", weight: 9)]))
        case .smallint: return ColumnRule(.uniform(.number(0), .number(99)))
        case .integer: return ColumnRule(.uniform(.number(0), .number(9_999)))
        case .bigint: return ColumnRule(.uniform(.number(0), .number(999_999)))
        case .numeric(let precision, let scale) where precision - scale < 3:
            return ColumnRule(.uniform(.number(0), .number(precision > scale ? 9 : 1)))
        case .real, .double, .numeric: return ColumnRule(.normal(mean: 100, deviation: 25))
        case .text: return ColumnRule(.zipf(keys: 100, exponent: 1), pattern: "\(field.name)_#")
        case .date: return ColumnRule(.uniform(.moment(1_704_067_200_000_000), .moment(1_735_603_200_000_000)))
        case .interval: return ColumnRule(.uniform(.number(0), .number(3_600)))
        case .timestamp, .timestamptz, .array: return ColumnRule(.time)
        }
    }
}
