import Values

/// One column of the relation that expressions of a query are over.
struct ScopeColumn: Sendable {
    var name: String
    var type: ValueType
    var isNullable: Bool
    /// Depends on a window function call.
    var isWindowed: Bool
    /// By stream of the scope: the stream's column that this is, unchanged. Empty where it is anything else.
    var streamColumns: [Int] = []
    /// Index into the scope's sources; nil for a column that the query's text cannot name.
    var source: Int? = 0
    /// Read through its source only: USING shows one column for the two it equates.
    var isMerged = false
    /// A constant whose type is still open, as NULL is in a branch of UNION ALL.
    var isOpen = false

    var field: Field { Field(name: name, type: type, isNullable: isNullable || isWindowed) }
}

/// A relation that was bound, and what a query can call it.
struct Scope: Sendable {
    /// What FROM names, in its order.
    var sources: [String]
    var relation: Relation
    var columns: [ScopeColumn]
    /// Indices into the definitions' tables; several behind a UNION ALL.
    var streams: [Int]
    /// Tables that were joined, as indices.
    var joined: Set<Int> = []
    /// Queries from the table up.
    var nesting = 0
    /// The source whose names go before all others: that of a subquery within which the query around it can be read.
    var innermost: Int?

    /// How messages call what FROM names.
    var alias: String { sources.joined(separator: ", ") }

    /// The columns that a name without a qualifier can mean.
    func candidates(_ name: String) -> [Int] {
        let all = columns.indices.filter { columns[$0].name == name && columns[$0].source != nil && !columns[$0].isMerged }
        guard let innermost else { return all }
        let inner = all.filter { columns[$0].source == innermost }
        return inner.isEmpty ? all : inner
    }

    func candidates(_ name: String, of source: String) -> [Int] {
        let all = columns.indices.filter { index in
            columns[index].name == name && columns[index].source.map { sources[$0] == source } ?? false
        }
        guard let innermost, sources[innermost] == source else { return all }
        return all.filter { columns[$0].source == innermost }
    }
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

    /// The same value, read at another place.
    init(_ value: Typed, span: Span) {
        self = value
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
