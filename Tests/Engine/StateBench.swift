import Bounds
import Bytes
import Testing
import Values

@testable import Engine
@testable import Plan

/// A partition on its own, fed from cells.
struct PartitionBench: ~Copyable {
    var partition: Partition
    var memory = ShardMemory(limitBytes: 256 << 20)
    var output = TextArena()
    private(set) var plan: PartitionPlan
    private var types: [ValueType]
    private var lateness: Int64
    /// Keys that are brought up to date after each batch.
    var visits = 8
    var newest = Int64.min
    /// Of the last batch: rows for which there was no memory.
    private let full = UnsafeMutablePointer<[ForcedRefusal]>.copy(of: [[]])

    init(plan: PartitionPlan, types: [ValueType], lateness: Int64, idleAfter: Int64?, nullable: Bool = true) {
        self.init(
            plan: plan, layout: StateLayout(partition: plan) { _ in nullable }, types: types, lateness: lateness,
            idleAfter: idleAfter)
    }

    init(plan: PartitionPlan, layout: StateLayout, types: [ValueType], lateness: Int64, idleAfter: Int64?) {
        self.plan = plan
        self.types = types
        self.lateness = lateness
        partition = Partition(
            code: PartitionCode(plan: plan, layout: layout, lateness: lateness, idleAfter: idleAfter, timeZone: .utc))
    }

    deinit {
        full.deinitialize(count: 1)
        full.deallocate()
    }

    /// Changes the calls.
    mutating func change(to match: StateMatch, types: [ValueType]) {
        let code = PartitionCode(
            plan: match.new.partition, layout: match.new.layout, lateness: match.new.state.lateness,
            idleAfter: match.new.state.idleAfter, timeZone: .utc)
        if let update = match.update {
            partition.change(to: code, by: update, newest: newest, memory: &memory)
        } else {
            partition.change(to: code)
        }
        (plan, self.types, lateness) = (match.new.partition, types, match.new.state.lateness)
    }

    // MARK: Images

    /// - Parameter blockBytes: 1 has keys of more than 8 rows written in blocks of so many.
    mutating func beginImage(blockBytes: Int = Bounds.imageBlockBytes) {
        memory.imageNumber += 1
        let image = ShardImage(
            number: memory.imageNumber, shard: 0, of: 1, fingerprints: [partition.code.fingerprint], stateCount: 1,
            waitingBytesMax: 1 << 30, blockBytes: blockBytes)
        memory.image = image
        memory.imageProgress = .taking
        let isBegun = partition.beginImage(image, state: 0)
        #expect(isBegun)
    }

    /// A few steps of the sweep.
    mutating func takeImage(visits: Int) {
        var left = visits
        while left > 0 {
            if let key = memory.image?.oldestKey {
                partition.carryOn(key, visits: &left, memory: &memory)
            } else {
                if partition.outdated.isEmpty { return }
                if !partition.bringSomeUpToDate(left: &left, memory: &memory) { return }
            }
        }
    }

    /// Takes what is left; the bodies of its pieces.
    mutating func finishImage() -> [ImagePiece] {
        while !partition.outdated.isEmpty || memory.image!.oldestKey != nil { takeImage(visits: 8) }
        memory.image!.finish()
        let pieces = memory.image!.drain()
        memory.image = nil
        return pieces
    }

    mutating func load(_ pieces: [ImagePiece]) throws(ImageFault) {
        for piece in pieces {
            var reader = ImageReader(piece.bytes)
            let header = try ImageHeader(&reader)
            guard header.kind == .state else { continue }
            try partition.load(header.keyCount, from: &reader, owner: KeyOwner(shard: 0, shardCount: 1), memory: &memory)
        }
    }

    /// Not further back than is kept.
    func canLookUp(_ event: [Scalar]) -> Bool {
        guard case .integer(let time) = event[plan.time.index], newest != .min else { return false }
        return time >= newest.subtractingClamped(lateness)
    }

