import Bounds
import CKernels
import Values

/// The entries of one dictionary-encoded column, owned: they outlive the message they came in.
struct TextDictionary {
    let id: Int64
    /// The sender's entries have 64-bit offsets.
    let isLarge: Bool
    /// One more than entries.
    private(set) var offsets: [Int32] = [0]
    private(set) var text: [UInt8] = []
    /// One byte an entry, 1 where it is NULL; empty where none is.
    private(set) var nulls: [UInt8] = []

    var entryCount: Int { offsets.count - 1 }

    /// Memory that the entries take.
    var heldBytes: Int { offsets.count * 4 + text.count + nulls.count }

    static let textBytesMax = Bounds.frameBodyBytesMax

    init(id: Int64, isLarge: Bool) {
        self.id = id
        self.isLarge = isLarge
    }

    /// Replaces the entries, or adds to them, where they then take at most `bytesMax`. Unchanged where it throws.
    mutating func take(_ source: BatchSource, limits: BatchLimits, bytesMax: Int) throws(WireError) {
        let what = "dictionary \(id)"
        guard source.nodeCount == 1, source.bufferCount == 3 else {
            throw .malformed(what: what, why: "it has \(source.nodeCount) columns with \(source.bufferCount) buffers")
        }
        var scratch = ScratchBuffer()
        let plan = ColumnPlan(type: .text, isNullable: true, node: 0, buffer: 0, conversion: isLarge ? .largeText : .text)
        let column: ColumnView
        do {
            column = try source.column(plan, ColumnParts(), limits: limits, scratch: &scratch)
        } catch {
            throw error.wireError(column: what)
        }
        let kept = source.isDelta ? self : TextDictionary(id: id, isLarge: isLarge)
        let entries = kept.entryCount + column.rowCount
        guard entries <= Bounds.dictionaryEntriesMax else {
            throw .tooLarge(what: "the entries of \(what)", found: entries, limit: Bounds.dictionaryEntriesMax)
        }
        let added = column.offsets.unsafelyUnwrapped
        let bytes = kept.text.count + Int(added[column.rowCount] - added[0])
        guard bytes <= Self.textBytesMax else {
            throw .tooLarge(what: "the text of \(what)", found: bytes, limit: Self.textBytesMax)
        }
        let held = bytes + (entries + 1) * 4 + entries
        guard held <= bytesMax else {
            throw .tooLarge(what: "the memory of \(what)", found: held, limit: max(bytesMax, 0))
        }
        self = kept
        append(column)
    }

    private mutating func append(_ column: ColumnView) {
        let added = column.offsets.unsafelyUnwrapped
        let shift = Int32(text.count) - added[0]
        if column.nullCount > 0 || !nulls.isEmpty {
            nulls.append(contentsOf: repeatElement(0, count: entryCount - nulls.count))
            for entry in 0..<column.rowCount { nulls.append(column.isNull(entry) ? 1 : 0) }
        }
        for entry in 0..<column.rowCount { offsets.append(added[entry + 1] + shift) }
        let start = column.values.assumingMemoryBound(to: UInt8.self) + Int(added[0])
        text.append(contentsOf: UnsafeBufferPointer(start: start, count: Int(added[column.rowCount] - added[0])))
    }
}

extension BatchSource {
    /// Indices to the text they stand for.
    func readDictionary(
        _ plan: ColumnPlan, _ dictionary: TextDictionary, _ layout: IntegerLayout, into column: inout ColumnView,
        scratch: inout ScratchBuffer
    ) throws(ColumnProblem) {
        let indices = try integers(plan, layout, column, scratch: &scratch)
        try checkIndices(indices, dictionary, column)
        if !dictionary.nulls.isEmpty { try mergeNulls(indices, dictionary, into: &column, scratch: &scratch) }

        let offsets = try scratch.take((rowCount + 1) * 4).assumingMemoryBound(to: Int32.self)
        var total = 0
        offsets[0] = 0
        for row in 0..<rowCount {
            if !column.isNull(row) {
                let entry = Int(indices[row])
                total += Int(dictionary.offsets[entry + 1] - dictionary.offsets[entry])
            }
            offsets[row + 1] = Int32(truncatingIfNeeded: total)
        }
        guard total <= Int32.max else {
            throw .tooLarge(what: "the text of one batch", found: total, limit: Int(Int32.max))
        }
        let text = try scratch.take(max(total, 1))
        dictionary.text.withUnsafeBytes { entries in
            for row in 0..<rowCount where offsets[row + 1] > offsets[row] {
                let entry = entries.baseAddress.unsafelyUnwrapped + Int(dictionary.offsets[Int(indices[row])])
                (text + Int(offsets[row])).copyMemory(from: entry, byteCount: Int(offsets[row + 1] - offsets[row]))
            }
        }
        column.values = UnsafeRawPointer(text)
        column.offsets = UnsafePointer(offsets)
    }

    private func checkIndices(
        _ indices: UnsafeMutablePointer<Int64>, _ dictionary: TextDictionary, _ column: ColumnView
    ) throws(ColumnProblem) {
        let entries = UInt64(dictionary.entryCount)
        for row in 0..<rowCount where UInt64(bitPattern: indices[row]) >= entries {
            guard !column.isNull(row) else { continue }
            throw .value(row: row, why: "index \(indices[row]) into a dictionary of \(entries) entries")
        }
    }

    /// A row is NULL where its own bit or its entry says so.
    private func mergeNulls(
        _ indices: UnsafeMutablePointer<Int64>, _ dictionary: TextDictionary, into column: inout ColumnView,
        scratch: inout ScratchBuffer
    ) throws(ColumnProblem) {
        let merged = try scratch.take(max(bitmapByteCount, 1)).assumingMemoryBound(to: UInt8.self)
        merged.update(repeating: 0, count: bitmapByteCount)
        var nullCount = 0
        for row in 0..<rowCount {
            if column.isNull(row) || dictionary.nulls[Int(indices[row])] != 0 {
                nullCount += 1
            } else {
                merged[row >> 3] |= 1 << UInt8(row & 7)
            }
        }
        column.nullCount = nullCount
        column.validity = nullCount == 0 ? nil : UnsafePointer(merged)
    }
}
