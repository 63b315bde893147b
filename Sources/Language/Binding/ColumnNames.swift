import Values

/// Names of columns: whose they are, and what was meant where there is none.
extension SelectBinder {
    /// `column`, or `table.column`.
    func column(_ names: [String], _ span: Span) throws(Reported) -> Typed {
        guard place != .frameOffset else {
            throw reporter.error(
                "a frame's offset must be a constant, and \(reporter.quoted(span)) is a column", span,
                remedy: "write the distance itself, such as INTERVAL '1 hour'")
        }
        guard names.count <= 2, let name = names.last else {
            throw reporter.error("a definition has no schemas", span, remedy: "write column, or table.column")
        }
        let qualifier = names.count == 2 ? names[0] : nil
        if let qualifier, !scope.sources.contains(qualifier) {
            throw reporter.error(
                "missing FROM-clause entry for table \"\(qualifier)\"", span,
                remedy: "what FROM names is \(scope.alias)\(scope.sources.count == 1 ? ": \(scope.alias).\(name)" : "")")
        }
        let matches = qualifier.map { scope.candidates(name, of: $0) } ?? scope.candidates(name)
        guard let index = matches.first else {
            if qualifier == nil, let output = aliases[name] { return Typed(output, span: span) }
            throw unknownColumn(name, of: qualifier, span)
        }
        guard matches.count == 1 else { throw ambiguous(name, matches, qualifier, span) }
        let column = scope.columns[index]
        return Typed(.column(index, column.type), isNullable: column.isNullable, isWindowed: column.isWindowed, span: span)
    }

    private func ambiguous(_ name: String, _ matches: [Int], _ qualifier: String?, _ span: Span) -> Reported {
        let sources = Set(matches.compactMap { scope.columns[$0].source })
        if sources.count > 1 {
            return reporter.error(
                "column \"\(name)\" is ambiguous: \(sources.sorted().map { scope.sources[$0] }.joined(separator: " and ")) have one",
                span, remedy: "say whose: \(scope.sources[sources.min()!]).\(name)")
        }
        return reporter.error(
            "column \"\(name)\" is ambiguous: \(qualifier ?? scope.alias) has \(matches.count) of that name", span,
            remedy: "give them different names where they are made")
    }

    private func unknownColumn(_ name: String, of qualifier: String?, _ span: Span) -> Reported {
        let place = qualifier ?? scope.alias
        let names = scope.columns.filter { column in
            column.source.map { qualifier == nil || scope.sources[$0] == qualifier } ?? false
        }.map(\.name)
        if let near = Suggestion.nearest(to: name, among: names) {
            return reporter.error("column \"\(name)\" does not exist in \(place)", span, remedy: "did you mean \(near)?")
        }
        if outputNames.contains(name) {
            return reporter.error(
                "column \"\(name)\" does not exist in \(place): an output column cannot be read beside it", span,
                remedy: "repeat its expression, or read it in an outer query: SELECT … FROM (SELECT …) f")
        }
        let listed = names.prefix(12).joined(separator: ", ")
        return reporter.error(
            "column \"\(name)\" does not exist in \(place)", span,
            remedy: "it has \(listed)\(names.count > 12 ? ", …" : "")")
    }
}
