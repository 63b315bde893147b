import Glibc

/// Files beside the tests, in `Snapshots/`.
enum Snapshot {
    static let all = ["card_risk", "two_views", "rows_and_dates", "several_tables"]

    static var isAccepting: Bool { getenv("MILLRACE_ACCEPT_SNAPSHOTS") != nil }

    private static func path(_ name: String) -> String {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        return "/\(folder)/Snapshots/\(name)"
    }

    static func read(_ name: String) -> String? {
        guard let file = fopen(path(name), "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }

    static func write(_ name: String, _ text: String) {
        guard let file = fopen(path(name), "w") else { return }
        fputs(text, file)
        fclose(file)
    }
}
