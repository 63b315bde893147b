import Bounds
import Values

extension SelectBinder {
    /// The typed expression; `place` says where in the query it stands.
    func bind(_ syntax: ExpressionSyntax) throws(Reported) -> Typed {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Bounds.expressionDepthMax else {
            throw reporter.error(
                "nested deeper than the \(Bounds.expressionDepthMax) levels an expression may have", syntax.span,
                remedy: "split it: compute a part of it under a name in a subquery")
        }
        let bound = try unchecked(syntax)
        guard !bound.type.isArray || place == .output && depth == 1 else {
            throw reporter.error(
                "\(reporter.quoted(syntax.span)) is an array, \(bound.type): a result that nothing can be computed from",
                syntax.span, remedy: "put it out as a column of its own; aggregate its elements instead of the array")
        }
        return bound
    }

    private func unchecked(_ syntax: ExpressionSyntax) throws(Reported) -> Typed {
        let span = syntax.span
        switch syntax.kind {
        case .column(let names): return try column(names, span)
        case .star:
            throw reporter.error(
                "* stands for all columns, and only as an output column or in count(*)", span, remedy: "name one column")
        case .null: return Typed(.constant(.null, .text), isNullable: true, isUnknown: true, span: span)
        case .boolean(let value): return Typed(.constant(.boolean(value), .boolean), isNullable: false, span: span)
        case .integer(let value):
            return Typed(
                .constant(.integer(value), Int32(exactly: value) == nil ? .bigint : .integer), isNullable: false, span: span)
        case .number(let digits): return number(digits, span)
        case .string(let text): return Typed(.constant(.text(text), .text), isNullable: false, isUnknown: true, span: span)
        case .unary(let name, let operand): return try operators.unary(name, bind(operand), span: span)
        case .binary(let name, let left, let right): return try operators.binary(name, bind(left), bind(right), span: span)
        case .and(let items): return Typed(.and, try conditions(items, "AND"), .boolean, span: span)
        case .or(let items): return Typed(.or, try conditions(items, "OR"), .boolean, span: span)
        case .not(let operand): return Typed(.not, [try condition(operand, "NOT")], .boolean, span: span)
        case .cast(let operand, let type): return try cast(operand, type, span)
        case .call(let call): return try self.call(call, span)
        case .subquery: return try subqueryValue(span)
        case .exists:
            var found = Typed(.isTrue, [try subqueryValue(span)], .boolean, span: span)
            found.isNullable = false
            return found
        case .unsupported(let what, let remedy): throw reporter.error(what, span, remedy: remedy)
        default: return try predicate(syntax)
        }
    }

    private func number(_ digits: String, _ span: Span) -> Typed {
        guard let number = NumericText(digits) else {
            return Typed(.constant(.double(Double(digits) ?? .infinity), .double), isNullable: false, span: span)
        }
        return Typed(
            .constant(.decimal(number.unscaled), .numeric(precision: number.precision, scale: number.scale)), isNullable: false,
            span: span)
    }

    // MARK: Logic

    private func conditions(_ items: [ExpressionSyntax], _ word: String) throws(Reported) -> [Typed] {
        var bound: [Typed] = []
        var failure: Reported?
        for item in items {
            do throws(Reported) { bound.append(try condition(item, word)) } catch { failure = error }
        }
        if let failure { throw failure }
        return bound
    }

    /// A boolean, as WHERE, AND and their kind need it.
    func condition(_ syntax: ExpressionSyntax, _ word: String) throws(Reported) -> Typed {
        let bound = try bind(syntax)
        if bound.isUnknown { return try coercion.literal(bound, as: .boolean) }
        guard bound.type == .boolean else {
            throw reporter.error(
                "the argument of \(word) must be boolean, and \(reporter.quoted(syntax.span)) is \(bound.typeName)", syntax.span,
                remedy: bound.type.isNumber ? "compare it: \(reporter.code(syntax.span)) <> 0" : "compare it with a value")
        }
        return bound
    }

