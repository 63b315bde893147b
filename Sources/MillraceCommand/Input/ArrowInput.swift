import Linux
import Millrace
import Values
import Wire

/// Batches of an Arrow file or stream, matched with a table's columns by name.
///
/// Files are mapped and read where they stand; a pipe is read one message at a time.
final class ArrowInput {
    private enum Messages {
        case file(ArrowFileReader)
        case stream(ArrowStreamReader)
        case pipe(ByteStream)
    }

    private let name: String
    private var messages: Messages
    private let reader: BatchReader
    /// Keeps the bytes that messages point into.
    private let mapped: MappedFile?
    private(set) var bytesTaken = 0

    private static let fileMagic = Array("ARROW1".utf8)

    /// Whether bytes begin as an Arrow file or stream does.
    static func isArrow(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.starts(with: fileMagic) || bytes.starts(with: [0xFF, 0xFF, 0xFF, 0xFF])
    }

    init(name: String, mapped file: MappedFile, fields: [Field]) throws {
        self.name = name
        mapped = file
        do throws(WireError) {
            if ArrowFileReader.isFile(file.bytes) {
                let arrow = try ArrowFileReader(file.bytes)
                messages = .file(arrow)
                reader = try BatchReader(target: fields, source: arrow.schema, limits: .file)
            } else {
                let arrow = try ArrowStreamReader(file.bytes)
                messages = .stream(arrow)
                reader = try BatchReader(target: fields, source: arrow.schema, limits: .file)
            }
        } catch {
            throw InputError("\(name): \(error)")
        }
    }

    init(name: String, stream: ByteStream, fields: [Field]) throws {
        self.name = name
        mapped = nil
        messages = .pipe(stream)
        if try stream.peek(6).starts(with: Self.fileMagic) {
            throw InputError(
                "\(name): an Arrow file has its index at its end and cannot come through a pipe; send an Arrow stream")
        }
        guard let first = try Self.nextMessage(stream, name) else { throw InputError("\(name): the Arrow stream is empty") }
        do throws(WireError) {
            reader = try BatchReader(target: fields, source: try ArrowStreamReader(first.bytes).schema, limits: .file)
        } catch {
            throw InputError("\(name): \(error)")
        }
    }

    /// nil at the end.
    func next() throws -> ArrowBatch? {
        do {
            while let (message, kind, owner) = try nextMessage() {
                bytesTaken += message.count
                if kind == .batch { return try ArrowBatch(message: message, owner: owner, reader: reader) }
                try reader.addDictionary(message: message)
            }
            return nil
        } catch let error as WireError {
            throw InputError("\(name): \(error)")
        }
    }

    private func nextMessage() throws -> (bytes: UnsafeRawBufferPointer, kind: ArrowMessage.Kind, owner: AnyObject)? {
        switch messages {
        case .file(var file):
            defer { messages = .file(file) }
            return try file.next().map { ($0.bytes, $0.kind, mapped!) }
        case .stream(var stream):
            defer { messages = .stream(stream) }
            return try stream.next().map { ($0.bytes, $0.kind, mapped!) }
        case .pipe(let pipe):
            guard let buffer = try Self.nextMessage(pipe, name) else { return nil }
            guard let message = try ArrowMessage.leading(buffer.bytes) else {
                throw InputError("\(name): there is a message in the Arrow stream that is neither dictionary nor batch")
            }
            return (message.bytes, message.kind, buffer)
        }
    }

    /// Reads until a whole message is there; nil at the end of the stream.
    private static func nextMessage(_ pipe: ByteStream, _ name: String) throws -> MessageBuffer? {
        var bytes: [UInt8] = []
        var wanted = 8
        while true {
            while bytes.count < wanted {
                if try pipe.read(into: &bytes, atMost: wanted - bytes.count) == 0 {
                    if bytes.isEmpty { return nil }
                    throw InputError("\(name): the Arrow stream ends in the middle of a message")
                }
            }
            let extent = try bytes.withUnsafeBytes { try ArrowMessage.extent($0) }
            switch extent {
            case .end: return nil
            case .message(let byteCount) where byteCount <= bytes.count: return MessageBuffer(bytes)
            case .message(let byteCount): wanted = byteCount
            // Prefix only: the metadata's length is in its second half.
            case .incomplete: wanted = 8 + Int(bytes[4]) + Int(bytes[5]) << 8 + Int(bytes[6]) << 16 + Int(bytes[7]) << 24
            }
        }
    }
}
