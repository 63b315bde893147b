import Bounds
import Synchronization
import Wire

/// How a sender's batches are to be read, as the log states it: the table, the views that it is answered with, its Arrow
/// schema and the dictionaries that it has sent so far.
///
/// Made by whoever receives from the sender and never changed: a new dictionary makes a new object (`adding`), and a batch goes
/// to the log with the one that was valid when it came. The log's writer finds out itself what of it a segment has stated.
/// Senders without dictionaries whose schemas are equal share one statement.
public final class LogSchema: Sendable {
    public let table: String
    /// Views whose rows answer a batch that is computed; empty where the sender only sends.
    public let views: [String]
    /// The Arrow schema message as it came.
    public let message: LogBytes
    /// Those that count, oldest first: for each id the last one that replaced its entries, and what was added since.
    let dictionaries: [LogDictionary]
    /// Tells senders with dictionaries from one another; 0 without.
    let family: UInt64
    /// Number of the latest dictionary of the family.
    let revision: UInt64

    private static let families = Atomic<UInt64>(0)

    /// - Parameter message: one encapsulated Arrow schema message, at a multiple of 8; copied.
    public convenience init(table: String, views: [String] = [], message: UnsafeRawBufferPointer) throws(WireError) {
        let schema = try ArrowSchema.decode(message: message)
        let family = schema.hasDictionaries ? Self.families.wrappingAdd(1, ordering: .relaxed).newValue : 0
        self.init(
            table: table, views: views, message: LogBytes(copying: message), dictionaries: [], family: family, revision: 0)
    }

    private init(
        table: String, views: [String], message: LogBytes, dictionaries: [LogDictionary], family: UInt64, revision: UInt64
    ) {
        self.table = table
        self.views = views
        self.message = message
        self.dictionaries = dictionaries
        self.family = family
        self.revision = revision
    }

    /// The same with one more dictionary batch.
    /// - Parameter message: one encapsulated dictionary batch that the sender's reader has taken, at a multiple of 8; copied.
    public func adding(dictionary message: UnsafeRawBufferPointer) throws(WireError) -> LogSchema {
        let found = try DictionaryMessage(message)
        var kept = dictionaries
        if !found.isDelta { kept.removeAll { $0.id == found.id } }
        let added = LogDictionary(id: found.id, revision: revision + 1, message: LogBytes(copying: message))
        return LogSchema(
            table: table, views: views, message: self.message, dictionaries: kept + [added], family: family,
            revision: added.revision)
    }

    /// Memory that it holds, dictionaries included, in bytes; also about what stating it takes in a segment.
    public var byteCount: Int { dictionaries.reduce(message.count) { $0 + $1.message.count } }

    func encode(number: UInt32) -> LogBytes {
        var body = BodyWriter()
        body.append(number)
        body.append(UInt32(message.count))
        body.append(text: table)
        body.append(UInt32(views.count))
        for view in views { body.append(text: view) }
        return body.finish(message.bytes)
    }
}

/// One dictionary batch of a sender.
struct LogDictionary: Sendable {
    var id: Int64
    var revision: UInt64
    var message: LogBytes

    func encode(schema: UInt32) -> LogBytes {
        var body = BodyWriter()
        body.append(schema)
        body.append(UInt32(message.count))
        return body.finish(message.bytes)
    }
}

extension LogSchema: Hashable {
    /// Equal statements. Senders with dictionaries are equal to themselves only, whatever dictionaries they have by now.
    public static func == (left: LogSchema, right: LogSchema) -> Bool {
        if left === right { return true }
        guard left.family == right.family else { return false }
        if left.family != 0 { return true }
        return left.table == right.table && left.views == right.views && left.message.bytes.elementsEqual(right.message.bytes)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(family)
        guard family == 0 else { return }
        hasher.combine(table)
        hasher.combine(bytes: message.bytes)
    }
}

/// A schema as a segment states it. Bodies of `schema` and `dictionary`:
///
///     0       4               8
///     number  message_length  table, as a text   view count   views, as texts   zeros to 8   message   zeros to 8
///
///     0       4               8
///     schema  message_length  message   zeros to 8
public struct LogSchemaRecord {
    /// Batches and dictionaries of the same segment refer to it by this number; each segment counts from 1.
    public var number: UInt32
    public var table: String
    public var views: [String]
    /// One encapsulated Arrow schema message, at a multiple of 8.
    public var message: UnsafeRawBufferPointer

    init(_ body: inout BodyReader) throws(BodyProblem) {
        number = try body.number()
        let length: UInt32 = try body.number()
        table = try body.text()
        let count: UInt32 = try body.number()
        guard count <= Bounds.viewsMax else { throw BodyProblem("a schema with \(count) views") }
        views = []
        for _ in 0..<count { views.append(try body.text()) }
        try body.pad()
        message = try body.take(Int(length))
        try body.end()
    }
}

/// A dictionary batch for a schema of the same segment.
public struct LogDictionaryRecord {
    public var schema: UInt32
    /// One encapsulated Arrow dictionary batch, at a multiple of 8.
    public var message: UnsafeRawBufferPointer

    init(_ body: inout BodyReader) throws(BodyProblem) {
        schema = try body.number()
        let length: UInt32 = try body.number()
        message = try body.take(Int(length))
        try body.end()
    }
}
