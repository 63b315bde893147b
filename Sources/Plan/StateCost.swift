import Bytes
import CKernels
import Language
import Values

/// What a partition's state costs, from how it lies in memory.
///
/// An estimate supposes that a key's events come independently of one another, so that their number in the longest frame
/// follows Poisson's law. A log's ring has had to hold the most of them that were there at once; it shrinks only when it is
/// seven eighths empty.
struct StateCost {
    var bytesPerKey: Int
    var bytesPerEvent: Int
    /// Longest frame and lateness, in the event time's unit; 0 where no frame looks back.
    var distance: Int64
    /// Rows that are kept however old they are.
    var rows: Int64
    /// Peer groups that are kept however old they are; a group is one row at least.
    var groups: Int64
    var keepsValues: Bool
    var keepsAll: Bool
    var isUnbounded: Bool
    private let layout: StateLayout
    /// Bytes of a key that does not stand in its record.
    private let encodedKeyBytes: Int
    private let unitsPerSecond: Double?
    private let latenessSeconds: Double
    private let idleSeconds: Double?

    /// Slots of the index that the sweep visits for an event.
    private static let sweptSlotsPerEvent = 0.25
    /// How many times the longest frame a busy key's ring remembers.
    private static let framesRemembered = 10.0
    /// A frame of fewer events has no state of its own beside the log.
    private static let frameStateEventsMin = 24.0
    /// What a text is taken to have, in bytes.
    private static let textBytes = 16

    init(_ partition: PartitionPlan, _ layout: StateLayout, _ state: StatePlan, unitsPerSecond: Double?) {
        self.layout = layout
        self.unitsPerSecond = unitsPerSecond
        bytesPerKey = layout.recordBytes + StateLayout.indexSlotBytes
        bytesPerEvent = layout.bytesPerEvent
        let retention = layout.retention
        distance = retention.distance > 0 ? retention.distance.addingReportingOverflow(state.lateness).partialValue : 0
        rows = retention.rows
        groups = retention.groups
        keepsValues = retention.keepsValues
        keepsAll = retention.keepsAll
        isUnbounded = retention.isUnbounded
        encodedKeyBytes =
            layout.isKeyInline
            ? 0 : partition.keys.reduce(0) { $0 + 1 + ($1.type.form == .text ? 4 + Self.textBytes : $1.type.form.storedBytes) }
        latenessSeconds = unitsPerSecond.map { Double(state.lateness) / $0 } ?? 0
        idleSeconds = unitsPerSecond.flatMap { units in state.idleAfter.map { Double($0) / units } }
    }

    /// nil where the state grows with every event.
    func bytes(for load: Load, keys: Int) -> Double? {
        if keepsValues || keepsAll && load.seconds == nil { return nil }
        let groups = load.groups(keys: keys)
        let elapsed = load.seconds ?? .infinity
        var frameSeconds = unitsPerSecond.map { Double(layout.retention.distance) / $0 + latenessSeconds } ?? 0
        if keepsAll { frameSeconds = elapsed }
        var keptSeconds = isUnbounded ? idleSeconds.map { max($0 + latenessSeconds, frameSeconds) } ?? .infinity : frameSeconds
        if unitsPerSecond == nil { keptSeconds = .infinity }
        frameSeconds = min(frameSeconds, elapsed)
        let framesSeen = frameSeconds > 0 ? min(elapsed / frameSeconds, Self.framesRemembered) : 0

        // Keys that are empty stay until the sweep comes by, and meanwhile the index may have to grow.
        func held(_ seconds: Double) -> Double {
            groups.reduce(0) { $0 + $1.keys * heldShare($1.eventsPerSecond, min(seconds, elapsed)) }
        }
        // More slots take the sweep longer, so that more keys are held, which take more slots.
        var slots = 64.0
        func sweepSeconds() -> Double { slots / (Self.sweptSlotsPerEvent * load.eventsPerSecond) }
        while true {
            let needed = Self.indexSlots(keys: held(keptSeconds + sweepSeconds() * 0.75))
            if needed <= slots * 1.001 { break }
            slots = needed
        }
        let heldSeconds = keptSeconds + sweepSeconds() / 2
        var bytes = Double(Arena.blockBytes(Int(slots) * StateLayout.indexSlotBytes))
        for group in groups {
            let keys = group.keys * heldShare(group.eventsPerSecond, min(heldSeconds, elapsed))
            bytes += keys * keyBytes(eventsInFrame: group.eventsPerSecond * frameSeconds, framesSeen: framesSeen)
        }
        return bytes
    }

    // MARK: The index

    /// Slots of the index of so many keys: one segment doubles; from then on one after the other splits, while the keys become more.
    private static func indexSlots(keys: Double) -> Double {
        var slots = 64
        while slots < StateLayout.indexSegmentSlots && Double(slots) * 0.6 < keys { slots *= 2 }
        if Double(slots) * 0.6 >= keys { return Double(slots) }
        let range = StateLayout.indexSegmentKeys
        var segments = 1.0
        while segments * Double(range.upperBound) < keys { segments *= 2 }
        let split = (keys / segments - Double(range.lowerBound)) / Double(range.count)
        return segments * (1 + min(max(split, 0), 1)) * Double(StateLayout.indexSegmentSlots)
    }

    // MARK: Keys

    /// The share of keys of which an event came within the time.
    private func heldShare(_ eventsPerSecond: Double, _ seconds: Double) -> Double {
        1 - millrace_exp(-eventsPerSecond * seconds)
    }

    /// Record and log of one key.
    private func keyBytes(eventsInFrame: Double, framesSeen: Double) -> Double {
        var bytes = Double(Arena.blockBytes(layout.recordBytes))
        if encodedKeyBytes > 0 { bytes += Double(Arena.blockBytes(encodedKeyBytes)) }
        let kept = Double(max(rows, groups))
        if eventsInFrame + kept >= Self.frameStateEventsMin {
            for state in layout.frameStates {
                let perEvent = state.bytesPerEvent(form: layout.inputs[state.input].argument!.type.form)
                bytes += Double(perEvent) * (eventsInFrame + kept)
            }
        }
        var capacity = layout.capacityMin
        var share = 1.0
        while share > 1e-6 && capacity < 1 << 40 {
            let above = share * outgrows(Double(capacity) - kept, eventsInFrame, framesSeen)
            bytes += (share - above) * Double(logBytes(capacity))
            share = above
            capacity *= 2
        }
        return bytes
    }

    /// The probability that a ring with this much room for a frame's events had to become larger.
    private func outgrows(_ room: Double, _ mean: Double, _ framesSeen: Double) -> Double {
        if room < 1 || room < mean { return 1 }
        if mean <= 0 { return 0 }
        // How often a frame with as many events as there is room for gets one more: Poisson's probability, by Stirling. Such
        // moments come in clusters, of which only the first counts; they are the longer the closer the mean is.
        let stirling = room * millrace_log(room / mean) - room + mean + 0.5 * millrace_log(2 * .pi * (room + 1.0 / 6))
        let clusters = max(1 - mean / room, 0.5 / mean.squareRoot())
        return 1 - millrace_exp(-framesSeen * mean * clusters * millrace_exp(-stirling))
    }

    private func logBytes(_ capacity: Int) -> Int {
        var bytes = Arena.blockBytes(layout.logBytes(capacity: capacity))
        if capacity >= StateLayout.occurrenceTableEventsMin {
            bytes += layout.inputs.count { $0.next != nil } * Arena.blockBytes(capacity * StateLayout.occurrenceSlotBytes)
        }
        return bytes
    }
}
