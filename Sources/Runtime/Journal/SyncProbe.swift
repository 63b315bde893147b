import Linux

/// What a sync costs: small writes to a new file, each synced.
struct SyncProbe: Sendable {
    static let syncs = 9
    private static let byteCount = 4_096
    /// The middle one of all.
    let nanoseconds: UInt64

    init(_ disk: any Disk, path: String, time: any TimeSource) throws(DiskError) {
        let file: any DiskFile
        do throws(DiskError) {
            file = try disk.open(path, .create)
        } catch {
            // A server that was killed here has left it.
            guard error.code == DiskError.exists else { throw error }
            file = try disk.open(path, .write)
        }
        var durations: [UInt64] = []
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.byteCount, alignment: 8)
        bytes.initializeMemory(as: UInt8.self, repeating: 0x5A)
        defer { bytes.deallocate() }
        for number in 0..<Self.syncs {
            let start = time.monotonicNanoseconds()
            try file.write([UnsafeRawBufferPointer(bytes)], at: number * Self.byteCount)
            try file.sync()
            durations.append(time.monotonicNanoseconds() &- start)
        }
        try disk.remove(path)
        nanoseconds = durations.sorted()[Self.syncs / 2]
    }
}
