import FoundationEssentials
import Testing

@testable import Language

/// Files around the project, found from this file's place in it.
enum Project {
    static let root: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    static func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    static func names(in directory: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
    }

    /// What lies beside the project, where it does: root/../shared, or, in a checkout below a checkout, further up.
    static let shared: String? = [root + "/../shared", root + "/../../shared"].first {
        FileManager.default.fileExists(atPath: $0)
    }
}

@Suite struct `The corpus` {
    static let cases =
        Project.shared.map { shared in
            Project.names(in: shared + "/corpus").filter { $0.hasPrefix("p") }.filter {
                Project.text("\(shared)/corpus/\($0)/case.sql") != nil
            }
        } ?? []

    @Test(arguments: cases) func compiles(name: String) throws {
        let text = try #require(Project.text("\(Project.shared!)/corpus/\(name)/case.sql"))
        let sources = [SourceText(name: name + ".sql", text: text)]
        let (definitions, diagnostics) = Compiler.compile(sources)
        let messages = diagnostics.map { $0.rendered(sources: sources) }.joined()
        #expect(definitions != nil && diagnostics.isEmpty, "\(messages)")
    }

    /// A definition whose answer for an event depends on later ones.
    static let noncausal =
        Project.shared.flatMap { Project.text("\($0)/corpus/noncausal.sql") }.map { text in
            text.split(separator: "\n").filter { $0.hasPrefix("SELECT") }.map { line in
                String(line).replacing("FROM t", with: "AS x FROM t").replacing("event_id, v AS x", with: "event_id, v")
            }
        } ?? []

    @Test(arguments: noncausal) func `of what needs later rows is refused for that`(query: String) throws {
        let text = "CREATE TABLE t (event_id bigint, ts timestamp NOT NULL, k bigint, v double precision);\n" + query
        let sources = [SourceText(name: "later.sql", text: text)]
        let (definitions, diagnostics) = Compiler.compile(sources)
        let messages = diagnostics.map { $0.rendered(sources: sources) }.joined()
        #expect(definitions == nil)
        #expect(messages.contains("later") || messages.contains("in the future"), "\(messages)")
        #expect(diagnostics.allSatisfy { $0.remedy != nil }, "\(messages)")
    }

    @Test(arguments: ["data/fdh/features.sql", "floors/cardfraud_light.sql", "floors/cardfraud_full.sql"])
    func `of workloads compiles`(path: String) throws {
        guard let shared = Project.shared, let text = Project.text("\(shared)/\(path)") else { return }
        let sources = [SourceText(name: path, text: text)]
        let (definitions, diagnostics) = Compiler.compile(sources)
        #expect(
            definitions?.views.count == 1 && diagnostics.isEmpty, "\(diagnostics.map { $0.rendered(sources: sources) }.joined())")
    }
}
