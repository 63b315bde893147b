import Engine
import Storage
import Values
import Wire

/// What the log has, one record after the other, made ready for the sequence: core 0 feeds it, all shards work on it.
///
/// Nothing is decided anew: rows too far ahead are judged by the clock of then, rows that found no memory are told, marks of
/// memory and definitions come as entries of their own. So the state is what it was, whatever the number of cores.
///
/// Belongs to core 0.
final class Replay {
    private let reader: LogReader
    /// By number, of the segment that is read.
    private var senders: [UInt32: LoggedSender] = [:]
    private var segment: UInt64 = 0
    /// Read, and not fed yet.
    private(set) var next: LogRecord?
    /// The last sequence number that was fed.
    private(set) var sequence: UInt64
    private(set) var rows: UInt64 = 0
    private(set) var isAtEnd = false
    /// Definitions that were fed: what comes behind them is made ready when they are in force.
    private var awaitedVersion: UInt32?

    /// - Parameter sequence: of the state that it begins from; 0 for an empty one.
    init(_ storage: StorageConfiguration, behind sequence: UInt64) throws(StartError) {
        self.sequence = sequence
        do throws(LogError) {
            reader = try LogReader(disk: storage.disk, directory: storage.logDirectory, from: sequence + 1)
        } catch {
            throw StartError("the log cannot be replayed: \(error)")
        }
    }

    /// Of the log's bytes, 0 ... 1.
    var progress: Double {
        let (read, total) = reader.progress
        return total == 0 ? 1 : Double(read) / Double(total)
    }

    /// The record that is to be fed next, with all that is said about it; nil at the log's end.
    func peek() throws(StartError) -> LogRecord? {
        while next == nil && !isAtEnd {
            let record: LogRecord?
            do throws(LogError) {
                record = try reader.next()
            } catch {
                throw StartError("the log cannot be replayed behind sequence number \(sequence): \(error)")
            }
            guard let record else {
                isAtEnd = true
                return nil
            }
            if record.segment != segment {
                segment = record.segment
                senders.removeAll(keepingCapacity: true)
            }
            switch record.content {
            case .schema(let schema): senders[schema.number] = try LoggedSender(schema)
            case .dictionary(let dictionary): try sender(dictionary.schema, record).add(dictionary)
            case .start, .definitions, .batch, .admission:
                if !record.isContext { next = record }
            }
        }
        return next
    }

    /// The record at hand is in the sequence.
    func fed(rows: Int = 0) {
        guard let record = next else { return }
        sequence = record.sequence
        self.rows += UInt64(rows)
        next = nil
    }

    func fed(awaiting version: UInt32) {
        fed()
        awaitedVersion = version
    }

    /// Definitions that were fed are in force on all cores: the next ones may be announced, and what comes is made ready by these.
    func canGoOn(_ exchange: Exchange) -> Bool {
        guard let awaitedVersion else { return true }
        guard exchange.reloads.newest.version == awaitedVersion else { return false }
        self.awaitedVersion = nil
        return true
    }

    func sender(_ number: UInt32, _ record: LogRecord) throws(StartError) -> LoggedSender {
        if let sender = senders[number] { return sender }
        throw StartError(
            """
            segment \(record.segment) of the log has at offset \(record.offset) a batch of schema \(number), which it does not \
            state
            """)
    }
}

/// A sender, as the log knows it: how its batches are read under the definitions in force.
final class LoggedSender {
    let table: String
    let views: [String]
    private let schema: ArrowSchema
    /// By the definitions of `version`.
    private var reader: BatchReader?
    private var version: UInt32 = 0
    private(set) var stream = 0
    /// Dictionaries that came before any reader.
    private var dictionaries: [[UInt8]] = []

    init(_ record: LogSchemaRecord) throws(StartError) {
        (table, views) = (record.table, record.views)
        do throws(WireError) {
            schema = try ArrowSchema.decode(message: record.message)
        } catch {
            throw StartError("the log has a schema of table \(record.table) that cannot be read: \(error)")
        }
    }

    func add(_ dictionary: LogDictionaryRecord) throws(StartError) {
        guard let reader else { return dictionaries.append(Array(dictionary.message)) }
        try add(dictionary.message, to: reader)
    }

    private func add(_ message: UnsafeRawBufferPointer, to reader: BatchReader) throws(StartError) {
        do throws(WireError) {
            try reader.addDictionary(message: message)
        } catch {
            throw StartError("the log has a dictionary of table \(table) that cannot be read: \(error)")
        }
    }

    /// What reads its batches now.
    func reader(in catalog: Catalog) throws(StartError) -> BatchReader {
        if let reader, version == catalog.version { return reader }
        guard let stream = catalog.streams.firstIndex(where: { $0.table == table }) else {
            throw StartError("the log has a batch of table \(table), which definitions version \(catalog.version) do not have")
        }
        let renewed: BatchReader
        do throws(WireError) {
            renewed = try BatchReader(target: catalog.streams[stream].columns, source: schema, continuing: reader)
        } catch {
            throw StartError(
                "the log has a batch that does not fit table \(table) of definitions version \(catalog.version): \(error)")
        }
        for message in dictionaries {
            // `withUnsafeBytes` knows no typed errors.
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: message.count, alignment: 8)
            defer { copy.deallocate() }
            copy.copyBytes(from: message)
            try add(UnsafeRawBufferPointer(copy), to: renewed)
        }
        dictionaries.removeAll()
        (reader, self.stream, version) = (renewed, stream, catalog.version)
        return renewed
    }
}
