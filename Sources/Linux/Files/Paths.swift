import Glibc

/// What is at a path.
public enum PathKind: Hashable, Sendable {
    case file, directory
    /// A pipe, a socket, a device: read from front to end only.
    case stream

    /// Follows symbolic links.
    public init(path: String) throws(FileError) {
        var information = stat()
        if stat(path, &information) != 0 { throw FileError("open", path) }
        self =
            switch information.st_mode & S_IFMT {
            case S_IFDIR: .directory
            case S_IFREG: .file
            default: .stream
            }
    }
}

/// Whether both paths lead to one regular file; false where either leads nowhere.
public func isSameFile(_ left: String, _ right: String) -> Bool {
    var (first, second) = (stat(), stat())
    guard stat(left, &first) == 0, stat(right, &second) == 0 else { return false }
    return first.st_mode & S_IFMT == S_IFREG && first.st_dev == second.st_dev && first.st_ino == second.st_ino
}

/// Names of what is in a directory, in the order of their bytes; without `.` and `..`.
public func directoryEntries(path: String) throws(FileError) -> [String] {
    guard let directory = opendir(path) else { throw FileError("open", path) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        // `d_name` is a C array that readdir ended with a zero.
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}
