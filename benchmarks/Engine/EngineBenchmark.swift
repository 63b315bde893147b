import ArgumentParser
import Engine
import FoundationEssentials
import Language
import Linux
import Plan

/// The engine without a server: one thread, one shard, events in memory, vectors computed into the batch's registers and left
/// there. What the server adds is the wire, the sequence, and writing results.
@main struct EngineBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "millrace-bench", abstract: "Measures the engine alone; every command prints JSON.",
        subcommands: [
            CardsCommand.self, AggregatesCommand.self, FeaturesCommand.self, MemoryCommand.self, AllocationsCommand.self,
            TradesCommand.self, ImageCommand.self,
        ],
        defaultSubcommand: CardsCommand.self)

    static let memoryBytesMax = 48 << 30

    static func compile(_ sql: String, name: String = "benchmark.sql") throws -> CompiledPlan {
        let source = SourceText(name: name, text: sql)
        let (compiled, diagnostics) = Compiler.compile([source])
        guard let compiled else {
            throw Refused(text: diagnostics.map { $0.rendered(sources: [source]) }.joined(separator: "\n"))
        }
        return try CompiledPlan(Planner.plan(compiled))
    }

    /// What the compiler says of definitions that it does not take.
    struct Refused: Error, CustomStringConvertible {
        let text: String
        var description: String { text }
    }

    static func output(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try FileWriter.standardOutput().write(String(decoding: encoder.encode(value), as: UTF8.self) + "\n")
    }

    static func progress(_ text: String) {
        let output = FileWriter.standardError()
        if output.isTerminal { try? output.write("\r\u{1B}[K" + text) }
    }

    /// Bytes of memory that the system has given to this process.
    static func residentBytes() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return 0 }
        for line in text.split(separator: "\n") where line.hasPrefix("VmRSS:") {
            return (line.split(separator: " ").compactMap { Int($0) }.first ?? 0) << 10
        }
        return 0
    }
}
