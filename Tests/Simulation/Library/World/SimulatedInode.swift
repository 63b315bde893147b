/// A file's bytes as the system shows them and as they are on the disk.
///
///     write ─► shown ──────────────► read
///       └────► unsynced ──sync──► durable ──crash: durable, and whatever part of `unsynced` chance leaves──► shown
final class SimulatedInode {
    enum Change {
        case write(offset: Int, bytes: [UInt8])
        case length(Int)
    }

    private(set) var shown: [UInt8] = []
    private var durable: [UInt8] = []
    private(set) var unsynced: [Change] = []
    /// Room on the disk, in bytes.
    private(set) var reserved = 0
    /// The disk has not kept what was synced.
    private(set) var isDamaged = false

    /// What the disk writes or loses as a whole.
    static let sectorBytes = 512

    var hasUnsyncedWrites: Bool { unsynced.contains { if case .write = $0 { true } else { false } } }

    func write(_ bytes: [UInt8], at offset: Int) {
        Self.apply(.write(offset: offset, bytes: bytes), to: &shown)
        reserved = max(reserved, shown.count)
        unsynced.append(.write(offset: offset, bytes: bytes))
    }

    func setLength(_ count: Int) {
        Self.apply(.length(count), to: &shown)
        unsynced.append(.length(count))
    }

    func reserve(_ count: Int) { reserved = max(reserved, count) }
    func releaseReserve() { reserved = shown.count }

    func synced() {
        for change in unsynced { Self.apply(change, to: &durable) }
        unsynced = []
    }

    /// The disk has failed: each change has reached it or hasn't, and nobody will try again.
    func syncFailed(_ dice: Dice) {
        for change in unsynced where dice.permille(500) { Self.apply(change, to: &durable) }
        unsynced = []
    }

    /// Power is lost. What is left is shown from now on.
    func lose(_ dice: Dice, happened: (Fault) -> Void) {
        if !unsynced.isEmpty { keepSome(dice, happened) }
        shown = durable
        unsynced = []
        reserved = max(reserved, shown.count)
    }

    /// A file that was synced has another byte somewhere, or has lost its end.
    func damage(_ dice: Dice) {
        guard !shown.isEmpty else { return }
        isDamaged = true
        let place = dice.index(shown.count)
        if dice.permille(300) {
            setLength(place)
        } else {
            write([shown[place] ^ UInt8(dice.number(1...255))], at: place)
        }
        synced()
    }

    private func keepSome(_ dice: Dice, _ happened: (Fault) -> Void) {
        switch dice.index(4) {
        case 0: happened(.writeLost)
        case 1:
            // In order, up to some place.
            let kept = dice.index(unsynced.count + 1)
            if kept < unsynced.count { happened(.writeLost) }
            for change in unsynced.prefix(kept) { Self.apply(change, to: &durable) }
            if kept < unsynced.count && dice.permille(700) { tear(unsynced[kept], dice, happened) }
        case 2:
            // In any order: some of them.
            for change in unsynced {
                switch dice.index(3) {
                case 0: happened(.writeLost)
                case 1: Self.apply(change, to: &durable)
                default: tear(change, dice, happened)
                }
            }
        default:
            for change in unsynced { Self.apply(change, to: &durable) }
        }
    }

    /// Some of the sectors that a write touches.
    private func tear(_ change: Change, _ dice: Dice, _ happened: (Fault) -> Void) {
        guard case .write(let offset, let bytes) = change else { return Self.apply(change, to: &durable) }
        happened(.writeTorn)
        let isPrefix = dice.permille(500)
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, ((offset + start) / Self.sectorBytes + 1) * Self.sectorBytes - offset)
            if dice.permille(500) {
                Self.apply(.write(offset: offset + start, bytes: Array(bytes[start..<end])), to: &durable)
            } else if isPrefix {
                return
            }
            start = end
        }
    }

    private static func apply(_ change: Change, to bytes: inout [UInt8]) {
        switch change {
        case .write(let offset, let written):
            lengthen(&bytes, to: offset + written.count)
            bytes.withUnsafeMutableBytes { bytes in
                written.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: bytes[offset...]).copyMemory(from: $0) }
            }
        case .length(let count):
            lengthen(&bytes, to: count)
            bytes.removeLast(bytes.count - count)
        }
    }

    private static func lengthen(_ bytes: inout [UInt8], to count: Int) {
        if bytes.count < count { bytes += [UInt8](repeating: 0, count: count - bytes.count) }
    }
}
