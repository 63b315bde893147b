import ArgumentParser
import Linux
import Synchronization

/// Notices on a thread of its own when definitions have been saved: a file that was written to the end and closed, or moved
/// into place. Several saves in a row are one.
final class DefinitionsWatch: Sendable {
    private let directory: String
    /// Of the one file; nil: all .sql files of the directory.
    private let name: String?
    /// Sees what happens before `run` is called.
    private let first: Mutex<DirectoryWatch?>

    /// How long nothing more may happen before the files are read, and how long one that goes on being written to is waited for.
    private static let quietMilliseconds: Int32 = 100
    private static let waitsMax = 50
    /// How often it is tried to watch a directory again that was replaced.
    private static let retryMilliseconds: Int32 = 1_000

    /// Sees what is saved from here on: made before the files are read.
    init(path: String) throws {
        switch try PathKind(path: path) {
        case .directory: (directory, name) = (path, nil)
        case .file: (directory, name) = DefinitionsWatch.split(path)
        case .stream: throw ValidationError("\(path) is no file")
        }
        first = Mutex(try DirectoryWatch(path: directory))
    }

    /// Watches until `stop` is raised; calls `saved` when there is something to read.
    func run(until stop: borrowing EventSignal, saved: () -> Void) throws {
        let poll = try EventPoll(eventsMax: 2)
        try poll.add(stop.number, .read, token: Self.stopToken)
        if var watch = first.withLock({ $0.take() }), try follow(&watch, poll, saved) { return }
        while true {
            if Self.wait(poll, Self.retryMilliseconds).stopped { return }
            guard var watch = try? DirectoryWatch(path: directory) else { continue }
            saved()
            if try follow(&watch, poll, saved) { return }
        }
    }

    private static let stopToken: UInt64 = 0
    private static let changeToken: UInt64 = 1

    /// True when it was stopped, false when the directory is gone.
    private func follow(_ watch: inout DirectoryWatch, _ poll: borrowing EventPoll, _ saved: () -> Void) throws -> Bool {
        try poll.add(watch.number, .read, token: Self.changeToken)
        defer { poll.remove(watch.number) }
        func isWanted(_ changed: String) -> Bool {
            // Names that begin with two dots: how a mounted directory is exchanged for its next version.
            changed.isEmpty || changed.hasPrefix("..") || name.map { $0 == changed } ?? changed.hasSuffix(".sql")
        }
        while true {
            if Self.wait(poll, -1).stopped { return true }
            var changes = watch.changes()
            var isSaved = changes.names.contains(where: isWanted)
            var waits = 0
            while !changes.isOver, isSaved || !watch.isSettled(isWanted), waits < Self.waitsMax {
                let (stopped, changed) = Self.wait(poll, Self.quietMilliseconds)
                if stopped { return true }
                if !changed && watch.isSettled(isWanted) { break }
                waits += 1
                changes = watch.changes()
                isSaved = isSaved || changes.names.contains(where: isWanted)
            }
            if isSaved { saved() }
            if changes.isOver { return false }
        }
    }

    private static func wait(_ poll: borrowing EventPoll, _ timeoutMilliseconds: Int32) -> (stopped: Bool, changed: Bool) {
        var result = (stopped: false, changed: false)
        poll.wait(timeoutMilliseconds: timeoutMilliseconds) { event in
            if event.token == stopToken { result.stopped = true } else { result.changed = true }
        }
        return result
    }

    private static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
    }
}
