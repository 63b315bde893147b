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

    /// The same, where a saved file says something else.
    func reloadIfChanged() async {
        guard let sources = try? DefinitionsFiles(path: path).sources, sources != loaded, !isBeingSaved(sources) else { return }
        logger.info("\(path) was saved")
        loaded = sources
        _ = await server.apply(sources)
    }

    /// A text that has become empty is one that is being saved.
    private func isBeingSaved(_ sources: [SourceText]) -> Bool {
        func isEmpty(_ source: SourceText) -> Bool { source.text.allSatisfy(\.isWhitespace) }
        return sources.contains { source in
            isEmpty(source) && loaded.contains { $0.name == source.name && !isEmpty($0) }
        }
    }

    nonisolated func cannotWatch(_ reason: String) {
        logger.warning("saved definitions are not noticed, send SIGHUP or use millrace apply: \(reason)")
    }
}
