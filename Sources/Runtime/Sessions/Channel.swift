import Storage
import Wire

/// A stream, or the keys of a view, opened on a connection.
///
/// Belongs to the connection's core. It changes only where definitions do, and then no batch of it is under way.
final class Channel {
    struct View: Hashable {
        var name: String
        /// Index into `Catalog.views`.
        var number: Int
        /// Result frames of the view carry it.
        var channel: UInt32
        /// The schema that the client was told of these frames.
        var schemaMessage: [UInt8]
    }

    let number: UInt32
    /// What was asked for, by name: found again where definitions change. The table is always named.
    let open: Open
    var target: OpenTarget
    var views: [View]
    /// What the client was told that it has opened.
    var opened: Opened
    /// The definitions in force have nothing that was asked for: why its requests are refused.
    var problem: ErrorMessage?

    /// The client's own schema; nil until it has come.
    var schema: ArrowSchema?
    /// The schema and its dictionaries as they came, where a log is written.
    var logged: LogSchema?
    /// nil where no schema has come, or none that fits.
    var reader: BatchReader?
    /// The client's schema fitted the definitions before and does not fit those in force: why its batches are refused.
    var schemaProblem: ErrorMessage?

    /// A dictionary was refused: batches would mean other values than the client's. Until the next schema.
    var refusal: ErrorMessage?
    /// Bytes of the schema and of its dictionaries.
    var keptBytes = 0

    /// Of the schema itself only what the log keeps of it counts twice.
    var dictionaryBytes: Int { (reader?.dictionaryBytes ?? 0) + (logged?.byteCount ?? 0) }

    init(number: UInt32, open: Open, target: OpenTarget, views: [View], opened: Opened) {
        self.number = number
        self.open = open
        self.target = target
        self.views = views
        self.opened = opened
    }
}
