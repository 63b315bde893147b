import Logging

/// What the server logs becomes part of the run's record.
final class TraceLogHandler: LogHandler, @unchecked Sendable {
    // `@unchecked Sendable`: a run has one thread.
    private unowned let world: Environment
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    init(_ world: Environment) { self.world = world }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { world.note("server: \(event.message)") }
}
