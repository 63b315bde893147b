import Bounds
import Plan
import Values

/// One allocation for everything that a batch holds by row, cut up for one stream and one class of row counts.
///
/// Cutting it up again costs a few nanoseconds a register and happens when a batch of another stream or another class
/// comes; a power of two of rows, so that a batch of one row touches few pages. The parts are skewed by a cache line each,
/// so that the same row of all columns does not fall into one cache set.
struct BatchMemory {
    struct PartitionRows {
        var hashes: UnsafeMutablePointer<UInt64>
        var rows: UnsafeMutablePointer<UInt32>
        /// By shard, and one more: where its rows begin.
        var starts: UnsafeMutablePointer<UInt32>
    }

    // Nothing stands anywhere before the first `cut`.
    private(set) var vectors = UnsafeMutablePointer<Vector>(bitPattern: 64)!
    /// By register: bytes from row to row, 0 where it is one chunk long.
    private(set) var strides = UnsafeMutablePointer<Int>(bitPattern: 64)!
    /// The batch's own room for a source column that needs conversion.
    private(set) var ownVectors: [Vector] = []
    private(set) var statuses = UnsafeMutablePointer<UInt8>(bitPattern: 64)!
    private(set) var newestBefore = UnsafeMutablePointer<Int64>(bitPattern: 64)!
    /// Never written: the null bytes of columns without NULLs.
    private(set) var noNulls = UnsafeMutablePointer<UInt8>(bitPattern: 64)!
    /// The rows' statuses before any shard has seen them; only where the rows go into a join table, else `statuses`.
    private(set) var admitted = UnsafeMutablePointer<UInt8>(bitPattern: 64)!
    private(set) var shardOfRow = UnsafeMutablePointer<UInt8>(bitPattern: 64)!
    /// By stage; bit i: shard i has something to do.
    private(set) var participants = UnsafeMutablePointer<UInt64>(bitPattern: 64)!
    private(set) var partitions: [PartitionRows] = []
    /// By stage: index of its first partition.
    private(set) var firstPartition: [Int] = []
    private(set) var selections: [UnsafeMutablePointer<UInt32>] = []
    var selectionCounts: [Int] = []

    private var block = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var rowCapacity = 0
    private var shardCount = 0
    private var stream: CompiledStream?

    static let rowsMin = 16

    var heldBytes: Int { block.count }

    /// Gives the memory back; the next `cut` takes what it needs.
    mutating func deallocate() {
        block.deallocate()
        block = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        stream = nil
    }

    /// The next `cut` is for another plan's stream.
    mutating func forget() { stream = nil }

    /// Makes room for a batch.
    mutating func cut(for stream: CompiledStream, rowCount: Int, shardCount: Int) {
        let rows = Self.capacity(for: rowCount)
        if self.stream === stream && rowCapacity == rows && self.shardCount == shardCount { return }
        (self.stream, rowCapacity, self.shardCount) = (stream, rows, shardCount)
        var measure = Cutter(start: nil)
        cut(&measure, stream)
        if measure.offset > block.count {
            block.deallocate()
            block = .allocate(byteCount: measure.offset, alignment: 64)
            block.initializeMemory(as: UInt8.self, repeating: 0)
        }
        var cutter = Cutter(start: block.baseAddress)
        cut(&cutter, stream)
        noNulls.update(repeating: NullByte.value, count: rows)
    }

    private static func capacity(for rowCount: Int) -> Int {
        var capacity = rowsMin
        while capacity < rowCount { capacity *= 2 }
        return capacity
    }

    /// Hands out pieces one after the other; without a start it only measures.
    private struct Cutter {
        var start: UnsafeMutableRawPointer?
        var offset = 0

        mutating func take<T>(_: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
            let address = start.map { $0 + offset } ?? UnsafeMutableRawPointer(bitPattern: 64)!
            offset += (count * MemoryLayout<T>.stride + 127) & ~63
            return address.assumingMemoryBound(to: T.self)
        }

        mutating func vector(rows: Int, stride: Int) -> Vector {
            Vector(values: UnsafeMutableRawPointer(take(UInt8.self, rows * stride)), nulls: take(UInt8.self, rows))
        }
    }

    private mutating func cut(_ cutter: inout Cutter, _ stream: CompiledStream) {
        let isMeasuring = cutter.start == nil
        let registerCount = stream.types.count
        vectors = cutter.take(Vector.self, registerCount)
        strides = cutter.take(Int.self, registerCount)
        statuses = cutter.take(UInt8.self, rowCapacity)
        newestBefore = cutter.take(Int64.self, rowCapacity)
        noNulls = cutter.take(UInt8.self, rowCapacity)
        shardOfRow = cutter.take(UInt8.self, rowCapacity)
        admitted = stream.hasIntakes ? cutter.take(UInt8.self, rowCapacity) : statuses
        ownVectors.removeAll(keepingCapacity: true)
        for index in 0..<registerCount {
            let stride = stream.types[index].form.stride
            let place = stream.places[index]
            let isWhole = place == .source || place == .column
            let vector =
                switch place {
                case .constant: stream.constants.vectors[index]
                // Set for every batch.
                case .link: Vector(values: UnsafeMutableRawPointer(noNulls), nulls: noNulls)
                case .source, .column, .scratch:
                    cutter.vector(rows: isWhole ? rowCapacity : Bounds.chunkRows, stride: stride)
                }
            ownVectors.append(vector)
            if isMeasuring { continue }
            vectors[index] = vector
            strides[index] = isWhole ? stride : 0
        }
        cutRowLists(&cutter, stream.plan)
    }

    private mutating func cutRowLists(_ cutter: inout Cutter, _ plan: StreamPlan) {
        partitions.removeAll(keepingCapacity: true)
        firstPartition.removeAll(keepingCapacity: true)
        for stage in plan.stages {
            firstPartition.append(partitions.count)
            for _ in stage.partitions {
                partitions.append(
                    PartitionRows(
                        hashes: cutter.take(UInt64.self, rowCapacity), rows: cutter.take(UInt32.self, rowCapacity),
                        starts: cutter.take(UInt32.self, shardCount + 1)))
            }
        }
        participants = cutter.take(UInt64.self, plan.stages.count)
        selections.removeAll(keepingCapacity: true)
        for _ in plan.views { selections.append(cutter.take(UInt32.self, rowCapacity)) }
        selectionCounts = Array(repeating: 0, count: plan.views.count)
    }
}
