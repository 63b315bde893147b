import FoundationEssentials
import Glibc
import Millrace

/// The files of one run: definitions, the data directory, sockets and what servers said.
struct ServerFolder: Sendable {
    let path: String

    /// An empty one.
    init(_ path: String) throws {
        self.path = path
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data(CrashDefinitions.text.utf8).write(to: URL(filePath: definitionsPath))
    }

    var definitionsPath: String { path + "/definitions.sql" }
    var dataPath: String { path + "/data" }
    var logPath: String { path + "/server.log" }
    /// Where clients connect that load a server: there only while it is to be loaded.
    private var gatePath: String { path + "/load.sock" }
    var gate: String { "unix:" + gatePath }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    func openGate(to address: String) throws {
        let target = String(address.dropFirst("unix:".count))
        try FileManager.default.createSymbolicLink(atPath: gatePath, withDestinationPath: target)
    }

    func closeGate() { unlink(gatePath) }

    /// A snapshot is being written.
    var isWritingSnapshot: Bool {
        let names = try? FileManager.default.contentsOfDirectory(atPath: dataPath + "/snapshots")
        return names?.contains { $0.hasSuffix(".partial") } ?? false
    }
}

/// The server as one run uses it: one incarnation after the other over one data directory.
struct ServerRunner {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let folder: ServerFolder
    let binary: String
    private(set) var process: ServerProcess?
    private(set) var address = ""
    private var count = 0

    init(_ folder: ServerFolder, binary: String) {
        self.folder = folder
        self.binary = binary
    }

    mutating func start(cores: Int, durability: String, options: [String]) throws {
        count += 1
        address = "unix:\(folder.path)/\(count).sock"
        process = try ServerProcess(
            [
                binary, "serve", folder.definitionsPath, "--listen", address, "--data", folder.dataPath, "--cores", "\(cores)",
                "--durability", durability,
            ] + options, logPath: folder.logPath)
    }

    private static let startSecondsMax = 120

    /// A client of the server, when it takes clients.
    func connect() async throws -> MillraceClient {
        let deadline = ContinuousClock.now + .seconds(Self.startSecondsMax)
        var options = ClientOptions(name: "auditor", producer: .none)
        options.reconnectTimeLimit = .seconds(30)
        while true {
            if let process, process.hasEnded() {
                throw Failure(description: "the server did not start: it \(process.end!)")
            }
            do {
                return try await MillraceClient.connect(to: address, options: options)
            } catch {
                guard ContinuousClock.now < deadline else {
                    throw Failure(description: "the server is not ready after \(Self.startSecondsMax) s: \(error)")
                }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    /// SIGKILL. It must have been running.
    func kill() throws {
        guard let process else { return }
        if process.hasEnded() { throw Failure(description: "the server ended by itself: it \(process.end!)") }
        process.signal(SIGKILL)
        _ = process.wait()
    }

    /// SIGTERM, and SIGKILL where it is not done after that long.
    func stop(killAfter time: Duration?) async throws {
        guard let process else { return }
        if process.hasEnded() { throw Failure(description: "the server ended by itself: it \(process.end!)") }
        process.signal(SIGTERM)
        if let time {
            try await Task.sleep(for: time)
            process.signal(SIGKILL)
        }
        let end = process.wait()
        guard end == .exited(0) || time != nil && end == .killed(by: SIGKILL) else {
            throw Failure(description: "the server was told to stop, and \(end)")
        }
    }
}

extension ServerProcess.End: CustomStringConvertible {
    var description: String {
        switch self {
        case .exited(let code): "exited with code \(code)"
        case .killed(let signal): "was killed by signal \(signal)"
        }
    }
}
