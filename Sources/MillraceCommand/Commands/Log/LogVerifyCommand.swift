import ArgumentParser
import Linux
import Storage

struct LogVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read the whole log and check every byte of it.",
        discussion: """
            One line a segment. Exits with 1 where something is damaged: bytes that were on the disk and have changed since. What a \
            crash left unfinished is no damage; the next start cuts it off.

            The way out of damage is a copy of the file from elsewhere. Without one, --cut-at gives up the place and everything behind \
            it, and keeps the files aside; a snapshot that is newer than the place may still hold what they did. The server must \
            not be running.
            """)

    @OptionGroup var directory: DataDirectoryArgument

    @Option(
        help: ArgumentHelp(
            "Give up the log from this damaged place on; as verify has shown it.", valueName: "segment:offset"))
    var cutAt: LogPlace?

    func run() throws {
        let log = try directory.logDirectory()
        if let cutAt { return try cut(log, at: cutAt) }
        let isInUse = try directory.isInUse()
        let output = FileWriter.standardOutput()
        var isGood = true
        var (segments, records, rows) = (0, UInt64(0), UInt64(0))
        try LogCheck.check(disk: SystemDisk(), directory: log) { check in
            isGood = isGood && check.isGood
            (segments, records, rows) = (segments + 1, records + check.recordCount, rows + check.rowCount)
            try output.write(Self.line(check, isInUse: isInUse) + "\n")
        }
        try output.write("\(grouped(segments)) segments, \(grouped(Int(records))) records, \(grouped(Int(rows))) rows\n")
        if !isGood { throw ExitCode.failure }
    }

    private static func line(_ check: LogCheck, isInUse: Bool) -> String {
        var range = ""
        if let first = check.firstSequence, let last = check.lastSequence, last >= first {
            range = ": \(grouped(Int(first))) to \(grouped(Int(last))), \(grouped(Int(check.rowCount))) rows"
        }
        switch check.state {
        case .finished: return "\(check.path)\(range): good"
        case .unfinished: return "\(check.path)\(range): good, \(isInUse ? "in use" : "not finished")"
        case .unused: return "\(check.path): made ahead, not begun"
        case .torn(let tail) where isInUse: return "\(check.path)\(range): good, in use: being written at offset \(tail.offset)"
        case .torn(let tail): return "\(check.path)\(range): good up to there; the next start cuts it: \(tail)"
        case .damaged(let damage, let behind):
            return
                "\(damage)\n  before it\(range.isEmpty ? ": nothing" : range); behind it \(grouped(behind)) records that look whole"
        case .unreadable(let error): return "\(error)"
        }
    }

    private func cut(_ log: String, at place: LogPlace) throws {
        // Held until the cut is done, so that no server starts meanwhile.
        let lock = try lockDirectory()
        defer { withExtendedLifetime(lock) {} }
        let cut = try LogCut.cut(disk: SystemDisk(), directory: log, segment: place.segment, offset: place.offset)
        try FileWriter.standardOutput().write(
            "the log now ends with sequence number \(cut.lastSequence); what was given up is kept in "
                + cut.keptPaths.joined(separator: ", ") + "\n")
    }

    private func lockDirectory() throws -> any DiskLock {
        do {
            return try SystemDisk().lock("\(directory.path)/lock")
        } catch {
            guard error.isLocked else { throw error }
            throw InputError("\(directory.path): a server is running on it; stop it first")
        }
    }
}

/// A place of the log as messages name it: `3:4096`.
struct LogPlace: ExpressibleByArgument {
    var segment: UInt64
    var offset: Int

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let segment = UInt64(parts[0]), let offset = Int(parts[1]), offset >= 0 else { return nil }
        self.segment = segment
        self.offset = offset
    }
}
