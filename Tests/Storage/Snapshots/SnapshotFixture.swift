import Linux

@testable import Storage

extension FakeDisk {
    subscript(path: String) -> [UInt8]? {
        get { paths.contains(path) ? bytes(path) : nil }
        set { if let newValue { write(newValue, to: path) } else { with { $0.files[path] = nil } } }
    }

    /// What changed something, in order; one line for writes that follow one another.
    var changes: [String] {
        var changes: [String] = []
        for call in with({ $0.calls }) where ["write", "sync", "rename", "remove"].contains(where: { call.hasPrefix($0 + " ") }) {
            if changes.last != call { changes.append(call) }
        }
        return changes
    }
}

/// Snapshots of made-up state.
enum SnapshotFixture {
    static let directory = "snapshots"

    static func header(_ sequence: UInt64, sets: Int = 2) -> SnapshotHeader {
        SnapshotHeader(
            sequence: sequence, epoch: 3, wallMicroseconds: 1_700_000_000_000_000, definitionsVersion: UInt32(sets),
            definitionSetCount: UInt32(sets), coreCount: 2, release: "0.1.0", timeZoneVersion: "2025b")
    }

    static func definitions(_ count: Int = 2) -> [SnapshotDefinitions] {
        (1...count).map { version in
            SnapshotDefinitions(
                version: UInt32(version),
                sources: [
                    .init(name: "a.sql", text: "CREATE TABLE t\(version) (x bigint);"),
                    .init(name: "größe.sql", text: "SELECT 1"),
                ],
                newestEventTimes: version == 1 ? [:] : ["t1": -5, "t2": .max])
        }
    }

    /// Bytes that compress a little.
    static func bytes(_ count: Int, seed: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761 &+ seed &* 7_919) >> 9 & 0x3F) }
    }

    static func blocks(_ count: Int, bytes: Int) -> [(kind: SnapshotBlockKind, keyCount: Int, bytes: [UInt8])] {
        (0..<count).map { number in
            let kind =
                number == count - 1
                ? SnapshotBlockKind(.producers) : SnapshotBlockKind(.state, part: UInt8(number % 3), state: UInt16(number))
            return (kind, number * 10, self.bytes(max(0, bytes - number * 3), seed: number))
        }
    }

    @discardableResult
    static func write(_ sequence: UInt64, blocks count: Int = 4, bytes: Int = 100, on disk: any Disk) throws -> SnapshotFooter {
        var writer = try SnapshotWriter.begin(header(sequence), definitions: definitions(), in: directory, disk: disk)
        for block in blocks(count, bytes: bytes) {
            try block.bytes.withBytes { (bytes) throws(SnapshotError) in
                try writer.append(block.kind, keyCount: block.keyCount, bytes)
            }
        }
        return try writer.publish()
    }

    static func path(_ sequence: UInt64) -> String { "\(directory)/\(SnapshotName.name(ofSequence: sequence))" }

    /// What is wrong with the snapshot; nil where it is believed.
    static func problem(_ sequence: UInt64, on disk: any Disk) -> SnapshotError? {
        do throws(SnapshotError) {
            try SnapshotReader.open(sequence: sequence, in: directory, disk: disk).verify()
            return nil
        } catch {
            return error
        }
    }
}
