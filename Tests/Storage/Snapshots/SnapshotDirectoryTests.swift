import Linux
import Testing

@testable import Storage

@Suite struct SnapshotDirectoryTests {
    private let disk = FakeDisk()
    private let folder = SnapshotFixture.directory

    private func directory(removed: (String) -> Void = { _ in }) throws -> SnapshotDirectory {
        try SnapshotDirectory(path: folder, disk: disk, removed: removed)
    }

    private func newest(_ directory: SnapshotDirectory, _ warn: (SnapshotError) -> Void = { _ in }) throws -> UInt64? {
        guard let reader = try directory.openNewest(warn) else { return nil }
        return reader.header.sequence
    }

    @Test func `it is synced before it has its name, and the name is synced too`() throws {
        try SnapshotFixture.write(7, on: disk)
        let (partial, name) = (SnapshotFixture.path(7) + ".partial", SnapshotFixture.path(7))
        #expect(disk.changes == ["write \(partial)", "sync \(partial)", "rename \(partial)", "sync directory \(folder)"])
        #expect(disk[partial] == nil && disk[name] != nil)
    }

    @Test(arguments: ["write", "sync", "rename"])
    func `a call that fails leaves no snapshot`(call: String) throws {
        disk.fail(call)
        #expect(throws: SnapshotError.self) { try SnapshotFixture.write(7, on: disk) }
        disk.heal()
        #expect(try newest(try directory()) == nil)
    }

    @Test func `what was begun and given up is removed, at once or by the next start`() throws {
        try SnapshotWriter.begin(SnapshotFixture.header(8), definitions: SnapshotFixture.definitions(), in: folder, disk: disk)
            .abandon()
        #expect(disk[SnapshotFixture.path(8) + ".partial"] == nil)
        disk[SnapshotFixture.path(9) + ".partial"] = [1, 2, 3]
        var removed: [String] = []
        #expect(try newest(try directory { removed.append($0) }) == nil)
        #expect(removed == ["00000000000000000009.snapshot.partial"])
        #expect(disk[SnapshotFixture.path(9) + ".partial"] == nil)
    }

    @Test func `other files are left alone`() throws {
        for name in ["notes.txt", "1.snapshot", "0000000000000000000x.snapshot"] { disk["\(folder)/\(name)"] = [1] }
        try SnapshotFixture.write(7, on: disk)
        let directory = try directory()
        #expect(try directory.sequences() == [7])
        #expect(try newest(directory) == 7)
        #expect(try disk.fileNames(in: folder).count == 4)
    }

    @Test func `the newest is taken, and the one before it when its end is damaged`() throws {
        for sequence: UInt64 in [5, 1_000, 30] { try SnapshotFixture.write(sequence, on: disk) }
        let directory = try directory()
        #expect(try newest(directory) == 1_000)
        disk[SnapshotFixture.path(1_000)]!.removeLast(8)
        var warnings: [SnapshotError] = []
        #expect(try newest(directory) { warnings.append($0) } == 30)
        #expect("\(try #require(warnings.first))".contains(SnapshotFixture.path(1_000)))
        // Found damaged inside, by whoever read it.
        directory.found(damaged: 30)
        #expect(try newest(directory) == 5)
        directory.found(damaged: 5)
        #expect(try newest(directory) == nil)
    }

    @Test func `an unknown version is not passed over`() throws {
        try SnapshotFixture.write(5, on: disk)
        try SnapshotFixture.write(6, on: disk)
        disk[SnapshotFixture.path(6)]!.withUnsafeMutableBytes { bytes in
            bytes.storeInteger(UInt32(2), at: 8)
            bytes.storeInteger(checksum(UnsafeRawBufferPointer(rebasing: bytes[..<124])), at: 124)
        }
        let directory = try directory()
        #expect(throws: SnapshotError.unknownVersion(SnapshotFixture.path(6), found: 2)) { try newest(directory) }
    }

    @Test func `two are kept, and the log is needed from behind the older one`() throws {
        let directory = try directory()
        var needed: [UInt64] = []
        for sequence: UInt64 in [5, 6, 8, 9] {
            try SnapshotFixture.write(sequence, on: disk)
            needed.append(try directory.published(sequence))
        }
        #expect(needed == [0, 5, 6, 8])
        #expect(try directory.sequences() == [9, 8])
    }

    @Test func `a damaged one does not count among the two`() throws {
        let directory = try directory()
        for sequence: UInt64 in [5, 6] {
            try SnapshotFixture.write(sequence, on: disk)
            _ = try directory.published(sequence)
        }
        directory.found(damaged: 6)
        try SnapshotFixture.write(7, on: disk)
        #expect(try directory.published(7) == 5)
        #expect(try directory.sequences() == [7, 6, 5])
        try SnapshotFixture.write(8, on: disk)
        #expect(try directory.published(8) == 7)
        #expect(try directory.sequences() == [8, 7])
    }

    @Test func `older ones go only when the new one is durable`() throws {
        let directory = try directory()
        for sequence: UInt64 in [5, 6] {
            try SnapshotFixture.write(sequence, on: disk)
            _ = try directory.published(sequence)
        }
        let before = disk.changes.count
        try SnapshotFixture.write(7, on: disk)
        _ = try directory.published(7)
        let calls = disk.changes[before...]
        let named = try #require(calls.firstIndex(of: "sync directory \(folder)"))
        #expect(try #require(calls.firstIndex(of: "remove \(SnapshotFixture.path(5))")) > named)
    }
}
