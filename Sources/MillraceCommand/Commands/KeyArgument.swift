import ArgumentParser
import Millrace

/// `COLUMN=VALUE`.
struct KeyArgument: ExpressibleByArgument, Hashable {
    var column: String
    var value: String

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else { return nil }
        column = String(argument[..<equals])
        value = String(argument[argument.index(after: equals)...])
    }
}

extension KeyArgument {
    /// Every column has a value of every key.
    static func checkCounts(_ arguments: [KeyArgument]) throws {
        let counts = Dictionary(grouping: arguments, by: \.column).mapValues(\.count)
        if Set(counts.values).count > 1 {
            let list = counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            throw ValidationError("--key: every column needs as many values as the others (\(list))")
        }
    }

    /// One key a row, in columns of the types that `fields` say.
    static func batch(_ arguments: [KeyArgument], fields: [Field]) throws -> ColumnBatch {
        var types: [Field] = []
        for argument in arguments where !types.contains(where: { $0.name == argument.column }) {
            guard let field = fields.first(where: { $0.name == argument.column }) else {
                let names = fields.map(\.name).joined(separator: ", ")
                throw InputError("--key \(argument.column)=\(argument.value): there is no such column; there are \(names)")
            }
            types.append(field)
        }
        var keys = ColumnBatch(fields: types)
        for (index, field) in types.enumerated() {
            for argument in arguments where argument.column == field.name {
                guard keys.withColumn(index, { ValueParser.append(Array(argument.value.utf8)[...], to: &$0) }) else {
                    throw InputError("--key \(argument.column)=\(argument.value): '\(argument.value)' is not a \(field.type)")
                }
            }
        }
        return keys
    }
}
