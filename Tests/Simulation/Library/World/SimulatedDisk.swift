import Linux

/// The disk of one run. It keeps what a disk keeps: bytes that were synced, names whose directory was synced, and of everything
/// else whatever chance leaves when power is lost.
final class SimulatedDisk: Disk, @unchecked Sendable {
    // `@unchecked Sendable`: a run has one thread.
    unowned let world: Environment
    private var directories: [String: Directory] = [:]
    private var locks: Set<String> = []
    private(set) var usedBytes = 0
    /// It has refused something since the server started.
    private(set) var hasFailed = false
    /// Room that the disk has for everything.
    var capacityBytes = Int.max / 2

    private struct Directory {
        enum Change {
            case link(String, SimulatedInode)
            case unlink(String)
        }

        var shown: [String: SimulatedInode] = [:]
        var durable: [String: SimulatedInode] = [:]
        /// Renames within a directory are two changes that happen as one.
        var unsynced: [[Change]] = []

        mutating func make(_ changes: [Change]) {
            Self.apply(changes, to: &shown)
            unsynced.append(changes)
        }

        static func apply(_ changes: [Change], to names: inout [String: SimulatedInode]) {
            for change in changes {
                switch change {
                case .link(let name, let inode): names[name] = inode
                case .unlink(let name): names[name] = nil
                }
            }
        }
    }

    init(world: Environment) { self.world = world }

    // MARK: Crashes

    /// The process is gone; with `losesPower` the machine as well.
    func crashed(losesPower: Bool) {
        locks = []
        hasFailed = false
        guard losesPower else { return }
        for path in directories.keys.sorted() {
            var directory = directories[path]!
            // A file system writes changes of one directory in their order.
            let kept = world.dice.permille(400) ? 0 : world.dice.index(directory.unsynced.count + 1)
            if kept < directory.unsynced.count { world.happened(.nameLost) }
            for changes in directory.unsynced.prefix(kept) { Directory.apply(changes, to: &directory.durable) }
            directory.shown = directory.durable
            directory.unsynced = []
            for name in directory.shown.keys.sorted() {
                directory.shown[name]!.lose(world.dice) { world.happened($0) }
            }
            directories[path] = directory
        }
        countUsedBytes()
    }

    /// Damages the newest of a directory's files with such names: where there is another, and none that was damaged before. Of two
    /// kept, one is good.
    func damageNewest(in directory: String, suffix: String) {
        let names = directories[directory]?.shown.filter { $0.key.hasSuffix(suffix) } ?? [:]
        guard let newest = names.max(by: { $0.key < $1.key }), names.count > 1, !names.values.contains(where: \.isDamaged)
        else { return }
        newest.value.damage(world.dice)
        world.happened(.snapshotDamaged)
        world.note("\(newest.key) is damaged")
    }

    func isDamaged(_ directory: String, _ name: String) -> Bool { directories[directory]?.shown[name]?.isDamaged ?? false }

    /// Something was written that a loss of power may take.
    var hasUnsyncedWrites: Bool { directories.values.contains { $0.shown.values.contains(where: \.hasUnsyncedWrites) } }

    private func countUsedBytes() {
        usedBytes = directories.values.reduce(0) { $0 + $1.shown.values.reduce(0) { $0 + max($1.reserved, $1.shown.count) } }
    }

    // MARK: Disk

    func makeDirectory(_ path: String) throws(DiskError) {
        try opportunity("mkdir", path, .crashAtName)
        if directories[path] == nil { directories[path] = Directory() }
    }

