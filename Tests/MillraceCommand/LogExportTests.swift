import FoundationEssentials
import Linux
import Millrace
import Storage
import Testing
import Values
import Wire

@testable import MillraceCommand

@Suite struct LogExportTests {
    /// A data directory with a log, and what its batches hold.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("millrace-log-\(UUID().uuidString)").path
        var log: String { path + "/log" }
        let writer: LogWriter

        init() throws {
            try SystemDisk().makeDirectory(path)
            try SystemDisk().makeDirectory(path + "/log")
            writer = try LogWriter(
                disk: SystemDisk(), directory: path + "/log", options: LogOptions(segmentBytes: 64 << 10, epoch: 1, salt: 1),
                segment: 1, nextSequence: 1, definitions: nil)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        /// Logs rows of a table with these columns, `values[column][row]`.
        func append(_ table: String, _ columns: [String], _ values: [[Int64]], type: ValueType = .bigint, refused: [UInt32] = [])
            throws
        {
            let fields = columns.map { Field(name: $0, type: type, isNullable: false) }
            let batch = ColumnBatch(zip(columns, values).map { Column($0, $1) })
            let schema = try ArrowSchema(fields: fields).encode().withUnsafeBytes { try LogSchema(table: table, message: $0) }
            try batch.arrowMessage().withUnsafeBytes { message in
                try refused.withUnsafeBufferPointer { refused in
                    try writer.append(
                        LogBatch(
                            mode: .ingest, rowCount: values[0].count, receivedMicroseconds: 0, rowsRefusedByClock: refused,
                            message: message), schema: schema)
                    try writer.flush()
                }
            }
        }
    }

    private func export(
        _ folder: Folder, table: String? = nil, from: UInt64? = nil, to: UInt64? = nil
    ) throws -> (rows: [String], counts: LogExport.Counts) {
        let path = folder.path + "/out.csv"
        let export = try LogExport(directory: folder.log, table: table, from: from, to: to)
        let file = try RowsFile(path: path, fields: export.fields, inputs: [])
        var progress = Progress()
        let counts = try export.run(into: file, &progress)
        try file.end()
        return (try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init), counts)
    }

    @Test func `the rows of a range come in the log's order, from every segment`() throws {
        let folder = try Folder()
        for number in 0..<2_000 as Range<Int64> {
            try folder.append(
                number % 2 == 0 ? "a" : "b", ["x", "y"], [[number, number], [1, 2]], refused: number == 4 ? [1] : [])
        }
        #expect(folder.writer.segment > 3)
        let (rows, counts) = try export(folder, table: "a", from: 3, to: 1_999)
        #expect(counts.rows == 1_998 && counts.batches == 999 && counts.refused == 1)
        #expect(rows.first == "x,y" && rows[1...].first == "2,1" && rows.last == "1998,2" && rows.count == 1_999)
        try folder.writer.close()
    }

    @Test func `a column that a batch does not have is NULL`() throws {
        let folder = try Folder()
        try folder.append("a", ["x"], [[1]])
        try folder.append("a", ["y", "x"], [[2], [3]])
        let (rows, _) = try export(folder)
        #expect(rows == ["x,y", "1,", "3,2"])
    }

    @Test func `what cannot be exported is said with what to do`() throws {
        let folder = try Folder()
        try folder.append("a", ["x"], [[1]])
        let type = #expect(throws: InputError.self) {
            var columns = ColumnUnion()
            try columns.add(ArrowSchema(fields: [Field(name: "x", type: .bigint)]), sequence: 1)
            try columns.add(ArrowSchema(fields: [Field(name: "x", type: .text)]), sequence: 2)
        }
        #expect(type?.description.contains("--to 1") == true)
        try folder.append("b", ["x"], [[1]])
        let several = #expect(throws: InputError.self) { try export(folder) }
        #expect(several?.description.contains("\"a\", \"b\"") == true)
        let missing = #expect(throws: InputError.self) { try export(folder, table: "c") }
        #expect(missing?.description.contains("--table c") == true)
        #expect(throws: LogError.self) { try export(folder, from: 0) }
    }

    @Test func `a directory without a log is told what to be`() throws {
        let error = #expect(throws: InputError.self) { try LogListCommand.parse(["/nowhere"]).run() }
        #expect(error?.description.contains("--data") == true)
    }

    @Test func `list, verify and the cut work on a log that is there`() throws {
        let folder = try Folder()
        for number in 0..<2_000 as Range<Int64> { try folder.append("a", ["x"], [[number]]) }
        try folder.writer.close()
        try LogListCommand.parse([folder.path]).run()
        try LogVerifyCommand.parse([folder.path]).run()
        let file = try SystemDisk().open("\(folder.log)/0000000002.log", .write)
        try [UInt8(7)].withUnsafeBytes { try file.write([$0], at: 30_000) }
        var place: LogDamage?
        try LogCheck.check(disk: SystemDisk(), directory: folder.log) { check in
            if case .damaged(let damage, _) = check.state { place = damage }
        }
        let damage = try #require(place)
        #expect(throws: (any Error).self) { try LogVerifyCommand.parse([folder.path]).run() }
        let arguments = [folder.path, "--cut-at", "\(damage.segment):\(damage.offset)"]
        do {
            let lock = try SystemDisk().lock(folder.path + "/lock")
            #expect(throws: InputError.self) { try LogVerifyCommand.parse(arguments).run() }
            withExtendedLifetime(lock) {}
        }
        try LogVerifyCommand.parse(arguments).run()
        try LogVerifyCommand.parse([folder.path]).run()
    }
}
