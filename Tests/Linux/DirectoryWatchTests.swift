import Foundation
import Testing

@testable import Linux

/// What a watched directory tells of its files.
@Suite struct `A watched directory` {
    let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "millrace-watch-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    private func path(_ name: String) -> String { directory.appending(path: name).path }

    private func write(_ text: String, to name: String) throws {
        try text.write(toFile: path(name), atomically: false, encoding: .utf8)
    }

    @Test func `tells of files that were written, moved and removed, and of nothing before`() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        try write("before", to: "first")
        var watch = try DirectoryWatch(path: directory.path)
        #expect(watch.changes() == DirectoryWatch.Changes())
        try write("after", to: "first")
        try write("beside", to: "second")
        #expect(watch.changes().names == ["first", "second"])
        try FileManager.default.moveItem(atPath: path("second"), toPath: path("third"))
        #expect(watch.changes().names == ["second", "third"])
        try FileManager.default.removeItem(atPath: path("first"))
        #expect(watch.changes().names == ["first"])
        #expect(watch.changes() == DirectoryWatch.Changes())
    }

    @Test func `is not settled while a file is being written`() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        try write("", to: "file")
        var watch = try DirectoryWatch(path: directory.path)
        let file = try #require(FileHandle(forWritingAtPath: path("file")))
        try file.write(contentsOf: Array("half".utf8))
        #expect(watch.changes().names.isEmpty && !watch.isSettled { $0 == "file" } && watch.isSettled { $0 == "other" })
        try file.write(contentsOf: Array(" and half".utf8))
        try file.close()
        #expect(watch.changes().names == ["file"] && watch.isSettled { _ in true })
    }

    @Test func `says when it is gone`() throws {
        var watch = try DirectoryWatch(path: directory.path)
        try FileManager.default.removeItem(at: directory)
        #expect(watch.changes().isOver)
        #expect(throws: FileError.self) { _ = try DirectoryWatch(path: directory.path) }
    }
}
