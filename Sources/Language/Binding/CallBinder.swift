import Values

extension SelectBinder {
    /// `name(…)`, with or without OVER.
    func call(_ call: CallSyntax, _ span: Span) throws(Reported) -> Typed {
        if let part = call.unsupported { throw reporter.error("\(part) is not in the vocabulary", span) }
        if let kind = WindowVocabulary.kind(call.name) { return try windowCall(call, kind, span) }
        if let remedy = WindowVocabulary.elsewhere[call.name] {
            throw reporter.error("\(call.name) is not in the vocabulary", call.nameSpan, remedy: remedy.isEmpty ? nil : remedy)
        }
        guard let function = ScalarFunctions.known[call.name] else { throw unknownFunction(call) }
        if call.window != nil {
            throw reporter.error(
                "OVER specified, but \(call.name) is neither a window function nor an aggregate", span,
                remedy: "leave OVER out, or put it behind the aggregate inside")
        }
        if let ignoresNulls = call.ignoresNulls {
            throw reporter.error(
                "\(ignoresNulls ? "IGNORE NULLS" : "RESPECT NULLS") goes with lag, first_value, last_value and nth_value", span)
        }
        if call.filter != nil || call.isDistinct || call.isStar || !call.orderBy.isEmpty {
            let word =
                call.filter != nil
                ? "FILTER"
                : call.isDistinct ? "DISTINCT" : call.isStar ? "*" : "ORDER BY"
            throw reporter.error("\(word) belongs to aggregates, and \(call.name) is not one", span)
        }
        if call.name == "make_interval" { return try makeInterval(call, span) }
        if let name = call.argumentNames.compactMap({ $0 }).first {
            throw reporter.error(
                "\(call.name) has no argument called \(name)", span, remedy: "give the arguments in order, without names")
        }
        var arguments: [Typed] = []
        for argument in call.arguments { arguments.append(try bind(argument)) }
        return try ScalarFunctions(binder: self, name: call.name, arguments: arguments, span: span, nameSpan: call.nameSpan)
            .bound(function)
    }

    private func unknownFunction(_ call: CallSyntax) -> Reported {
        if let remedy = ScalarFunctions.elsewhere[call.name] {
            return reporter.error("function \(call.name) does not exist", call.nameSpan, remedy: remedy)
        }
        if ScalarFunctions.clocks.contains(call.name) {
            return reporter.error(
                "\(call.name)() depends on the clock, and answers follow from the events alone", call.nameSpan,
                remedy: "use the event time column")
        }
        if call.name == "random" || call.name == "gen_random_uuid" {
            return reporter.error(
                "\(call.name)() gives another value each time, and answers follow from the events alone", call.nameSpan)
        }
        let near = Suggestion.nearest(to: call.name, among: Array(ScalarFunctions.known.keys).sorted() + WindowVocabulary.names)
        return reporter.error("function \(call.name) does not exist", call.nameSpan, remedy: near.map { "did you mean \($0)?" })
    }

    /// make_interval(days => 7, hours => 1.5 …), of constants.
    private func makeInterval(_ call: CallSyntax, _ span: Span) throws(Reported) -> Typed {
        let parameters = ["years", "months", "weeks", "days", "hours", "mins", "secs"]
        let units: [Interval.Unit] = [.year, .month, .week, .day, .hour, .minute, .second]
        var total = Interval()
        for (index, argument) in call.arguments.enumerated() {
            let place = call.argumentNames[index].map { parameters.firstIndex(of: $0) } ?? index
            guard let place, place < units.count else {
                throw reporter.error("make_interval takes \(parameters.joined(separator: ", "))", argument.span)
            }
            let value = try bind(argument)
            guard value.type.isNumber, value.constant != nil,
                let part = Interval(reporter.text(argument.span), bareUnit: units[place]), let sum = total.adding(part)
            else {
                throw reporter.error(
                    "make_interval takes constant numbers here", argument.span,
                    remedy: "for a variable span, write x * INTERVAL '1 second'")
            }
            total = sum
        }
        return Typed(.constant(.interval(total), .interval), isNullable: false, span: span)
    }
}
