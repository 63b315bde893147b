import Values

/// A frame clause, checked against the type of the event time.
struct FrameBinder {
    let binder: SelectBinder
    let timeType: ValueType
    let hasTieBreakers: Bool

    private var reporter: Reporter { binder.reporter }

    func bound(_ syntax: WindowSyntax.FrameSyntax?) throws(Reported) -> Frame {
        guard let syntax else { return .standard }
        let mode: Frame.Mode =
            switch syntax.mode {
            case .range: .range
            case .rows: .rows
            case .groups: .groups
            }
        let start = try bound(syntax.start, mode, syntax, isEnd: false)
        let end = try bound(syntax.end, mode, syntax, isEnd: true)
        if case .preceding(let far) = start, case .preceding(let near) = end, isShorter(far, near) {
            reporter.warning(
                "this frame is always empty: it begins after its end", syntax.span, remedy: "the longer distance goes first")
        }
        let exclusion: Frame.Exclusion =
            switch syntax.exclusion {
            case .noOthers: .noOthers
            case .currentRow: .currentRow
            case .group: .group
            case .ties: .ties
            }
        return Frame(mode: mode, start: start, end: end, exclusion: exclusion)
    }

    private func isShorter(_ left: Frame.Distance, _ right: Frame.Distance) -> Bool {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): left < right
        case (.interval(let left), .interval(let right)): left.normalizedMicroseconds < right.normalizedMicroseconds
        default: false
        }
    }

    private func bound(_ bound: WindowSyntax.BoundSyntax, _ mode: Frame.Mode, _ frame: WindowSyntax.FrameSyntax, isEnd: Bool)
        throws(Reported) -> Frame.Bound
    {
        switch bound {
        case .unboundedPreceding: return .unboundedPreceding
        case .currentRow: return .currentRow
        case .unboundedFollowing:
            throw future(span(endingIn: "following", of: frame, from: nil))
        case .following(let offset):
            throw future(span(endingIn: "following", of: frame, from: offset.span))
        case .preceding(let offset):
            if mode == .range, hasTieBreakers {
                throw reporter.error(
                    "RANGE with a distance needs exactly one ORDER BY column", frame.span,
                    remedy: "order by the event time alone, or count rows with ROWS")
            }
            return .preceding(mode == .range ? try distance(offset) : .integer(try count(offset, mode)))
        }
    }

    private func future(_ span: Span) -> Reported {
        reporter.error(
            "a frame that ends in the future cannot be answered now", span, remedy: "end it at CURRENT ROW or PRECEDING")
    }

    /// From the offset (or UNBOUNDED) to the word that closes the bound.
    private func span(endingIn word: String, of frame: WindowSyntax.FrameSyntax, from offset: Span?) -> Span {
        let tokens = reporter.files[frame.span.file]
        let from = offset?.last ?? frame.span.first
        guard
            let close = (from...frame.span.last).last(where: { tokens.keyword($0) == word && (offset == nil || $0 <= from + 3) })
        else { return frame.span }
        return Span(file: frame.span.file, first: offset?.first ?? max(frame.span.first, close - 1), last: close)
    }

    private func constant(_ offset: ExpressionSyntax) throws(Reported) -> Typed {
        let outer = binder.place
        binder.place = .frameOffset
        defer { binder.place = outer }
        return try binder.bind(offset)
    }

    private func count(_ offset: ExpressionSyntax, _ mode: Frame.Mode) throws(Reported) -> Int64 {
        var value = try constant(offset)
        if value.isUnknown { value = try binder.coercion.literal(value, as: .bigint) }
        guard value.type.isInteger, case .integer(let count)? = ConstantFolding.value(value.expression) else {
            let (word, counted) = mode == .rows ? ("ROWS", "rows") : ("GROUPS", "groups of rows of one time")
            throw reporter.error(
                "\(word) counts \(counted), and \(reporter.quoted(offset.span)) is not a whole number", offset.span,
                remedy: value.type == .interval
                    ? "a span of time goes with RANGE" : "write \(word) BETWEEN 9 PRECEDING AND CURRENT ROW")
        }
        return try positive(count, offset)
    }

    private func positive(_ count: Int64, _ offset: ExpressionSyntax) throws(Reported) -> Int64 {
        guard count >= 0 else { throw negative(offset) }
        return count
    }

    private func negative(_ offset: ExpressionSyntax) -> Reported {
        reporter.error(
            "a frame's distance must not be negative", offset.span,
            remedy: "a frame may end in the past: BETWEEN … PRECEDING AND … PRECEDING")
    }

    /// A constant span in the unit of the event time.
    func distance(_ offset: ExpressionSyntax, of what: String = "RANGE with a distance") throws(Reported) -> Frame.Distance {
        var value = try constant(offset)
        let wanted: ValueType = timeType.isInteger ? .bigint : .interval
        if value.isUnknown { value = try binder.coercion.literal(value, as: wanted) }
        guard timeType.isInteger == value.type.isInteger, value.type.isInteger || value.type == .interval else {
            let remedy = timeType.isInteger ? "write a whole number in the unit of the time column" : "write INTERVAL '7 days'"
            throw reporter.error(
                "\(what) of type \(value.typeName) does not go with event time of type \(timeType)", offset.span,
                remedy: remedy)
        }
        switch ConstantFolding.value(value.expression) {
        case .integer(let count)?: return .integer(try positive(count, offset))
        case .interval(let interval)?:
            guard interval.normalizedMicroseconds >= 0 else { throw negative(offset) }
            return .interval(interval)
        default:
            throw reporter.error(
                "a frame's distance must be a constant", offset.span,
                remedy: "write the distance itself, such as INTERVAL '1 hour'")
        }
    }
}