    /// Gives back all keys; nil, or what is still held.
    mutating func release() -> String? {
        var leftovers = Leftovers()
        // The partition moves out of the bench; an empty one takes its place.
        var other = Partition(
            code: PartitionCode(
                plan: plan, layout: StateLayout(partition: plan) { _ in true }, lateness: 0, idleAfter: nil, timeZone: .utc))
        swap(&other, &partition)
        leftovers.add(other)
        while !leftovers.isEmpty { leftovers.clear(visits: 16, memory: &memory) }
        if memory.texts.liveCount > 0 { return "\(memory.texts.liveCount) texts are held" }
        let held = memory.arena.usedBytes - memory.texts.heldBytes
        return held == 0 ? nil : "\(held) bytes are held"
    }

    /// One row of answers for each event; nil where it was late or refused.
    mutating func apply(_ events: [[Scalar]], mode: BatchMode, refusesNewKeys: Bool = false) -> [[Scalar]?] {
        output.reset()
        let count = events.count
        var texts = TextArena()
        let vectors = UnsafeMutablePointer<Vector>.allocate(capacity: types.count)
        for (index, type) in types.enumerated() {
            let values = UnsafeMutableRawPointer.allocate(byteCount: max(1, count) * type.form.stride, alignment: 16)
            values.initializeMemory(as: UInt8.self, repeating: 0xAA, count: count * type.form.stride)
            let nulls = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, count))
            nulls.initialize(repeating: 1, count: max(1, count))
            vectors[index] = Vector(values: values, nulls: nulls)
            for (row, event) in events.enumerated() where index < event.count {
                write(event[index], to: vectors[index], row, &texts)
            }
        }
        defer {
            for index in types.indices {
                vectors[index].values.deallocate()
                vectors[index].nulls.deallocate()
            }
            vectors.deallocate()
        }
        let hashes = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: count + 1)
        let statuses = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: count + 1)
        let rows = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: count + 1)
        let newestBefore = UnsafeMutableBufferPointer<Int64>.allocate(capacity: count + 1)
        defer {
            hashes.deallocate()
            statuses.deallocate()
            rows.deallocate()
            newestBefore.deallocate()
        }
        statuses.initialize(repeating: 0)
        var running = Int64.min
        for (row, event) in events.enumerated() {
            rows[row] = UInt32(row)
            newestBefore[row] = running
            if case .integer(let time) = event[plan.time.index] { running = max(running, time) }
        }
        KeyHash.hashes(of: plan.keys, vectors: vectors, rowCount: count, into: hashes.baseAddress!)
        partition.apply(
            BatchRows(
                rows: UnsafePointer(rows.baseAddress!), count: count, hashes: UnsafePointer(hashes.baseAddress!),
                vectors: vectors,
                statuses: statuses.baseAddress!, mode: mode,
                refusal: KeyRefusal(marks: refusesNewKeys ? 1 : 0, shardCount: 1), state: 0, full: full),
            clock: StreamClock(newest: newest, newestBefore: UnsafePointer(newestBefore.baseAddress!), lateness: lateness),
            memory: &memory,
            output: &output)
        if mode == .compute || mode == .ingest {
            newest = max(newest, running)
            partition.sweep(slots: 32, newest: newest, memory: &memory)
            takeImage(visits: visits)
        }
        return (0..<count).map { row in
            if statuses[row] != 0 { return nil }
            return plan.calls.map { read($0.result.type, vectors[$0.result.index], row) }
        }
    }

    private func write(_ cell: Scalar, to vector: Vector, _ row: Int, _ texts: inout TextArena) {
        vector.nulls[row] = 0
        switch cell {
        case .null: vector.nulls[row] = 1
        case .boolean(let value): vector.booleans[row] = value ? 1 : 0
        case .integer(let value): vector.integers[row] = value
        case .double(let value): vector.doubles[row] = value
        case .decimal(let value): vector.decimals[row] = value
        case .interval(let value): vector.intervals[row] = value
        case .text(let value): vector.texts[row] = Array(value.utf8).withUnsafeBufferPointer { texts.copy($0)! }
        case .array: arraysAreResults()
        }
    }

    private func read(_ type: ValueType, _ vector: Vector, _ row: Int) -> Scalar {
        cell(vector, type, row)
    }
}
