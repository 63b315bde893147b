import Linux
import Synchronization

/// A disk in memory that can be full, fail at a given call, and be looked into. It keeps everything, synced or not.
final class FakeDisk: Disk {
    struct State {
        var files: [String: FakeFile] = [:]
        /// Bytes that may still be allocated.
        var freeBytes = Int.max
        /// Calls to come that succeed before one throws; nil: none throws.
        var callsUntilFailure: [String: Int] = [:]
        var failureCode = DiskError.inputOutput
        /// Every call, as "sync log/0000000001.log".
        var calls: [String] = []
    }

    let state = Mutex(State())

    func with<Result>(_ body: (inout State) -> sending Result) -> sending Result { state.withLock { body(&$0) } }

    /// Counts the call, and throws where it is this one's turn to fail.
    func count(_ call: String, _ path: String) throws(DiskError) {
        let code: Int32? = state.withLock { state in
            state.calls.append("\(call) \(path)")
            guard let left = state.callsUntilFailure[call] else { return nil }
            if left == 0 { return state.failureCode }
            state.callsUntilFailure[call] = left - 1
            return nil
        }
        if let code { throw DiskError(call, path, code: code) }
    }

    func fail(_ call: String, after count: Int = 0, code: Int32 = DiskError.inputOutput) {
        state.withLock { state in
            state.callsUntilFailure[call] = count
            state.failureCode = code
        }
    }

    func heal() { state.withLock { $0.callsUntilFailure = [:] } }
    func callCount(_ call: String) -> Int { state.withLock { $0.calls.filter { $0.hasPrefix(call + " ") }.count } }

    func bytes(_ path: String) -> [UInt8] { state.withLock { $0.files[path]?.bytes.withLock { $0 } ?? [] } }
    func write(_ bytes: [UInt8], to path: String) {
        state.withLock { $0.files[path] = FakeFile(path: path, bytes: bytes) }
        state.withLock { $0.files[path] }?.disk.withLock { $0 = self }
    }
    var paths: [String] { state.withLock { $0.files.keys.sorted() } }

    /// Another disk with the same files.
    func copy() -> FakeDisk {
        let copy = FakeDisk()
        for path in paths { copy.write(bytes(path), to: path) }
        return copy
    }

    // MARK: Disk

    func makeDirectory(_ path: String) throws(DiskError) { try count("make directory", path) }

    func fileNames(in directory: String) throws(DiskError) -> [String] {
        try count("list", directory)
        return paths.filter { $0.hasPrefix(directory + "/") }.map { String($0.dropFirst(directory.utf8.count + 1)) }
    }

    func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile {
        try count("open", path)
        let found = state.withLock { $0.files[path] }
        switch (found, mode) {
        case (nil, .create):
            write([], to: path)
            return state.withLock { $0.files[path]! }
        case (nil, _): throw DiskError("open", path, code: DiskError.notFound)
        case (.some, .create): throw DiskError("open", path, code: DiskError.exists)
        case (let file?, _): return file
        }
    }

    func rename(_ path: String, to: String) throws(DiskError) {
        try count("rename", path)
        let isThere = state.withLock { state in
            guard let file = state.files.removeValue(forKey: path) else { return false }
            state.files[to] = file
            return true
        }
        if !isThere { throw DiskError("rename", path, code: DiskError.notFound) }
    }

    func remove(_ path: String) throws(DiskError) {
        try count("remove", path)
        let file = state.withLock { $0.files.removeValue(forKey: path) }
        guard let file else { throw DiskError("remove", path, code: DiskError.notFound) }
        give(back: file.bytes.withLock { $0.count })
    }

    func syncDirectory(_ path: String) throws(DiskError) { try count("sync directory", path) }
    func freeBytes(at path: String) throws(DiskError) -> Int { state.withLock { $0.freeBytes } }
    func lock(_ path: String) throws(DiskError) -> any DiskLock { FakeLock() }
    func isLocked(_ path: String) throws(DiskError) -> Bool { false }

    fileprivate func take(_ byteCount: Int, _ path: String) throws(DiskError) {
        let fits = state.withLock { state in
            guard state.freeBytes >= byteCount else { return false }
            if state.freeBytes != .max { state.freeBytes -= byteCount }
            return true
        }
        if !fits { throw DiskError("allocate", path, code: DiskError.outOfSpace) }
    }

    fileprivate func give(back byteCount: Int) {
        state.withLock { if $0.freeBytes != .max { $0.freeBytes += byteCount } }
    }
}

private final class FakeLock: DiskLock {}

final class FakeFile: DiskFile {
    let path: String
    let bytes: Mutex<[UInt8]>
    let disk = Mutex<FakeDisk?>(nil)

    init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = Mutex(bytes)
    }

    private func count(_ call: String) throws(DiskError) { try disk.withLock { $0 }?.count(call, path) }

    func byteCount() throws(DiskError) -> Int { bytes.withLock { $0.count } }

    func read(into destination: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        try count("read")
        let (address, room) = (UInt(bitPattern: destination.baseAddress), destination.count)
        return bytes.withLock { bytes in
            let count = max(0, min(room, bytes.count - offset))
            let target = UnsafeMutableRawBufferPointer(start: UnsafeMutableRawPointer(bitPattern: address), count: count)
            bytes.withUnsafeBytes {
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[min(offset, $0.count)...].prefix(count)))
            }
            return count
        }
    }

    func write(_ parts: [UnsafeRawBufferPointer], at offset: Int) throws(DiskError) {
        try count("write")
        var position = offset
        for part in parts {
            let new = Array(part)
            let start = position
            bytes.withLock { bytes in
                if bytes.count < start + new.count {
                    bytes.append(contentsOf: repeatElement(0, count: start + new.count - bytes.count))
                }
                bytes.replaceSubrange(start..<(start + new.count), with: new)
            }
            position += new.count
        }
    }

    func allocate(byteCount: Int) throws(DiskError) {
        try count("allocate")
        try disk.withLock { $0 }?.take(byteCount, path)
        bytes.withLock { bytes in
            if bytes.count < byteCount { bytes.append(contentsOf: repeatElement(0, count: byteCount - bytes.count)) }
        }
    }

    func truncate(to byteCount: Int) throws(DiskError) {
        try count("truncate")
        let former = bytes.withLock { bytes in
            defer { bytes = Array(bytes.prefix(byteCount)) }
            return bytes.count
        }
        disk.withLock { $0 }?.give(back: max(0, former - byteCount))
    }

    func sync() throws(DiskError) { try count("sync") }
}
