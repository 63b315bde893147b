import CKernels
import Values

/// Canonical columns out of a batch's buffers. Each function checks what it relies on, once per column where it can.
extension BatchSource {
    func column(
        _ plan: ColumnPlan, _ parts: ColumnParts, limits: BatchLimits, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) -> ColumnView {
        if case .allNull = plan.conversion { return try allNull(plan.type, scratch: &scratch) }
        var column = ColumnView(
            type: plan.type, rowCount: rowCount, nullCount: 0, validity: nil, values: body)
        try readValidity(plan, into: &column, scratch: &scratch)
        switch plan.conversion {
        case .allNull: break
        case .bits:
            column.values =
                try bytes(plan.buffer + 1, atLeast: bitmapByteCount, "values", scratch: &scratch).baseAddress.unsafelyUnwrapped
        case .direct(let width):
            column.values = try aligned(plan.buffer + 1, width: width, count: rowCount, "values", scratch: &scratch)
        case .text: try readText(plan, into: &column, limits: limits, scratch: &scratch)
        case .largeText: try readLargeText(plan, into: &column, limits: limits, scratch: &scratch)
        case .dictionary(let index, let layout):
            try readDictionary(plan, parts.dictionaries[index], layout, into: &column, scratch: &scratch)
        case .list(let elements):
            try readList(plan, elements, into: &column, parts, limits: limits, scratch: &scratch)
        default: try convert(plan, into: &column, scratch: &scratch)
        }
        guard plan.isNullable || column.nullCount == 0 else {
            throw .value(row: column.firstNull, why: "NULL in a column declared NOT NULL")
        }
        return column
    }

    /// Where in the body the values of a column stand that another batch with the same metadata has at the same place, with
    /// nothing left to check; nil where its bytes must be looked at.
    func fixedPlace(of column: ColumnView, _ plan: ColumnPlan) -> Int? {
        switch plan.conversion {
        case .bits, .direct: break
        default: return nil
        }
        guard !isCompressed, bufferByteCount(plan.buffer) == 0 else { return nil }
        // A copy that was made for the sake of alignment stands elsewhere.
        return column.values == body + bufferOffset(plan.buffer + 1) ? bufferOffset(plan.buffer + 1) : nil
    }