    func fileNames(in directory: String) throws(DiskError) -> [String] {
        try alive("list", directory)
        guard let found = directories[directory] else { throw DiskError("list", directory, code: DiskError.notFound) }
        let below = directories.keys.filter { $0.hasPrefix(directory + "/") }.map { String($0.dropFirst(directory.count + 1)) }
        return (found.shown.keys + below.filter { !$0.contains("/") }).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile {
        let (directory, name) = try place(path, "open")
        if mode == .create {
            try opportunity("open", path, .crashAtName)
            guard directories[directory]!.shown[name] == nil else { throw DiskError("open", path, code: DiskError.exists) }
            try room(for: 1, "open", path)
            directories[directory]!.make([.link(name, SimulatedInode())])
        }
        try alive("open", path)
        guard let inode = directories[directory]!.shown[name] else { throw DiskError("open", path, code: DiskError.notFound) }
        return SimulatedFile(self, path, inode)
    }

    func rename(_ path: String, to: String) throws(DiskError) {
        let (from, name) = try place(path, "rename")
        let (target, newName) = try place(to, "rename")
        guard let inode = directories[from]!.shown[name] else { throw DiskError("rename", path, code: DiskError.notFound) }
        precondition(from == target, "the server renames within a directory")
        try opportunity("rename", path, .crashAtName) {
            directories[from]!.make([.link(newName, inode), .unlink(name)])
            if newName.hasSuffix(SnapshotWitness.suffix) { world.counts.snapshots += 1 }
        }
    }

    func remove(_ path: String) throws(DiskError) {
        let (directory, name) = try place(path, "remove")
        guard directories[directory]!.shown[name] != nil else { throw DiskError("remove", path, code: DiskError.notFound) }
        try alive("remove", path)
        if directories[directory]!.shown.keys.min() == name { world.willRemoveFirst(directory) }
        try opportunity("remove", path, .crashAtName) { directories[directory]!.make([.unlink(name)]) }
        countUsedBytes()
    }

    func syncDirectory(_ path: String) throws(DiskError) {
        guard directories[path] != nil else { throw DiskError("sync", path, code: DiskError.notFound) }
        try opportunity("sync", path, .crashAtSync) {
            directories[path]!.durable = directories[path]!.shown
            directories[path]!.unsynced = []
        }
    }

    func freeBytes(at path: String) throws(DiskError) -> Int {
        try alive("statfs", path)
        return max(0, capacityBytes - usedBytes)
    }

    func lock(_ path: String) throws(DiskError) -> any DiskLock {
        try alive("lock", path)
        let (directory, name) = try place(path, "lock")
        guard locks.insert(path).inserted else { throw DiskError("lock", path, code: DiskError.locked) }
        if directories[directory]!.shown[name] == nil { directories[directory]!.make([.link(name, SimulatedInode())]) }
        return Lock(self, path)
    }

    func isLocked(_ path: String) throws(DiskError) -> Bool { locks.contains(path) }

    private final class Lock: DiskLock, @unchecked Sendable {
        private unowned let disk: SimulatedDisk
        private let path: String

        init(_ disk: SimulatedDisk, _ path: String) {
            self.disk = disk
            self.path = path
        }

        deinit { disk.locks.remove(path) }
    }

    // MARK: Faults

    private func place(_ path: String, _ call: String) throws(DiskError) -> (directory: String, name: String) {
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { String(path[..<$0]) } ?? "."
        guard directories[directory] != nil else { throw DiskError(call, path, code: DiskError.notFound) }
        return (directory, slash.map { String(path[path.index(after: $0)...]) } ?? path)
    }

    /// A process that is gone changes nothing any more.
    func alive(_ call: @autoclosure () -> String, _ path: String) throws(DiskError) {
        if world.isServerDead { throw DiskError(call(), path, code: DiskError.inputOutput) }
    }

    /// A call that may be the last one: what it does has happened then, or not. Other threads go on meanwhile.
    ///
    /// - Parameter deaths: in thousandths; nil: as everywhere.
    func opportunity(
        _ call: @autoclosure () -> String, _ path: String, _ fault: Fault, deaths: Int? = nil, _ effect: () -> Void = {}
    ) throws(DiskError) {
        try alive(call(), path)
        world.otherThreadsGoOn()
        try alive(call(), path)
        let dies = world.dice.permille(deaths ?? world.rates.crashesAtDisk)
        if !dies || world.dice.permille(500) { effect() }
        if dies {
            world.note("the machine or the process stops at \(call()) \(path)")
            world.happened(fault)
            world.serverDies()
            try alive(call(), path)
        }
        world.note("\(call()) \(path)")
    }

    func failed(_ call: String, _ path: String) -> DiskError {
        hasFailed = true
        return DiskError(call, path, code: DiskError.inputOutput)
    }

    func room(for more: Int, _ call: String, _ path: String) throws(DiskError) {
        guard usedBytes + more <= capacityBytes else {
            hasFailed = true
            throw DiskError(call, path, code: DiskError.outOfSpace)
        }
        usedBytes += more
    }
}
