/// A statement as it was written: names are not resolved, nothing has a type yet. Holds just the parts of SQL that
/// Millrace knows; all others are `.unsupported`, with the reason.

struct Name: Hashable, Sendable {
    var text: String
    var span: Span
}

struct ExpressionSyntax: Sendable {
    var kind: Kind
    var span: Span

    indirect enum Kind: Sendable {
        /// `a`, `t.a`
        case column([String])
        /// `*`, `t.*`
        case star(qualifier: [String])
        case null
        case boolean(Bool)
        case integer(Int64)
        /// As it is written: digits, a point, an exponent.
        case number(String)
        case string(String)
        case unary(String, ExpressionSyntax)
        case binary(String, ExpressionSyntax, ExpressionSyntax)
        case and([ExpressionSyntax])
        case or([ExpressionSyntax])
        case not(ExpressionSyntax)
        case isIn(ExpressionSyntax, [ExpressionSyntax], negated: Bool)
        case between(ExpressionSyntax, ExpressionSyntax, ExpressionSyntax, negated: Bool, symmetric: Bool)
        case like(ExpressionSyntax, ExpressionSyntax, negated: Bool, caseInsensitive: Bool)
        case distinctFrom(ExpressionSyntax, ExpressionSyntax, negated: Bool)
        case nullIf(ExpressionSyntax, ExpressionSyntax)
        case isNull(ExpressionSyntax, negated: Bool)
        case booleanTest(ExpressionSyntax, BooleanTest)
        case choose(operand: ExpressionSyntax?, [BranchSyntax], otherwise: ExpressionSyntax?)
        case coalesce([ExpressionSyntax])
        case greatest([ExpressionSyntax])
        case least([ExpressionSyntax])
        case cast(ExpressionSyntax, TypeSyntax)
        case call(CallSyntax)
        /// A subquery that stands for one value.
        case subquery(SelectSyntax)
        case exists(SelectSyntax)
        case unsupported(String, remedy: String?)
    }
}

enum BooleanTest: Hashable, Sendable { case isTrue, isNotTrue, isFalse, isNotFalse, isUnknown, isNotUnknown }

struct BranchSyntax: Sendable {
    var condition: ExpressionSyntax
    var value: ExpressionSyntax
}

struct TypeSyntax: Sendable {
    /// As PostgreSQL's grammar names it: `int4`, `timestamptz`, `varchar` …
    var name: String
    var modifiers: [Int64]
    /// A modifier, field or array bound that no type here has.
    var isUnusual: Bool
    var span: Span
}

struct CallSyntax: Sendable {
    var name: String
    var nameSpan: Span
    /// The name and the parentheses, without FILTER and OVER.
    var headSpan: Span
    var arguments: [ExpressionSyntax]
    /// By argument: the name of `name => value`.
    var argumentNames: [String?]
    var isStar: Bool
    var isDistinct: Bool
    /// ORDER BY inside the call, or of WITHIN GROUP.
    var orderBy: [SortSyntax]
    var isWithinGroup: Bool
    /// IGNORE NULLS or RESPECT NULLS; nil where neither is written.
    var ignoresNulls: Bool?
    var filter: ExpressionSyntax?
    var window: WindowSyntax?
    /// A part of the call that Millrace has no use for: what it is.
    var unsupported: String?
}

struct WindowSyntax: Sendable {
    enum BoundSyntax: Sendable {
        case unboundedPreceding, currentRow, unboundedFollowing
        case preceding(ExpressionSyntax)
        case following(ExpressionSyntax)
    }
    enum Mode: Sendable { case range, rows, groups }
    enum Exclusion: Sendable { case noOthers, currentRow, group, ties }

    struct FrameSyntax: Sendable {
        var mode: Mode
        var start: BoundSyntax
        var end: BoundSyntax
        var exclusion: Exclusion
        var span: Span
    }

    /// `OVER name`, alone: uses the window with its frame.
    var reference: String?
    /// `OVER (name …)`: copies its partition and order.
    var base: String?
    var partitionBy: [ExpressionSyntax]
    var orderBy: [SortSyntax]
    /// nil: SQL's default.
    var frame: FrameSyntax?
    var span: Span
}

struct SortSyntax: Sendable {
    var expression: ExpressionSyntax
    var isDescending: Bool
    var nullsFirst: Bool
    var span: Span
}

struct SelectSyntax: Sendable {
    struct Output: Sendable {
        var alias: String?
        var expression: ExpressionSyntax
        var span: Span
    }

    struct Common: Sendable {
        var name: Name
        var columns: [String]
        var query: SelectSyntax
    }

    var common: [Common]
    var outputs: [Output]
    var from: SourceSyntax?
    var filter: ExpressionSyntax?
    var windows: [(name: Name, window: WindowSyntax)]
    var qualify: ExpressionSyntax?
    /// Of UNION ALL; then the query has WITH, at most, besides.
    var branches: [SelectSyntax] = []
    var orderBy: [SortSyntax] = []
    /// nil with OFFSET.
    var limit: ExpressionSyntax?
    /// Clauses that are not for a stream: what is wrong, and what to do.
    var refusals: [Refusal] = []
    /// ORDER BY and LIMIT belong to the search for the latest row of a history table, and are refused elsewhere.
    var orderRefusal: Refusal?
    var limitRefusal: Refusal?
    var span: Span

    var allRefusals: [Refusal] { refusals + [orderRefusal, limitRefusal].compactMap { $0 } }
}

struct Refusal: Hashable, Sendable {
    var message: String
    var remedy: String?
    var span: Span
}

indirect enum SourceSyntax: Sendable {
    case table(Name, alias: Name?, columns: [String])
    case subquery(SelectSyntax, alias: Name?, columns: [String], isLateral: Bool)
    /// One source, and what is joined to it, in order.
    case joined(SourceSyntax, [JoinSyntax])
    case unsupported(Refusal)
}

struct JoinSyntax: Sendable {
    enum Kind: Sendable { case inner, left, right, full, cross, natural }

    var kind: Kind
    var isAsOf: Bool
    var right: SourceSyntax
    var condition: ExpressionSyntax?
    var using: [Name]
    /// `LEFT JOIN`.
    var words: Span
}

struct TableSyntax: Sendable {
    struct Column: Sendable {
        var name: Name
        var type: TypeSyntax
        var isNotNull: Bool
        var isPrimaryKey: Bool
    }

    struct Option: Sendable {
        enum Value: Sendable { case text(String), integer(Int64), missing }
        var name: String
        var value: Value
        var span: Span
    }

    var name: Name
    var columns: [Column]
    /// Of a PRIMARY KEY clause of its own.
    var primaryKey: [Name]
    var options: [Option]
    var refusals: [Refusal]
}

struct ViewSyntax: Sendable {
    var name: Name
    var columns: [String]
    var query: SelectSyntax
    var refusals: [Refusal]
}

enum StatementSyntax: Sendable {
    case table(TableSyntax)
    case view(ViewSyntax)
    case select(SelectSyntax)
    case timeZone(String, Span)
    case unsupported(Refusal)
}
