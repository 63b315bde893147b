import Bounds

/// One set of definitions that was in force, and where the streams stood when it came into force. The sets of a snapshot, taken
/// one after the other, give the plan whose state it holds.
///
///     version u32   source count u32   per source: name bytes u32, text bytes u32, name, text
///     time count u32   per time: table bytes u32, table, event time i64
public struct SnapshotDefinitions: Hashable, Sendable {
    public struct Source: Hashable, Sendable {
        public var name: String
        public var text: String

        public init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    public var version: UInt32
    public var sources: [Source]
    /// By table, of those that events had come for: the greatest event time at the place where the set took effect.
    public var newestEventTimes: [String: Int64]

    public init(version: UInt32, sources: [Source], newestEventTimes: [String: Int64] = [:]) {
        self.version = version
        self.sources = sources
        self.newestEventTimes = newestEventTimes
    }

    // MARK: Bytes

    public func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        func append<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
        append(version)
        append(UInt32(sources.count))
        for source in sources {
            append(UInt32(source.name.utf8.count))
            append(UInt32(source.text.utf8.count))
            bytes += source.name.utf8
            bytes += source.text.utf8
        }
        append(UInt32(newestEventTimes.count))
        for (table, time) in newestEventTimes.sorted(by: { $0.key < $1.key }) {
            append(UInt32(table.utf8.count))
            bytes += table.utf8
            append(time)
        }
        return bytes
    }

    /// nil where the bytes are not exactly one set.
    public init?(decoding bytes: [UInt8]) {
        var offset = 0
        func integer<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) -> T? {
            guard bytes.count - offset >= MemoryLayout<T>.size else { return nil }
            defer { offset += MemoryLayout<T>.size }
            return bytes.withUnsafeBytes { $0.integer(at: offset, as: T.self) }
        }
        func text(_ byteCount: UInt32) -> String? {
            guard bytes.count - offset >= byteCount else { return nil }
            defer { offset += Int(byteCount) }
            return String(validating: bytes[offset..<offset + Int(byteCount)], as: UTF8.self)
        }
        guard let version = integer(UInt32.self), let sourceCount = integer(UInt32.self) else { return nil }
        self.init(version: version, sources: [])
        // Each takes bytes of what is there, so that a count that lies ends soon.
        for _ in 0..<sourceCount {
            guard let nameBytes = integer(UInt32.self), let textBytes = integer(UInt32.self), let name = text(nameBytes),
                let text = text(textBytes)
            else { return nil }
            sources.append(Source(name: name, text: text))
        }
        guard let timeCount = integer(UInt32.self) else { return nil }
        for _ in 0..<timeCount {
            guard let tableBytes = integer(UInt32.self), let table = text(tableBytes), let time = integer(Int64.self) else {
                return nil
            }
            newestEventTimes[table] = time
        }
        guard offset == bytes.count else { return nil }
    }
}