    private func predicate(_ syntax: ExpressionSyntax) throws(Reported) -> Typed {
        let span = syntax.span
        switch syntax.kind {
        case .isIn(let operand, let items, let negated): return try membership(operand, items, negated, span)
        case .between(let value, let low, let high, let negated, let symmetric):
            return try between(bind(value), bind(low), bind(high), negated, symmetric, span)
        case .like(let value, let pattern, let negated, let caseInsensitive):
            let value = try text(bind(value), "LIKE")
            return negate(
                Typed(.like(caseInsensitive: caseInsensitive), [value] + (try patterns(pattern)), .boolean, span: span),
                if: negated)
        case .distinctFrom(let left, let right, let negated):
            let function: Function = negated ? .isNotDistinctFrom : .isDistinctFrom
            return try operators.comparison(function, "IS DISTINCT FROM", bind(left), bind(right), span: span)
        case .nullIf(let left, let right):
            let (left, right) = (try bind(left), try bind(right))
            let (first, second) = try operators.matched("=", left, right, span: span)
            let whole = Typed(.nullIf, [first, second], first.type, mayFail: true, span: span)
            // The result keeps the first argument's own type where PostgreSQL compares the two types as they are.
            let isPromoted = left.isUnknown || first.type == left.type || left.type.form != first.type.form
            return isPromoted ? whole : narrowedNullIf(left, first, second, span)
        case .isNull(let operand, let negated):
            let operand = try coercion.settled(bind(operand))
            var result = Typed(negated ? .isNotNull : .isNull, [operand], .boolean, span: span)
            result.isNullable = false
            return result
        case .booleanTest(let operand, let test): return try booleanTest(operand, test, span)
        default: return try alternative(syntax)
        }
    }

    /// LIKE's pattern, and the character of ESCAPE, which the grammar wraps around it.
    private func patterns(_ syntax: ExpressionSyntax) throws(Reported) -> [Typed] {
        guard case .call(let call) = syntax.kind, call.name == "like_escape", call.arguments.count == 2 else {
            return [try text(bind(syntax), "LIKE")]
        }
        let escape = try text(bind(call.arguments[1]), "ESCAPE")
        guard case .text(let character)? = escape.constant, character.unicodeScalars.count <= 1 else {
            throw reporter.error("ESCAPE takes one character", escape.span, remedy: "write ESCAPE '\\'")
        }
        return [try text(bind(call.arguments[0]), "LIKE"), escape]
    }

    private func narrowedNullIf(_ left: Typed, _ first: Typed, _ second: Typed, _ span: Span) -> Typed {
        let equal = Expression.call(.equal, [first.expression, second.expression], .boolean)
        let branch = Expression.Branch(condition: equal, value: .constant(.null, left.type))
        return Typed(
            .choose([branch], otherwise: left.expression, left.type), isNullable: true,
            isWindowed: left.isWindowed || second.isWindowed, span: span)
    }

    private func negate(_ value: Typed, if negated: Bool) -> Typed {
        negated ? Typed(.not, [value], .boolean, span: value.span) : value
    }

    func text(_ value: Typed, _ word: String) throws(Reported) -> Typed {
        try coercion.implicit(value, to: .text, remedy: "\(word) works on text: CAST(\(reporter.code(value.span)) AS text)")
    }

    private func membership(_ operand: ExpressionSyntax, _ items: [ExpressionSyntax], _ negated: Bool, _ span: Span)
        throws(Reported) -> Typed
    {
        var values = [try bind(operand)]
        for item in items { values.append(try bind(item)) }
        guard let type = coercion.commonType(values) else {
            let other = values.dropFirst().first { coercion.commonType([values[0], $0]) == nil } ?? values[0]
            throw reporter.error(
                "\(reporter.quoted(other.span)) is \(other.typeName), and cannot be compared with \(values[0].typeName)",
                other.span,
                remedy: "write a value of type \(values[0].typeName)")
        }
        var converted: [Typed] = []
        for value in values { converted.append(try coercion.implicit(value, to: type)) }
        return negate(Typed(.isIn, converted, .boolean, span: span), if: negated)
    }

    private func between(_ value: Typed, _ low: Typed, _ high: Typed, _ negated: Bool, _ symmetric: Bool, _ span: Span)
        throws(Reported) -> Typed
    {
        func inside(_ low: Typed, _ high: Typed) throws(Reported) -> Typed {
            let above = try operators.comparison(.greaterOrEqual, ">=", value, low, span: span)
            let below = try operators.comparison(.lessOrEqual, "<=", value, high, span: span)
            return Typed(.and, [above, below], .boolean, span: span)
        }
        let forward = try inside(low, high)
        let whole = symmetric ? Typed(.or, [forward, try inside(high, low)], .boolean, span: span) : forward
        return negate(whole, if: negated)
    }

