import Glibc

/// One process of the server: started, killed, and waited for.
final class ServerProcess {
    enum End: Hashable {
        case exited(Int32)
        case killed(by: Int32)
    }

    struct StartFailure: Error, CustomStringConvertible {
        let description: String
    }

    let number: pid_t
    private(set) var end: End?

    /// What it writes goes behind what `logPath` has.
    init(_ command: [String], logPath: String) throws(StartFailure) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, logPath, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var arguments = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var number = pid_t()
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        let status = posix_spawn(&number, command[0], &actions, nil, &arguments, &environment)
        guard status == 0 else { throw StartFailure(description: "\(command[0]): \(String(cString: strerror(status)))") }
        self.number = number
    }

    func signal(_ signal: Int32) { if end == nil { kill(number, signal) } }

    /// Whether it has ended, by itself or not.
    func hasEnded() -> Bool {
        if end == nil { wait(WNOHANG) }
        return end != nil
    }

    /// Returns when it has ended.
    func wait() -> End {
        while end == nil { wait(0) }
        return end!
    }

    private func wait(_ options: Int32) {
        var status: Int32 = 0
        guard waitpid(number, &status, options) == number else { return }
        let signal = status & 0x7f
        end = signal == 0 ? .exited((status >> 8) & 0xff) : .killed(by: signal)
    }

    deinit {
        signal(SIGKILL)
        _ = wait()
    }
}