    /// The bitmap is what counts; a sender's NULL count that contradicts it is refused.
    private func readValidity(
        _ plan: ColumnPlan, into column: inout ColumnView, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) {
        let (rows, nulls) = claims(node: plan.node)
        guard rows == rowCount else { throw .malformed("it has \(rows) rows, its batch has \(rowCount)") }
        let bitmap = try bytes(plan.buffer, atLeast: 0, "validity", scratch: &scratch)
        guard !bitmap.isEmpty else {
            guard nulls == 0 else { throw .malformed("it claims \(nulls) NULLs and has no validity bitmap") }
            return
        }
        guard bitmap.count >= bitmapByteCount else {
            throw .malformed("its validity bitmap has \(bitmap.count) bytes for \(rowCount) rows")
        }
        let bits = bitmap.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)
        let found = rowCount - CKernels_countBits(bits, rowCount)
        guard found == nulls else { throw .malformed("it claims \(nulls) NULLs, its validity bitmap has \(found)") }
        guard found > 0 else { return }
        column.nullCount = found
        column.validity = bits
    }

    private func allNull(_ type: ValueType, scratch: inout ScratchBuffer) throws(ColumnProblem) -> ColumnView {
        // One stretch of zeros serves as bitmap, values and offsets: they are only read.
        let hasOffsets = type == .text || type.isArray
        let byteCount = max(bitmapByteCount, rowCount * type.arrowWidth, hasOffsets ? (rowCount + 1) * 4 : 0, 8)
        let zeros = try scratch.take(byteCount)
        zeros.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        var elements: ColumnView.Elements?
        if case .array(let element) = type {
            elements = ColumnView.Elements(try withRows(0).allNull(element.type, scratch: &scratch), type: element)
        }
        return ColumnView(
            type: type, rowCount: rowCount, nullCount: rowCount,
            validity: rowCount == 0 ? nil : UnsafePointer(zeros.assumingMemoryBound(to: UInt8.self)),
            values: UnsafeRawPointer(zeros),
            offsets: hasOffsets ? UnsafePointer(zeros.assumingMemoryBound(to: Int32.self)) : nil, elements: elements)
    }

    // MARK: Text

    func readText(
        _ plan: ColumnPlan, into column: inout ColumnView, limits: BatchLimits, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) {
        let text = try bytes(plan.buffer + 2, atLeast: 0, "text", scratch: &scratch)
        column.values = text.baseAddress ?? column.values
        guard rowCount > 0 else {  // Arrow lets the offsets of no rows be absent
            column.offsets = EmptyColumn.only.offsets
            return
        }
        let offsets = try aligned(plan.buffer + 1, width: 4, count: rowCount + 1, "offsets", scratch: &scratch)
        var longest: Int64 = 0
        guard CKernels_checkOffsets32(offsets, rowCount, Int64(text.count), &longest) else {
            throw .malformed("its offsets fall, or lead outside its \(text.count) bytes of text")
        }
        column.offsets = offsets.assumingMemoryBound(to: Int32.self)
        try checkText(column, longest: longest, limits: limits)
    }

    private func checkText(_ column: ColumnView, longest: Int64, limits: BatchLimits) throws(ColumnProblem) {
        guard longest <= limits.textBytesMax else {
            throw .tooLarge(what: "the longest text", found: Int(longest), limit: limits.textBytesMax)
        }
        let offsets = column.offsets.unsafelyUnwrapped
        let start = column.values.assumingMemoryBound(to: UInt8.self)
        let first = Int(offsets[0])
        let count = Int(offsets[rowCount]) - first
        if CKernels_isASCII(start + first, count) { return }
        // The whole being well-formed and no value beginning inside a character, every value is well-formed.
        guard CKernels_isUTF8(start + first, count), CKernels_offsetsSplitNothing32(offsets, rowCount, start, first + count)
        else { throw .malformed("its text is not UTF-8") }
    }

    func readLargeText(
        _ plan: ColumnPlan, into column: inout ColumnView, limits: BatchLimits, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) {
        let text = try bytes(plan.buffer + 2, atLeast: 0, "text", scratch: &scratch)
        let narrow = try scratch.take((rowCount + 1) * 4).assumingMemoryBound(to: Int32.self)
        narrow[0] = 0
        column.offsets = UnsafePointer(narrow)
        guard rowCount > 0 else { return }
        let offsets = try bytes(plan.buffer + 1, atLeast: (rowCount + 1) * 8, "offsets", scratch: &scratch)
            .baseAddress.unsafelyUnwrapped
        var longest: Int64 = 0
        guard CKernels_checkOffsets64(offsets, rowCount, Int64(text.count), &longest) else {
            throw .malformed("its offsets fall, or lead outside its \(text.count) bytes of text")
        }
        let first = offsets.loadUnaligned(as: Int64.self)
        let count = offsets.loadUnaligned(fromByteOffset: rowCount * 8, as: Int64.self) - first
        guard count <= Int32.max else {
            throw .tooLarge(what: "the text of one batch", found: Int(count), limit: Int(Int32.max))
        }
        for row in 1...rowCount {
            narrow[row] = Int32(truncatingIfNeeded: offsets.loadUnaligned(fromByteOffset: row * 8, as: Int64.self) - first)
        }
        if let start = text.baseAddress { column.values = start + Int(first) }
        try checkText(column, longest: longest, limits: limits)
    }
}

/// Eight zero bytes: the offsets of a column of texts or arrays without rows. Never freed, never written.
struct EmptyColumn: @unchecked Sendable {
    let offsets: UnsafePointer<Int32>

    static let only: EmptyColumn = {
        let zeros = UnsafeMutablePointer<Int32>.allocate(capacity: 2)
        zeros.initialize(repeating: 0, count: 2)
        return EmptyColumn(offsets: UnsafePointer(zeros))
    }()
}

extension ColumnView {
    /// The first row that is NULL; there is one.
    fileprivate var firstNull: Int {
        var row = 0
        while !isNull(row) { row += 1 }
        return row
    }
}
