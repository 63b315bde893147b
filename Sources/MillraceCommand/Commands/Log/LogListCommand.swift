import ArgumentParser
import Linux
import Storage

struct LogListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the log's segments: what they hold, how large they are, how far events reach in them.",
        discussion: "Reads the beginning and the end of each segment only; `millrace log verify` reads them whole.")

    @OptionGroup var directory: DataDirectoryArgument

    func run() throws {
        let segments = try LogUpkeep(disk: SystemDisk(), directory: directory.logDirectory()).segments()
        var rows = [["segment", "state", "first", "last", "records", "bytes", "epoch", "newest event"]]
        for segment in segments { rows.append(Self.row(segment)) }
        let bytes = segments.reduce(0) { $0 + $1.byteCount }
        let isNumber = [true, false, true, true, true, true, true, false]
        let text = alignedTable(rows, isNumber: isNumber) + "\(grouped(segments.count)) segments, \(grouped(bytes)) bytes\n"
        try FileWriter.standardOutput().write(text)
    }

    private static func row(_ segment: LogSegment) -> [String] {
        let state = segment.isCompressed ? "compressed" : segment.isFinished ? "finished" : "in use"
        let events = segment.newestEvents.sorted { $0.key < $1.key }
            .map { "\($0.key) \(time($0.value))" }.joined(separator: ", ")
        return [
            String(segment.number), state, grouped(Int(segment.firstSequence)),
            segment.lastSequence.map { grouped(Int($0)) } ?? "", segment.recordCount.map { grouped(Int($0)) } ?? "",
            grouped(segment.byteCount), String(segment.epoch), events,
        ]
    }

    private static func time(_ microseconds: Int64) -> String {
        var text: [UInt8] = []
        ValueWriter.append(timestamp: microseconds, to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}