    private func booleanTest(_ operand: ExpressionSyntax, _ test: BooleanTest, _ span: Span) throws(Reported) -> Typed {
        let operand = try condition(operand, "IS")
        let function: Function =
            switch test {
            case .isTrue: .isTrue
            case .isNotTrue: .isNotTrue
            case .isFalse: .isFalse
            case .isNotFalse: .isNotFalse
            case .isUnknown: .isNull
            case .isNotUnknown: .isNotNull
            }
        var result = Typed(function, [operand], .boolean, span: span)
        result.isNullable = false
        return result
    }

    // MARK: Alternatives

    private func alternative(_ syntax: ExpressionSyntax) throws(Reported) -> Typed {
        switch syntax.kind {
        case .choose(let operand, let branches, let otherwise): return try choose(operand, branches, otherwise, syntax.span)
        case .coalesce(let items):
            let values = try common(items, "COALESCE")
            var result = Typed(.coalesce, values, values[0].type, span: syntax.span)
            result.isNullable = values.allSatisfy(\.isNullable)
            return result
        case .greatest(let items), .least(let items):
            let isGreatest = if case .greatest = syntax.kind { true } else { false }
            let values = try common(items, isGreatest ? "GREATEST" : "LEAST")
            var result = Typed(isGreatest ? .greatest : .least, values, values[0].type, span: syntax.span)
            result.isNullable = values.allSatisfy(\.isNullable)
            return result
        default: throw reporter.error("this expression is not in the vocabulary", syntax.span)
        }
    }

    private func common(_ items: [ExpressionSyntax], _ word: String) throws(Reported) -> [Typed] {
        var values: [Typed] = []
        for item in items { values.append(try bind(item)) }
        return try unified(values, word)
    }

    /// All values in the type that they have in common.
    func unified(_ values: [Typed], _ word: String) throws(Reported) -> [Typed] {
        guard let type = coercion.commonType(values) else {
            let first = values.first { !$0.isUnknown } ?? values[0]
            let other = values.first { coercion.commonType([first, $0]) == nil } ?? values[0]
            throw reporter.error(
                "\(word) types \(first.typeName) and \(other.typeName) cannot be matched", other.span,
                remedy: conversion(of: other, to: first))
        }
        var converted: [Typed] = []
        for value in values { converted.append(try coercion.implicit(value, to: type)) }
        return converted
    }

    private func conversion(of value: Typed, to other: Typed) -> String? {
        if CastRules.isPossible(from: value.type, to: other.type) {
            return "convert one of them: CAST(\(reporter.code(value.span)) AS \(other.type))"
        }
        return CastRules.isPossible(from: other.type, to: .text) && value.type == .boolean && other.type.isNumber
            ? "convert one of them: CASE WHEN \(reporter.code(value.span)) THEN 1 ELSE 0 END" : nil
    }

    private func choose(
        _ operand: ExpressionSyntax?, _ branches: [BranchSyntax], _ otherwise: ExpressionSyntax?, _ span: Span
    ) throws(Reported) -> Typed {
        let subject: Typed? = if let operand { try bind(operand) } else { nil }
        var conditions: [Typed] = []
        var values: [Typed] = []
        for branch in branches {
            if let subject {
                let value = try bind(branch.condition)
                conditions.append(try operators.comparison(.equal, "=", subject, value, span: branch.condition.span))
            } else {
                conditions.append(try condition(branch.condition, "CASE WHEN"))
            }
            values.append(try bind(branch.value))
        }
        let absent = Typed(.constant(.null, .text), isNullable: true, isUnknown: true, span: span)
        let last: Typed = if let otherwise { try bind(otherwise) } else { absent }
        values.append(last)
        let unified = try unified(values, "CASE")
        let pairs = zip(conditions, unified).map { Expression.Branch(condition: $0.expression, value: $1.expression) }
        let fallback = unified[unified.count - 1]
        return Typed(
            .choose(pairs, otherwise: fallback.expression, fallback.type), isNullable: unified.contains(where: \.isNullable),
            isWindowed: (conditions + unified).contains(where: \.isWindowed), span: span)
    }
}
