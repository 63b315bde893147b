import DefinitionsInput
import Language
import Linux
import Logging
import Runtime

/// The definitions that a server was started with, read again.
actor DefinitionsReload {
    nonisolated let path: String
    private let server: Server
    private let logger: Logger
    /// As they were read last.
    private var loaded: [SourceText]

    init(path: String, server: Server, logger: Logger, loaded: [SourceText]) {
        self.path = path
        self.server = server
        self.logger = logger
        self.loaded = loaded
    }

    /// Reads them and has the server go over to them; what comes of that is in its log. Nothing happens where it was said
    /// before that they cannot be read.
    func reload() async {
        do {
            loaded = try DefinitionsFiles(path: path).sources
        } catch {
            let report = "\(error)"
            server.reloadFailed(report)
            return logger.warning("the definitions cannot be read again; those in force stay: \(report)")
        }
        _ = await server.apply(loaded)
    }

    /// The same, where a saved file says something else. A text that is not there, or empty, is one that is being saved.
    func reloadIfChanged() async {
        guard let sources = try? DefinitionsFiles(path: path).sources, sources != loaded,
            !sources.contains(where: { $0.text.allSatisfy(\.isWhitespace) })
        else { return }
        logger.info("\(path) was saved")
        loaded = sources
        _ = await server.apply(sources)
    }

    nonisolated func cannotWatch(_ reason: String) {
        logger.warning("saved definitions are not noticed, send SIGHUP or use millrace apply: \(reason)")
    }
}
