import Linux
import Millrace

/// One `send`: batches go out as fast as the server takes them, answers are taken in the same order.
final class SendRun {
    /// Batches under way at once: enough to keep the server busy while answers are written.
    private static let batchesUnderWay = 32

    private let streams: [EventStream]
    private let input: InputFiles
    /// By stream: index among its views of the one that is written; nil where its rows are only ingested.
    private let answering: [Int?]
    private let output: RowsFile?
    private var underWay: [(stream: Int, answers: PendingAnswers)] = []
    private var counts = RowCounts()

    init(client: MillraceClient, inputs: [InputArgument], view: String?, output: String?, batchRows: Int) async throws {
        var streams: [EventStream] = []
        var tables: [InputTable] = []
        for argument in inputs {
            if tables.contains(where: { $0.name == argument.table ?? argument.baseName }) { continue }
            let stream = try await Self.open(argument, view: view, on: client)
            if tables.contains(where: { $0.name == stream.table }) { continue }
            streams.append(stream)
            tables.append(
                InputTable(
                    name: stream.table, columns: stream.fields, timeColumn: stream.timeColumn, isStream: !stream.views.isEmpty))
        }
        self.streams = streams
        let name = output == nil ? nil : try Self.choose(view, streams)
        answering = streams.map { stream in name.flatMap { name in stream.views.firstIndex { $0.name == name } } }
        input = try InputFiles(inputs, tables: tables, order: .arrival, rowsMax: batchRows)
        let fields = streams.lazy.flatMap(\.views).first { $0.name == name }?.fields
        self.output = try fields.map { try RowsFile(path: output!, fields: $0, inputs: inputs) }
    }

    /// The table that was named; else the one that the file is named after; else the server's only one.
    private static func open(_ argument: InputArgument, view: String?, on client: MillraceClient) async throws -> EventStream {
        if let table = argument.table { return try await open(table: table, view: view, on: client) }
        do throws(MillraceError) {
            return try await open(table: argument.baseName, view: view, on: client)
        } catch {
            guard error.code == .unknownTable else { throw error }
        }
        do throws(MillraceError) {
            return try await open(table: "", view: view, on: client)
        } catch {
            guard error.code == .unknownTable else { throw error }
            throw InputError("--input \(argument.path): for which table? Write --input TABLE=\(argument.path); \(error.message)")
        }
    }

    /// A view belongs to one table: the others' rows are only ingested.
    private static func open(table: String, view: String?, on client: MillraceClient) async throws(MillraceError) -> EventStream {
        guard let view else { return try await client.stream(table) }
        do throws(MillraceError) {
            return try await client.stream(table, views: [view])
        } catch {
            guard error.code == .unknownView else { throw error }
            return try await client.stream(table)
        }
    }

    /// The view to write: the one that was named, or the only one that the inputs' tables have.
    private static func choose(_ name: String?, _ streams: [EventStream]) throws -> String {
        var names: [String] = []
        for view in streams.flatMap(\.views) where !names.contains(view.name) { names.append(view.name) }
        if let name {
            if names.contains(name) { return name }
            throw InputError("--view \(name): the inputs' tables have no such view; there is \(names.joined(separator: ", "))")
        }
        if names.count == 1 { return names[0] }
        throw InputError("which view? Write --view NAME; there is \(names.joined(separator: ", "))")
    }

    func send() async throws {
        var progress = Progress()
        while let (table, batch) = try input.next() {
            if underWay.count == Self.batchesUnderWay { try await takeOldest() }
            let rows = try batch.rows()
            underWay.append((table, try answering[table] != nil ? streams[table].compute(rows) : streams[table].ingest(rows)))
            counts.rows += rows.rowCount
            progress.show(rows: counts.rows, fraction: input.fraction)
        }
        while !underWay.isEmpty { try await takeOldest() }
        try output?.end()
        try FileWriter.standardError().write(counts.summary(seconds: progress.end()) + "\n")
    }

    private func takeOldest() async throws {
        let (stream, pending) = underWay.removeFirst()
        guard let view = answering[stream] else {
            let summary = try await pending.summary()
            counts.late += summary.late
            counts.refused += summary.refused
            return
        }
        let answer = try await pending.answers()[view]
        counts.answers += answer.rows.rowCount
        counts.late += answer.statuses.count { $0 == .late }
        counts.refused += answer.statuses.count { $0 == .refused }
        try output?.write(answer.rows)
    }
}
