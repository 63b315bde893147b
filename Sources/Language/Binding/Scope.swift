import Values

/// One column of the relation that expressions of a query are over.
struct ScopeColumn: Sendable {
    var name: String
    var type: ValueType
    var isNullable: Bool
    /// Depends on a window function call.
    var isWindowed: Bool
    /// The stream's column that this is, unchanged.
    var streamColumn: Int?

    var field: Field { Field(name: name, type: type, isNullable: isNullable || isWindowed) }
}

/// A relation that was bound, and what a query can call it.
struct Scope: Sendable {
    var alias: String
    var relation: Relation
    var columns: [ScopeColumn]
    /// Index into the definitions' tables.
    var stream: Int
    /// Some rows were taken away by a condition over windowed columns, so windows over it would be windows over those.
    var isFilteredByWindow: Bool
    /// Queries from the table up.
    var nesting: Int
}

/// An expression with its type, before it is known where it is used.
struct Typed: Sendable {
    var expression: Expression
    var isNullable: Bool
    var isWindowed: Bool
    /// A string or NULL whose type is still open: it takes the type that the other side has.
    var isUnknown = false
    var span: Span

    var type: ValueType { expression.type }

    init(_ expression: Expression, isNullable: Bool, isWindowed: Bool = false, isUnknown: Bool = false, span: Span) {
        self.expression = expression
        self.isNullable = isNullable
        self.isWindowed = isWindowed
        self.isUnknown = isUnknown
        self.span = span
    }

    /// A call of `function`: NULL where an argument is, and besides where it may fail.
    init(_ function: Function, _ arguments: [Typed], _ type: ValueType, mayFail: Bool = false, span: Span) {
        self.init(
            .call(function, arguments.map(\.expression), type), isNullable: mayFail || arguments.contains(where: \.isNullable),
            isWindowed: arguments.contains(where: \.isWindowed), span: span)
    }

    /// The value, if it is one.
    var constant: Scalar? {
        if case .constant(let value, _) = expression { value } else { nil }
    }

    var typeName: String { isUnknown ? "unknown" : type.description }
}
