import FoundationEssentials
import Linux
import Testing

@Suite struct SystemDiskTests {
    private let disk = SystemDisk()

    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("millrace-disk-\(UUID().uuidString)").path
        try disk.makeDirectory(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func text(_ file: any DiskFile, at offset: Int = 0, count: Int = 100) throws -> String {
        let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `parts are written one behind the other, however many`() throws {
        try inFolder { folder in
            let file = try disk.open("\(folder)/a", .create)
            // More than one call of the kernel takes, some of them empty.
            let pieces = (0..<3_000).map { index in index % 7 == 3 ? [] : Array("\(index),".utf8) }
            let memory = pieces.map { piece in
                let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: piece.count, alignment: 1)
                copy.copyBytes(from: piece)
                return copy
            }
            defer { for part in memory { part.deallocate() } }
            try file.write(memory.map { UnsafeRawBufferPointer($0) }, at: 5)
            let expected = String(decoding: pieces.joined(), as: UTF8.self)
            #expect(try file.byteCount() == 5 + expected.utf8.count)
            #expect(try text(file, at: 5, count: 100_000) == expected)
        }
    }

    @Test func `room that was made reads as zeros, and a file can be cut`() throws {
        try inFolder { folder in
            let file = try disk.open("\(folder)/a", .create)
            try file.allocate(byteCount: 8_192)
            try file.sync()
            #expect(try file.byteCount() == 8_192)
            #expect(try text(file, at: 8_190) == "\0\0")
            try file.truncate(to: 3)
            #expect(try file.byteCount() == 3)
        }
    }

    @Test func `files are made, found, renamed over others and removed`() throws {
        try inFolder { folder in
            _ = try disk.open("\(folder)/b", .create)
            _ = try disk.open("\(folder)/a", .create)
            try disk.syncDirectory(folder)
            #expect(try disk.fileNames(in: folder) == ["a", "b"])
            try disk.rename("\(folder)/b", to: "\(folder)/a")
            #expect(try disk.fileNames(in: folder) == ["a"])
            try disk.remove("\(folder)/a")
            #expect(try disk.fileNames(in: folder).isEmpty)
            try disk.makeDirectory(folder)
        }
    }

    @Test func `errors name the call, the path and the reason`() throws {
        try inFolder { folder in
            let missing = #expect(throws: DiskError.self) { try disk.open("\(folder)/a", .read) }
            #expect(missing?.isNotFound == true)
            #expect(missing?.description == "\(folder)/a: cannot open: No such file or directory (ENOENT)")
            _ = try disk.open("\(folder)/a", .create)
            #expect(throws: DiskError("open", "\(folder)/a", code: DiskError.exists)) { try disk.open("\(folder)/a", .create) }
        }
    }

    @Test func `a full disk is told apart`() {
        // Writing there always finds no room.
        let error = #expect(throws: DiskError.self) {
            let file = try SystemDisk().open("/dev/full", .write)
            try "x".withContiguousBytes { try file.write([$0], at: 0) }
        }
        #expect(error?.isOutOfSpace == true)
    }

    @Test func `a lock is held until it is given up`() throws {
        try inFolder { folder in
            let path = "\(folder)/lock"
            #expect(try !disk.isLocked(path))
            var lock: (any DiskLock)? = try disk.lock(path)
            #expect(lock != nil)
            #expect(try disk.isLocked(path))
            let error = #expect(throws: DiskError.self) { try disk.lock(path) }
            #expect(error?.isLocked == true)
            lock = nil
            #expect(try !disk.isLocked(path))
            _ = try disk.lock(path)
        }
    }
}

extension String {
    fileprivate func withContiguousBytes(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try Array(utf8).withUnsafeBytes(body)
    }
}
