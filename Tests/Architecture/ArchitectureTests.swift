import FoundationEssentials
import Testing

@Suite struct ArchitectureTests {
    @Test(arguments: modules.map(\.name))
    func `a module imports only what stands below it`(name: String) throws {
        let module = try #require(modules.first { $0.name == name })
        let allowed = floorsBelow(module).union(module.mayImportFromOutside)
        let wrong = try imports(below: module.folder).filter { !allowed.contains($0.module) }
        #expect(wrong.isEmpty, "\(name) may import \(allowed.sorted().joined(separator: ", "))")
    }

    @Test func `the table itself has no arrow that points up`() {
        var floors: Set<String> = []
        for module in modules {
            let above = module.mayImport.filter { !floors.contains($0) }
            #expect(above.isEmpty, "\(module.name) stands below \(above.joined(separator: ", "))")
            floors.insert(module.name)
        }
    }

    @Test func `every folder of sources is a module of the table`() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: "\(packageRoot)/Sources")
        #expect(Set(folders).subtracting(modules.map(\.name)).isEmpty)
    }

    @Test func `the table covers real files`() throws {
        let files = Set(try modules.flatMap { try imports(below: $0.folder) }.map(\.path))
        #expect(files.count > 3, "found imports in \(files.count) files only: are the folders of the table right?")
    }

    @Test func `no unsafe flags bar the package as a dependency`() throws {
        let manifest = try String(contentsOfFile: "\(packageRoot)/Package.swift", encoding: .utf8)
        #expect(!manifest.contains("unsafeFlags"))
    }

    @Test(arguments: [
        ("import Wire", ["Wire"]),
        ("@testable import Engine", ["Engine"]),
        ("public import struct Bytes.Slab", ["Bytes"]),
        ("@preconcurrency private import Glibc", ["Glibc"]),
        ("// import Runtime", []),
        ("let important = 1", []),
        ("  import Plan\nimport Values", ["Plan", "Values"]),
    ])
    func `imports are found in every form`(text: String, expected: [String]) {
        #expect(imports(in: text, path: "").map(\.module) == expected)
    }
}
