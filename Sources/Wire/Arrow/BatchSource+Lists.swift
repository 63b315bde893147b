import CKernels
import Values

extension BatchSource {
    /// A list: offsets into a column of elements, which is checked as a column of its own, whether a row shows them or not.
    func readList(
        _ plan: ColumnPlan, _ elements: Int, into column: inout ColumnView, _ parts: ColumnParts, limits: BatchLimits,
        scratch: inout ScratchBuffer
    ) throws(ColumnProblem) {
        guard case .array(let element) = plan.type else { preconditionFailure("lists become arrays") }
        let elements = parts.elementPlans[elements]
        let count = claims(node: elements.node).rows
        guard count >= 0, count <= Int32.max else { throw .malformed("it claims \(count) elements") }
        let source = withRows(Int(count))
        column.elements = ColumnView.Elements(
            try source.column(elements, parts, limits: limits, scratch: &scratch), type: element)
        guard rowCount > 0 else {  // Arrow lets the offsets of no rows be absent
            column.offsets = EmptyColumn.only.offsets
            return
        }
        let offsets = try aligned(plan.buffer + 1, width: 4, count: rowCount + 1, "offsets", scratch: &scratch)
        var longest: Int64 = 0
        guard CKernels_checkOffsets32(offsets, rowCount, count, &longest) else {
            throw .malformed("its offsets fall, or lead outside its \(count) elements")
        }
        column.offsets = offsets.assumingMemoryBound(to: Int32.self)
    }
}
