import ArgumentParser
import Linux

struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Look at, check and export the log of a server's data directory.",
        discussion: """
            DIR is the directory that `millrace serve --data DIR` was given. A running server is not disturbed.

            Examples:
              millrace log list   /var/lib/millrace
              millrace log verify /var/lib/millrace
              millrace log export /var/lib/millrace --table payments --output payments.arrows
            """,
        subcommands: [LogListCommand.self, LogVerifyCommand.self, LogExportCommand.self])
}

/// The argument that they begin with.
struct DataDirectoryArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The data directory of a server.", valueName: "dir"))
    var path: String

    /// Where its log is.
    func logDirectory() throws -> String {
        let log = "\(path)/log"
        guard (try? PathKind(path: log)) == .directory else {
            throw InputError("\(log): there is no log here; DIR is what `millrace serve --data DIR` was given")
        }
        return log
    }

    /// A server that is running writes on while it is looked at.
    func isInUse() throws -> Bool { try SystemDisk().isLocked("\(path)/lock") }
}
