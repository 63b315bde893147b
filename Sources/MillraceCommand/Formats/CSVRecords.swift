/// Records of a CSV text (RFC 4180) as ranges of bytes, one record at a time, read in bounded pieces.
///
///     record  = field *("," field) (LF / CRLF / end of input)
///     field   = *(any byte but comma, quote, CR, LF)  /  quote *(any byte but quote / quote quote) quote
///
/// A quoted field may hold commas and line ends; a quote in it is written twice. Empty lines are skipped. A byte order
/// mark at the beginning is skipped. Does not know about types or headers: that is `CSVInput`.
struct CSVRecords {
    struct Field: Equatable {
        /// Of `bytes`, without the quotes around it.
        var range: Range<Int>
        var isQuoted: Bool
        /// Holds quotes written twice.
        var isEscaped: Bool
    }

    /// Longest record: what one batch can carry.
    static let recordBytesMax = 16 << 20
    private static let readBytes = 1 << 18

    /// Fields of the record that `next` found; their bytes are valid until the following `next`.
    private(set) var fields: [Field] = []
    private(set) var bytes: [UInt8] = []
    /// Line of the input on which the record begins, from 1.
    private(set) var line = 0
    /// Bytes of the input up to the end of the record.
    private(set) var bytesTaken = 0

    private var position = 0
    private var isAtEnd = false
    private var nextLine = 1
    private let refill: (inout [UInt8], Int) throws -> Int

    /// `refill` appends at most so many bytes and returns how many: 0 at the end of the input.
    init(refill: @escaping (inout [UInt8], Int) throws -> Int) {
        self.refill = refill
    }

    /// False at the end of the input.
    mutating func next() throws -> Bool {
        while true {
            switch try scanRecord() {
            case .record(let end, let lines):
                bytesTaken += end - position
                position = end
                line = nextLine
                nextLine += lines
                if fields.count == 1 && fields[0].range.isEmpty && !fields[0].isQuoted { continue }
                if line == 1 && bytesTaken == end { dropByteOrderMark() }
                return true
            case .end:
                return false
            case .more:
                try readMore()
            }
        }
    }

    /// The field's text, with doubled quotes made single.
    func text(_ field: Field) -> ArraySlice<UInt8> {
        let raw = bytes[field.range]
        if !field.isEscaped { return raw }
        var text: [UInt8] = []
        text.reserveCapacity(raw.count)
        var skipsNext = false
        for byte in raw {
            if byte == quote && !skipsNext {
                skipsNext = true
                text.append(byte)
            } else if byte == quote {
                skipsNext = false
            } else {
                skipsNext = false
                text.append(byte)
            }
        }
        return text[...]
    }

    private enum Scan {
        case record(end: Int, lines: Int)
        case more
        case end
    }

    /// Finds the record that begins at `position`; asks for more where the bytes end before it does.
    private mutating func scanRecord() throws -> Scan {
        fields.removeAll(keepingCapacity: true)
        var index = position
        if index == bytes.count { return isAtEnd ? .end : .more }
        var lines = 0
        while true {
            guard let field = try scanField(from: index, lines: &lines) else { return .more }
            fields.append(field)
            index = field.range.upperBound + (field.isQuoted ? 1 : 0)
            guard index < bytes.count else { return isAtEnd ? .record(end: index, lines: lines + 1) : .more }
            switch bytes[index] {
            case comma:
                index += 1
                if index == bytes.count && !isAtEnd { return .more }
            case newline:
                return .record(end: index + 1, lines: lines + 1)
            case carriageReturn:
                if index + 1 == bytes.count && !isAtEnd { return .more }
                let isPair = index + 1 < bytes.count && bytes[index + 1] == newline
                return .record(end: index + (isPair ? 2 : 1), lines: lines + 1)
            default:
                throw CSVFault(
                    line: nextLine + lines,
                    message: "text after the closing quote of a field; write a quote inside a quoted field twice")
            }
        }
    }

    /// nil where the bytes end inside the field and more may come.
    private func scanField(from start: Int, lines: inout Int) throws -> Field? {
        if start < bytes.count && bytes[start] == quote { return try scanQuoted(from: start + 1, lines: &lines) }
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            if byte == comma || byte == newline || byte == carriageReturn { break }
            if byte == quote {
                throw CSVFault(
                    line: nextLine + lines,
                    message: "a quote inside an unquoted field; put the whole field in quotes and write the quote twice")
            }
            index += 1
        }
        if index == bytes.count && !isAtEnd { return nil }
        return Field(range: start..<index, isQuoted: false, isEscaped: false)
    }

    private func scanQuoted(from start: Int, lines: inout Int) throws -> Field? {
        var index = start
        var isEscaped = false
        let firstLine = nextLine + lines
        while index < bytes.count {
            if bytes[index] == newline { lines += 1 }
            if bytes[index] == quote {
                let following = index + 1
                if following == bytes.count && !isAtEnd { return nil }
                guard following < bytes.count && bytes[following] == quote else {
                    return Field(range: start..<index, isQuoted: true, isEscaped: isEscaped)
                }
                isEscaped = true
                index += 1
            }
            index += 1
        }
        if isAtEnd { throw CSVFault(line: firstLine, message: "a quoted field that is never closed") }
        return nil
    }

    private mutating func readMore() throws {
        if bytes.count - position > Self.recordBytesMax {
            throw CSVFault(line: nextLine, message: "a record of more than \(Self.recordBytesMax >> 20) MiB")
        }
        bytes.removeFirst(position)
        position = 0
        // Doubling keeps the work linear where one record needs several reads.
        if try refill(&bytes, max(Self.readBytes, bytes.count)) == 0 { isAtEnd = true }
    }

    private mutating func dropByteOrderMark() {
        let range = fields[0].range
        if bytes[range].starts(with: [0xEF, 0xBB, 0xBF]) { fields[0].range = range.lowerBound + 3..<range.upperBound }
    }

    private var comma: UInt8 { UInt8(ascii: ",") }
    private var quote: UInt8 { UInt8(ascii: "\"") }
    private var newline: UInt8 { UInt8(ascii: "\n") }
    private var carriageReturn: UInt8 { UInt8(ascii: "\r") }
}

/// What is wrong with a CSV text, and on which line.
struct CSVFault: Error, Hashable {
    var line: Int
    var message: String
}
