import Linux

/// An open file of the simulated disk.
final class SimulatedFile: DiskFile, @unchecked Sendable {
    private unowned let disk: SimulatedDisk
    let path: String
    private let inode: SimulatedInode

    init(_ disk: SimulatedDisk, _ path: String, _ inode: SimulatedInode) {
        self.disk = disk
        self.path = path
        self.inode = inode
    }

    func byteCount() throws(DiskError) -> Int {
        try disk.alive("stat", path)
        return inode.shown.count
    }

    func read(into destination: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        try disk.alive("read", path)
        let count = max(0, min(destination.count, inode.shown.count - offset))
        if count > 0 {
            inode.shown.withUnsafeBytes {
                destination.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count]))
            }
        }
        return count
    }

    func write(_ parts: [UnsafeRawBufferPointer], at offset: Int) throws(DiskError) {
        let world = disk.world
        var bytes: [UInt8] = []
        for part in parts { bytes += part }
        try disk.alive("write", path)
        let end = offset + bytes.count
        if end > inode.reserved { try disk.room(for: end - inode.reserved, "write", path) }
        if world.dice.permille(world.rates.failedWrites) {
            world.happened(.writeFailed)
            inode.write(Array(bytes.prefix(world.dice.small(bytes.count))), at: offset)
            throw disk.failed("write", path)
        }
        try disk.opportunity("write \(bytes.count) bytes at \(offset) to", path, .crashAtWrite) { inode.write(bytes, at: offset) }
    }

    func allocate(byteCount: Int) throws(DiskError) {
        try disk.alive("allocate", path)
        if byteCount > inode.reserved { try disk.room(for: byteCount - inode.reserved, "allocate", path) }
        try disk.opportunity("allocate", path, .crashAtWrite) {
            inode.reserve(byteCount)
            if byteCount > inode.shown.count { inode.setLength(byteCount) }
        }
    }

    func truncate(to byteCount: Int) throws(DiskError) {
        try disk.opportunity("truncate", path, .crashAtWrite) {
            inode.setLength(byteCount)
            inode.releaseReserve()
        }
    }

    func sync() throws(DiskError) {
        let world = disk.world
        try disk.alive("sync", path)
        if world.dice.permille(world.rates.failedSyncs) {
            world.happened(.syncFailed)
            inode.syncFailed(world.dice)
            throw disk.failed("sync", path)
        }
        var deaths = world.rates.crashesAtDisk
        if world.dice.permille(world.rates.slowSyncs) {
            world.happened(.slowSync)
            // Some last as long as a snapshot takes.
            for _ in 0..<world.dice.number(world.dice.permille(200) ? 200...2_000 : 5...100) { world.otherThreadsGoOn() }
            // What has relied on it too early is known by nothing but a death now.
            deaths = min(10 * deaths, 300)
        }
        // What is written while it waits isn't covered: only what was there when it was called.
        try disk.opportunity("sync", path, .crashAtSync, deaths: deaths) { inode.synced() }
    }
}
