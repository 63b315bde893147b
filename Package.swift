// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours is built in Swift 6 language mode, and a warning is an error.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
]

/// Modules, lowest floor first: each imports only what stands above it in this list.
let package = Package(
    name: "millrace",
    products: [
        .executable(name: "millrace", targets: ["MillraceCommand"]),
        .executable(name: "millrace-load", targets: ["MillraceLoad"]),
        .library(name: "Millrace", targets: ["Millrace"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // C and C++ behind flat C interfaces.
        .target(name: "CFlatBuffers", cxxSettings: [.headerSearchPath("generated")]),
        .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),
        .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),
        .target(name: "CLinux"),
        .target(
            name: "CPostgresParser",
            linkerSettings: [.linkedLibrary(":libpg_query.a"), .linkedLibrary("pthread")]),

        // Vocabulary shared by all floors.
        .target(name: "Bounds", swiftSettings: strict),
        .target(name: "Values", dependencies: ["Bounds"], swiftSettings: strict),
        .target(name: "Bytes", dependencies: ["Bounds", "CKernels"], swiftSettings: strict),
        .target(name: "Linux", dependencies: ["Bytes", "CLinux"], swiftSettings: strict),
        .target(
            name: "Wire", dependencies: ["Bounds", "Values", "Bytes", "CFlatBuffers", "CKernels", "CZstd"], swiftSettings: strict),

        // What survives: the log and snapshots.
        .target(
            name: "Storage", dependencies: ["Wire", "Linux", "Bytes", "Bounds", "CKernels", "CZstd"], swiftSettings: strict),

        // SQL text to numbers.
        .target(name: "Language", dependencies: ["Bounds", "Values", "CPostgresParser"], swiftSettings: strict),
        .target(name: "Plan", dependencies: ["Language", "Values", "Bytes", "Bounds", "CKernels"], swiftSettings: strict),
        .target(
            name: "Engine", dependencies: ["Plan", "Language", "Values", "Bytes", "Wire", "Bounds", "CKernels"],
            swiftSettings: strict),

        // The same definitions a second time, slow and plain: what answers are checked against.
        .target(name: "PlainEvaluator", dependencies: ["Language", "Values", "CKernels"], swiftSettings: strict),

        // Rows made up by rules, for the load generator and benchmarks.
        .target(name: "Workloads", dependencies: ["Language", "Wire", "Values", "CKernels"], swiftSettings: strict),

        // The server.
        .target(
            name: "Runtime",
            dependencies: [
                "Engine", "Storage", "Plan", "Language", "Wire", "Linux", "Bytes", "Bounds", "Values",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: strict),

        // Clients and commands.
        .target(name: "DefinitionsInput", dependencies: ["Language", "Linux", "Bounds"], swiftSettings: strict),
        .target(
            name: "Millrace",
            dependencies: [
                "Wire", "Values", "Bytes",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "clients/swift/Sources",
            swiftSettings: strict),
        .executableTarget(
            name: "MillraceCommand",
            dependencies: [
                "DefinitionsInput", "Runtime", "Storage", "Engine", "Plan", "Language", "Wire", "Values", "Bytes", "Linux",
                "Bounds",
                "Millrace",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),

        .executableTarget(
            name: "MillraceLoad",
            dependencies: [
                "Workloads", "PlainEvaluator", "DefinitionsInput", "Language", "Wire", "Values", "Linux", "Bounds", "CKernels",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: strict),

        // Counts allocations in tests and benchmarks.
        .target(name: "CCountingAllocator", path: "Tests/CountingAllocator"),

        // What `make bench` times beside the server.
        .executableTarget(
            name: "millrace-bench",
            dependencies: [
                "Workloads", "Engine", "Plan", "Language", "Wire", "Values", "Linux", "CCountingAllocator",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "benchmarks/Engine",
            swiftSettings: strict),

        // What `make connections` runs beside the server.
        .executableTarget(
            name: "millrace-connections",
            dependencies: [
                "Wire", "Values", "Linux", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            path: "benchmarks/Connections",
            swiftSettings: strict),

        // What programs that work through seeds share.
        .target(name: "SeededRuns", path: "Tests/SeededRuns", swiftSettings: strict),

        // The server on a simulated clock, network and disk: a part of the runs in the tests, 100,000 with `make simulate`.
        .target(
            name: "Simulation",
            dependencies: [
                "SeededRuns", "PlainEvaluator", "Millrace", "Runtime", "Storage", "Plan", "Language", "Linux", "Wire", "Values",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Simulation/Library", swiftSettings: strict),
        .executableTarget(
            name: "millrace-simulate",
            dependencies: ["Simulation", "SeededRuns", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tests/Simulation/Command", swiftSettings: strict),
        .testTarget(
            name: "SimulationTests", dependencies: ["Simulation"], path: "Tests/Simulation/Tests", swiftSettings: strict),

        // Random cases against a plain evaluator: a part of them in the tests, a million with `make soak`.
        .target(
            name: "Soak", dependencies: ["SeededRuns", "PlainEvaluator", "Engine", "Plan", "Language", "Wire", "Values"],
            path: "Tests/Soak/Library",
            swiftSettings: strict),
        .executableTarget(
            name: "millrace-soak",
            dependencies: ["Soak", "SeededRuns", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tests/Soak/Command", swiftSettings: strict),
        .testTarget(
            name: "SoakTests", dependencies: ["Soak", "SeededRuns", "PlainEvaluator", "Engine", "Language", "Values"],
            path: "Tests/Soak/Tests",
            swiftSettings: strict),

        // The real server, killed under load: 20 times in the tests, 1,000 times with `make soak`.
        .executableTarget(
            name: "millrace-crashes",
            dependencies: [
                "SeededRuns", "PlainEvaluator", "Millrace", "Language", "Values",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Crashes", swiftSettings: strict),

        // Examples: what a user of the package would write.
        .target(name: "PaymentSimulator", path: "examples/payments/Simulator", swiftSettings: strict),
        .executableTarget(
            name: "millrace-demo",
            dependencies: [
                "PaymentSimulator", "Millrace", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "examples/payments/Demo",
            swiftSettings: strict),

        .testTarget(
            name: "ExamplesTests", dependencies: ["PaymentSimulator"], path: "Tests/Examples", swiftSettings: strict),
        .testTarget(name: "ArchitectureTests", path: "Tests/Architecture", swiftSettings: strict),
        .testTarget(name: "LinuxTests", dependencies: ["Linux"], path: "Tests/Linux", swiftSettings: strict),
        .testTarget(
            name: "StorageTests",
            dependencies: ["Storage", "Linux", "Wire", "Values", "Bounds", "CKernels", "CCountingAllocator"],
            path: "Tests/Storage", swiftSettings: strict),
        .testTarget(
            name: "RuntimeTests",
            dependencies: [
                "Runtime", "Storage", "Engine", "Plan", "Language", "Wire", "Linux", "Values",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Runtime", swiftSettings: strict),
        .testTarget(
            name: "MillraceTests",
            dependencies: [
                "Millrace", "Runtime", "Engine", "Plan", "Language", "Linux", "Wire", "Values",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Millrace", swiftSettings: strict),
        .testTarget(
            name: "MillraceCommandTests",
            dependencies: [
                "MillraceCommand", "Millrace", "Storage", "Wire", "Values", "Linux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/MillraceCommand", swiftSettings: strict),
        .testTarget(
            name: "WorkloadsTests", dependencies: ["Workloads", "Language", "Wire", "Values"], path: "Tests/Workloads",
            swiftSettings: strict),
        .testTarget(
            name: "MillraceLoadTests",
            dependencies: [
                "MillraceLoad", "Workloads", "Language", "Linux", "Wire", "Values",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/MillraceLoad", swiftSettings: strict),
        .testTarget(name: "ValuesTests", dependencies: ["Values"], path: "Tests/Values", swiftSettings: strict),
        .testTarget(
            name: "PlanTests", dependencies: ["Plan", "Language", "Values"], path: "Tests/Plan",
            exclude: ["Snapshots"], swiftSettings: strict),
        .testTarget(
            name: "EngineTests",
            dependencies: ["Engine", "Bytes", "Plan", "Language", "Values", "Wire", "Bounds", "CCountingAllocator"],
            path: "Tests/Engine", swiftSettings: strict),
        .testTarget(name: "BytesTests", dependencies: ["Bytes"], path: "Tests/Bytes", swiftSettings: strict),
        .testTarget(name: "BoundsTests", dependencies: ["Bounds"], path: "Tests/Bounds", swiftSettings: strict),
        .testTarget(
            name: "LanguageTests", dependencies: ["Language", "Values", "Bounds"], path: "Tests/Language", swiftSettings: strict),
        .testTarget(
            name: "WireTests", dependencies: ["Wire", "Values", "Bounds", "CKernels"], path: "Tests/Wire", swiftSettings: strict),
    ],
    cxxLanguageStandard: .cxx17
)
