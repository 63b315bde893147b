import CPostgresParser

/// Names of types, with their modifiers.
extension TreeReader {
    func type(_ type: PgQuery__TypeName) -> TypeSyntax {
        let names = strings(type.names, type.n_names)
        let first = token(type.location)
        var isUnusual = type.n_array_bounds > 0 || type.setof != 0 || type.pct_type != 0
        let modifiers = list(type.typmods, type.n_typmods).compactMap { node -> Int64? in
            guard case .integer(let value) = expression(node).kind else { isUnusual = true; return nil }
            return value
        }
        return TypeSyntax(name: names.last ?? "", modifiers: modifiers, isUnusual: isUnusual, span: typeSpan(first))
    }

    private func typeSpan(_ first: Int) -> Span {
        let continuations: Set<String> = ["precision", "varying", "with", "without", "time", "zone"]
        var last = first
        if tokens.text(last + 1) == "." { last += 2 }
        while last < statement.last {
            if let close = partner(last + 1), close > last {
                last = close
            } else if let word = tokens.keyword(last + 1), continuations.contains(word),
                word != "with" || tokens.keyword(last + 2) == "time"
            {
                last += 1
            } else {
                break
            }
        }
        while tokens.text(last + 1) == "[", last < statement.last {
            last += 1
            while last < statement.last, tokens.text(last) != "]" { last += 1 }
        }
        return span(first, last)
    }
}
