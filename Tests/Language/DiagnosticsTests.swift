import FoundationEssentials
import Testing

@testable import Language

/// Tests/Features/diagnostics: each NAME.sql is a wrong definitions text, and NAME.expected what is said about it.
/// `MILLRACE_BLESS=1 swift test --filter Diagnostics` writes what is said now; read the difference before it is kept.
@Suite struct `Diagnostics of wrong definitions` {
    static let directory = Project.root + "/Tests/Features/diagnostics"
    static let names = Project.names(in: directory).filter { $0.hasSuffix(".sql") }.map { String($0.dropLast(4)) }
    static let blesses = ProcessInfo.processInfo.environment["MILLRACE_BLESS"] == "1"

    @Test(arguments: names) func `are as expected`(name: String) throws {
        let text = try #require(Project.text("\(Self.directory)/\(name).sql"))
        let sources = [SourceText(name: name + ".sql", text: text)]
        let (definitions, diagnostics) = Compiler.compile(sources)
        let said = diagnostics.map { $0.rendered(sources: sources) }.joined(separator: "\n")
        #expect(definitions == nil)
        let path = "\(Self.directory)/\(name).expected"
        if Self.blesses { try Array(said.utf8).withUnsafeBytes { try Data($0).write(to: URL(filePath: path)) } }
        #expect(Project.text(path) == said)
    }

    @Test func `are sixty and more`() {
        #expect(Self.names.count >= 60)
    }
}
