/// Writes the body of a record that is not on the hot path.
struct BodyWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(text: String) {
        append(UInt32(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func pad() {
        bytes.append(contentsOf: repeatElement(0, count: LogFormat.padded(bytes.count) - bytes.count))
    }

    /// The body, with a message at its end, at a multiple of 8.
    consuming func finish(_ message: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)) -> LogBytes {
        pad()
        bytes.append(contentsOf: message)
        pad()
        return LogBytes(bytes)
    }
}

/// What is wrong with a body whose checksum is right.
struct BodyProblem: Error, Hashable {
    var found: String
    init(_ found: String) { self.found = found }
}

/// Reads a body front to back; nothing is believed to be there that is not.
struct BodyReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func number<Value: FixedWidthInteger & BitwiseCopyable>() throws(BodyProblem) -> Value {
        let part = try take(MemoryLayout<Value>.size)
        return Value(littleEndian: part.loadUnaligned(as: Value.self))
    }

    mutating func take(_ count: Int) throws(BodyProblem) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= bytes.count - position else {
            throw BodyProblem("a body of \(bytes.count) bytes, of which \(count) would begin at \(position)")
        }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<(position + count)])
    }

    mutating func text() throws(BodyProblem) -> String {
        let count: UInt32 = try number()
        return String(decoding: try take(Int(count)), as: UTF8.self)
    }

    /// Zeros up to the next multiple of 8.
    mutating func pad() throws(BodyProblem) {
        let zeros = try take(LogFormat.padded(position) - position)
        guard zeros.allSatisfy({ $0 == 0 }) else { throw BodyProblem("padding that is not zero") }
    }

    /// Nothing but padding follows.
    mutating func end() throws(BodyProblem) {
        try pad()
        guard position == bytes.count else { throw BodyProblem("\(bytes.count - position) bytes too many") }
    }
}
