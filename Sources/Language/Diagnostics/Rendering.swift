extension Diagnostic {
    /// The diagnostic as a person reads it:
    ///
    ///     card.sql:7:31: error: a frame that ends in the future cannot be answered now
    ///         RANGE BETWEEN CURRENT ROW AND INTERVAL '1 hour' FOLLOWING
    ///                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ///       end it at CURRENT ROW or PRECEDING
    ///
    /// Columns count characters from 1. At most three lines of the text are shown, and of a long line what is around
    /// the words meant.
    public func rendered(sources: [SourceText]) -> String {
        let kind = severity == .error ? "error" : "warning"
        var lines: [String] = []
        if let location, sources.indices.contains(location.file) {
            let excerpt = Excerpt(text: Array(sources[location.file].text.utf8), bytes: location.bytes)
            lines.append("\(sources[location.file].name):\(excerpt.line):\(excerpt.column): \(kind): \(message)")
            lines += excerpt.lines.map { $0.isEmpty ? $0 : "    " + $0 }
        } else {
            lines.append("\(kind): \(message)")
        }
        if let remedy { lines.append("  " + remedy) }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// `Diagnostic.rendered` as a free function.
public func render(_ diagnostic: Diagnostic, sources: [SourceText]) -> String {
    diagnostic.rendered(sources: sources)
}

/// The lines of a text that a range of its bytes touches, with carets under the range.
private struct Excerpt {
    static let linesMax = 3
    static let widthMax = 120

    /// From 1.
    let line: Int
    let column: Int
    let lines: [String]

    init(text: [UInt8], bytes: Range<Int>) {
        let start = min(bytes.lowerBound, text.count)
        let end = max(start, min(bytes.upperBound, text.count))
        var lineStart = text[..<start].lastIndex(of: 10).map { $0 + 1 } ?? 0
        line = text[..<lineStart].reduce(1) { $1 == 10 ? $0 + 1 : $0 }
        column = String(decoding: text[lineStart..<start], as: UTF8.self).count + 1
        var shown: [String] = []
        for _ in 0..<Excerpt.linesMax {
            let lineEnd = text[lineStart...].firstIndex(of: 10) ?? text.count
            shown += Excerpt.marked(
                text[lineStart..<lineEnd], max(start, lineStart)..<max(max(start, lineStart), min(end, lineEnd)))
            guard lineEnd < end, lineEnd + 1 < text.count else { break }
            lineStart = lineEnd + 1
        }
        lines = shown
    }

    /// One line and the carets below it. Tabs are shown as spaces.
    private static func marked(_ line: ArraySlice<UInt8>, _ range: Range<Int>) -> [String] {
        var before = printable(line[line.startIndex..<range.lowerBound])
        var middle = printable(line[range])
        var after = printable(line[range.upperBound..<line.endIndex])
        if middle.count > widthMax { middle = Array(middle.prefix(widthMax - 1)) + ["…"]; after = [] }
        // A line that begins with white space inside of the range is marked from its first word.
        let leading = middle.prefix { $0 == " " }.count
        if leading < middle.count {
            before += middle.prefix(leading)
            middle.removeFirst(leading)
        }
        let room = max(0, widthMax - middle.count)
        // What follows keeps a little of the line, so that the words meant stand in their surroundings.
        let ahead = max(0, room - min(after.count, 24))
        if before.count > ahead { before = ["…"] + before.suffix(max(0, ahead - 1)) }
        if !after.isEmpty, before.count + after.count > room { after = Array(after.prefix(max(0, room - before.count))) + ["…"] }
        let text = String(before + middle + after)
        let indent = before.prefix { $0 == " " }.count
        let common = min(indent, before.count)
        let shown = String(text.dropFirst(common))
        guard !shown.isEmpty else { return [] }
        let padding = before.dropFirst(common).reduce(0) { $0 + width($1) }
        let carets = max(1, middle.reduce(0) { $0 + width($1) })
        return [trimmed(shown), String(repeating: " ", count: padding) + String(repeating: "^", count: carets)]
    }

    private static func printable(_ bytes: ArraySlice<UInt8>) -> [Character] {
        String(decoding: bytes, as: UTF8.self).map { character in
            character.unicodeScalars.contains { $0.value < 32 || $0.value == 127 } ? " " : character
        }
    }

    private static func trimmed(_ line: String) -> String {
        String(line.reversed().drop { $0 == " " }.reversed())
    }

    /// Columns of a terminal that the character takes up: two for East Asian wide ones and emoji.
    private static func width(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first?.value else { return 0 }
        switch scalar {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
