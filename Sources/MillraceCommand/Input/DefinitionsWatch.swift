import Linux

/// Notices on a thread of its own when definitions have been saved: a file that was written to the end and closed, or moved
/// into place. Several saves in a row are one.
struct DefinitionsWatch: Sendable {
    /// A file, or a directory of .sql files.
    let path: String
    /// Called on the watching thread.
    let saved: @Sendable () -> Void
    let failed: @Sendable (String) -> Void

    /// How long nothing more may happen before the files are read, and how long one that goes on being written to is waited for.
    private static let quietMilliseconds: Int32 = 100
    private static let waitsMax = 50
    /// How often it is tried to watch a directory again that was replaced.
    private static let retryMilliseconds: Int32 = 1_000

    /// Watches until `stop` is raised.
    func run(until stop: borrowing EventSignal) {
        let directory: String
        let name: String?
        do {
            switch try PathKind(path: path) {
            case .directory: (directory, name) = (path, nil)
            case .file: (directory, name) = Self.split(path)
            case .stream: return failed("\(path) is no file")
            }
            let poll = try EventPoll(eventsMax: 2)
            try poll.add(stop.number, .read, token: Self.stopToken)
            var isFirst = true
            while true {
                do {
                    var watch = try DirectoryWatch(path: directory)
                    if !isFirst { saved() }
                    if try follow(&watch, of: name, poll) { return }
                } catch {
                    if isFirst { return failed("\(error)") }
                    if Self.wait(poll, Self.retryMilliseconds).stopped { return }
                }
                isFirst = false
            }
        } catch {
            failed("\(error)")
        }
    }

    private static let stopToken: UInt64 = 0
    private static let changeToken: UInt64 = 1

    /// True when it was stopped, false when the directory is gone.
    private func follow(_ watch: inout DirectoryWatch, of name: String?, _ poll: borrowing EventPoll) throws -> Bool {
        try poll.add(watch.number, .read, token: Self.changeToken)
        defer { poll.remove(watch.number) }
        func isWanted(_ changed: String) -> Bool {
            // Names that begin with two dots: how a mounted directory is exchanged for its next version.
            changed.isEmpty || changed.hasPrefix("..") || name.map { $0 == changed } ?? changed.hasSuffix(".sql")
        }
        // Saved between being read and being watched.
        saved()
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
