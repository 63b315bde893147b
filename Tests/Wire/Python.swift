import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// The Python that has pyarrow: MILLRACE_PYTHON, or the project's virtual environment, or the system's.
enum Python {
    static let projectRoot = String(#filePath.dropLast("/Tests/Wire/Python.swift".count))

    static let interpreter: String = {
        if let named = getenv("MILLRACE_PYTHON") { return String(cString: named) }
        let own = projectRoot + "/.venv/bin/python"
        return access(own, X_OK) == 0 ? own : "/usr/bin/python3"
    }()

    /// Runs a program with its arguments in `sys.argv[1:]`; true when it ended well. What it prints goes to standard error.
    static func run(_ program: String, _ arguments: [String] = []) -> Bool {
        spawn([interpreter, "-c", program] + arguments) == 0
    }

    /// Fails the test, rather than skipping it, where there is no pyarrow.
    static func requirePyArrow() throws {
        try #require(
            run("import pyarrow, pyarrow.ipc"),
            "\(interpreter) cannot import pyarrow: set MILLRACE_PYTHON, or run `make test`, which installs it")
    }

    static func spawn(_ arguments: [String]) -> Int32 {
        var child: pid_t = 0
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        guard posix_spawnp(&child, arguments[0], nil, nil, &pointers, environ) == 0 else { return -1 }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return status
    }
}

/// A directory that goes with its owner.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/millrace-wire-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { $0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } }
        path = try #require(made)
    }

    deinit { _ = Python.spawn(["rm", "-rf", path]) }

    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = try #require(fopen(path + "/" + name, "wb"))
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
        fclose(file)
        return path + "/" + name
    }

    func read(_ name: String) throws -> [UInt8] { try readFile(path + "/" + name) }
}

func readFile(_ path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "rb"), "\(path) is not there")
    defer { fclose(file) }
    fseek(file, 0, SEEK_END)
    var bytes = [UInt8](repeating: 0, count: ftell(file))
    rewind(file)
    let count = fread(&bytes, 1, bytes.count, file)
    #expect(count == bytes.count)
    return bytes
}
