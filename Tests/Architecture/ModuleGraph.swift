/// Who may import whom, lowest floor first. This table is the architecture: changing it is a decision, not a fix for a
/// failing test. What a module may import includes what those modules may import, except what comes from outside.
struct Module: Sendable {
    let name: String
    /// Folder of its sources, relative to the package.
    let folder: String
    /// Modules of ours.
    let mayImport: [String]
    /// Modules of the toolchain and of other packages.
    let mayImportFromOutside: Set<String>

    init(_ name: String, folder: String? = nil, mayImport: [String] = [], outside: Set<String> = []) {
        self.name = name
        self.folder = folder ?? "Sources/\(name)"
        self.mayImport = mayImport
        mayImportFromOutside = outside.union(["Swift", "Synchronization"])
    }
}

let modules: [Module] = [
    // C and C++ behind flat C interfaces: they know nothing of ours.
    Module("CFlatBuffers"),
    Module("CZstd"),
    Module("CKernels"),
    Module("CLinux"),
    Module("CPostgresParser"),

    // Vocabulary shared by all floors.
    Module("Bounds"),
    Module("Values", mayImport: ["Bounds"]),
    Module("Bytes", mayImport: ["Bounds", "CKernels"]),
    Module("Linux", mayImport: ["Bytes", "CLinux"], outside: ["Glibc"]),
    Module("Wire", mayImport: ["Values", "Bytes", "CFlatBuffers", "CKernels", "CZstd"]),

    // What survives: the log and snapshots.
    Module("Storage", mayImport: ["Wire", "Linux"]),

    // SQL text to numbers.
    Module("Language", mayImport: ["Values", "CPostgresParser"]),
    Module("Plan", mayImport: ["Language", "Bytes"]),
    Module("Engine", mayImport: ["Plan", "Bytes", "Wire"]),

    Module("PlainEvaluator", mayImport: ["Language", "CKernels"]),
    Module("Workloads", mayImport: ["Language", "Wire"]),

    // The server.
    Module("Runtime", mayImport: ["Engine", "Storage"], outside: ["Logging", "Histogram"]),

    // Clients and commands.
    Module("DefinitionsInput", mayImport: ["Language", "Linux"]),
    Module("Millrace", folder: "clients/swift/Sources", mayImport: ["Wire"], outside: ["NIOCore", "NIOPosix"]),
    Module(
        "MillraceCommand", mayImport: ["DefinitionsInput", "Runtime", "Millrace"],
        outside: ["ArgumentParser", "Logging", "UnixSignals"]),
    Module(
        "MillraceLoad", mayImport: ["Workloads", "PlainEvaluator", "DefinitionsInput"],
        outside: ["ArgumentParser", "Histogram", "FoundationEssentials"]),
]

/// Everything of ours that `module` stands on, whether directly or through others.
func floorsBelow(_ module: Module) -> Set<String> {
    module.mayImport.reduce(into: []) { below, name in
        below.insert(name)
        if let next = modules.first(where: { $0.name == name }) { below.formUnion(floorsBelow(next)) }
    }
}
