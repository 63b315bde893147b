import Linux

/// Bytes that a record takes from memory of its own: written once, then only read, from any thread.
///
/// `@unchecked Sendable`: the address and what stands there never change between `init` and `deinit`.
public final class LogBytes: @unchecked Sendable {
    /// For whoever has just made it.
    let base: UnsafeMutableRawPointer
    public let count: Int

    /// Valid as long as this object; at a multiple of 8.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    public init(copying source: UnsafeRawBufferPointer) {
        count = source.count
        base = .allocate(byteCount: max(source.count, 8), alignment: 8)
        if let start = source.baseAddress { base.copyMemory(from: start, byteCount: source.count) }
    }

    public init(_ source: [UInt8]) {
        count = source.count
        base = .allocate(byteCount: max(source.count, 8), alignment: 8)
        source.withUnsafeBytes { base.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(base), byteCount: $0.count) }
    }

    init(zeros count: Int) {
        self.count = count
        base = .allocate(byteCount: max(count, 8), alignment: 8)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    }

    /// What a file has at `offset`: at most `count` bytes, fewer at its end.
    init(of file: any DiskFile, at offset: Int, count: Int) throws(LogError) {
        base = .allocate(byteCount: max(count, 8), alignment: 8)
        let room = UnsafeMutableRawBufferPointer(start: base, count: count)
        do throws(DiskError) {
            self.count = try file.read(into: room, at: offset)
        } catch {
            self.count = 0
            throw .disk(error)
        }
    }

    deinit { base.deallocate() }
}
