import Values

/// Functions whose arguments are more than expressions of the row.
extension WindowArguments {
    func extreme(_ function: WindowFunction) throws(Reported) -> Bound {
        let value = try settled(arguments(1)[0])
        guard value.type != .boolean else {
            throw reporter.error(
                "function \(call.name)(boolean) does not exist", call.headSpan,
                remedy: "write \(function == .minimum ? "bool_and" : "bool_or")(\(reporter.code(value.span)))")
        }
        return Bound(function: function, values: [value], type: value.type)
    }

    func bits(_ function: WindowFunction) throws(Reported) -> Bound {
        var value = try arguments(1)[0]
        if value.isUnknown { value = try coercion.literal(value, as: .bigint) }
        guard value.type.isInteger else {
            throw reporter.error(
                "\(call.name) works on integers, and \(reporter.quoted(value.span)) is \(value.typeName)", value.span,
                remedy: value.type == .boolean
                    ? "write \(function == .bitAnd ? "bool_and" : "bool_or")(\(reporter.code(value.span)))"
                    : "convert it: CAST(\(reporter.code(value.span)) AS bigint)")
        }
        return Bound(function: function, values: [value], type: value.type)
    }

    // MARK: Conditions

    func countIf(_ filter: Typed?) throws(Reported) -> Bound {
        try expect(1...1)
        let condition = try binder.condition(call.arguments[0], call.name)
        return Bound(function: .count, values: [], type: .bigint, filter: both(filter, condition))
    }

    func anyValue(_ filter: Typed?) throws(Reported) -> Bound {
        var value = try settled(arguments(1)[0])
        if let filter {
            let branch = Expression.Branch(condition: filter.expression, value: value.expression)
            value = Typed(
                .choose([branch], otherwise: .constant(.null, value.type), value.type), isNullable: true,
                isWindowed: value.isWindowed || filter.isWindowed, span: value.span)
        }
        return Bound(function: .firstValue, values: [value], type: value.type, ignoresNulls: true)
    }

    func decayedCount(_ filter: Typed?) throws(Reported) -> Bound {
        try expect(1...2)
        guard call.arguments.count == 2 else {
            return Bound(function: .decayedCount(.integer(0)), values: [], type: .double, filter: filter)
        }
        var isThere = Typed(.isNotNull, [try settled(binder.bind(call.arguments[0]))], .boolean, span: call.arguments[0].span)
        isThere.isNullable = false
        return Bound(function: .decayedCount(.integer(0)), values: [], type: .double, filter: both(filter, isThere))
    }

    private func both(_ filter: Typed?, _ condition: Typed) -> Typed {
        filter.map { Typed(.and, [$0, condition], .boolean, span: condition.span) } ?? condition
    }

    // MARK: Ordered sets

    /// `f(x, fraction)`, or `f(fraction) WITHIN GROUP (ORDER BY x)`.
    func quantile(_ isDiscrete: Bool) throws(Reported) -> Bound {
        let value: Typed
        let share: Typed
        if call.isWithinGroup {
            share = try arguments(1)[0]
            value = try ordered(direct: 1)
        } else {
            let given = try arguments(2)
            (value, share) = (given[0], given[1])
        }
        let fraction = try fraction(share)
        let number = isDiscrete ? try number(value) : try double(value)
        return Bound(
            function: isDiscrete ? .quantileDiscrete(fraction) : .quantileContinuous(fraction), values: [number],
            type: number.type)
    }

    /// The one expression of WITHIN GROUP, ascending.
    func ordered(direct: Int) throws(Reported) -> Typed {
        try expect(direct...direct)
        guard call.orderBy.count == 1 else {
            throw reporter.error(
                "\(call.name) takes one ORDER BY expression", call.headSpan, remedy: "write WITHIN GROUP (ORDER BY x)")
        }
        if call.orderBy[0].isDescending {
            throw reporter.error(
                "\(call.name) counts from the least value up", call.orderBy[0].span,
                remedy: kind == .quantile(isDiscrete: false) ? "leave DESC out, and write 1 minus the fraction" : "leave DESC out"
            )
        }
        return try binder.bind(call.orderBy[0].expression)
    }

    private func fraction(_ value: Typed) throws(Reported) -> Double {
        let value = value.isUnknown ? try coercion.literal(value, as: .double) : value
        let constant =
            value.type.isNumber ? ConstantFolding.value(coercion.convert(value, to: .double).expression) : nil
        guard case .double(let fraction)? = constant else {
            throw reporter.error(
                "\(call.name)'s fraction must be a constant", value.span, remedy: "write the number itself, such as 0.95")
        }
        guard fraction >= 0, fraction <= 1 else {
            throw reporter.error(
                "\(call.name)'s fraction lies between 0 and 1", value.span, remedy: "write 0.95 for the 95th percentile")
        }
        return fraction
    }

    // MARK: Others

    func texts() throws(Reported) -> Bound {
        try expect(1...2)
        let value = try settled(binder.bind(call.arguments[0]))
        guard value.type == .text else {
            throw reporter.error(
                "\(call.name) joins texts, and \(reporter.quoted(value.span)) is \(value.typeName)", value.span,
                remedy: "convert it: CAST(\(reporter.code(value.span)) AS text)")
        }
        guard call.arguments.count == 2 else {
            return Bound(function: .stringAggregate(separator: ","), values: [value], type: .text)
        }
        let separator = try settled(binder.bind(call.arguments[1]))
        guard case .text(let text)? = ConstantFolding.value(separator.expression) else {
            throw reporter.error(
                "\(call.name)'s separator must be a constant text", separator.span, remedy: "write it in single quotes: ', '")
        }
        return Bound(function: .stringAggregate(separator: text), values: [value], type: .text)
    }

    func nthValue() throws(Reported) -> Bound {
        let given = try arguments(2)
        let value = try settled(given[0])
        let position = try constantInteger(given[1], "nth_value's second argument")
        guard position > 0 else {
            throw reporter.error(
                "nth_value counts from 1", call.arguments[1].span,
                remedy: "write nth_value(x, 1) for the first row of the frame")
        }
        return Bound(
            function: .nthValue(position), values: [value], type: value.type, ignoresNulls: call.ignoresNulls ?? false)
    }

    func lag() throws(Reported) -> Bound {
        try expect(1...3)
        var given: [Typed] = []
        for argument in call.arguments { given.append(try binder.bind(argument)) }
        var offset: Int64 = 1
        if given.count > 1 {
            offset = try constantInteger(given[1], "lag's offset")
            guard offset >= 0 else {
                throw reporter.error(
                    "a negative offset reads a row that comes later, and an answer is given now", given[1].span,
                    remedy: "count the rows back: lag(x, 1)")
            }
        }
        // The default takes part in the type of the first argument.
        let values = try binder.unified([given[0]] + given.dropFirst(2), "lag")
        return Bound(
            function: .lag(offset: offset), values: values, type: values[0].type, ignoresNulls: call.ignoresNulls ?? false)
    }
}
