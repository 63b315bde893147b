import Plan
import Wire

extension Batch {
    /// Appends the record batch that answers this batch in one view, after `finish`: the rows the view selected, with
    /// their numbers and statuses. Several cores may do so at a time, each with a writer of its own.
    /// - Parameters:
    ///   - view: index into the stream plan's views.
    ///   - part: which of the rows selected; all of them where it is nil.
    ///   - writer: of the view's columns, with a trailer or without.
    public func write(
        view: Int, part: Range<Int>? = nil, writer: BatchWriter, into output: inout OutputBuffer
    ) throws(WireError) {
        let registers = plan.streams[stream].views[view].registers
        let all = selection(view: view)
        let selected = UnsafeBufferPointer(rebasing: all[part ?? 0..<all.count])
        for (index, register) in registers.enumerated() {
            let vector = vectors[register.index]
            writer.sources[index] = BatchWriter.Source(values: vector.values, nulls: vector.nulls)
        }
        try writer.write(
            rows: selected.count, selection: selected.count == rowCount ? nil : selected.baseAddress,
            columns: UnsafeBufferPointer(writer.sources),
            statuses: writer.hasTrailer ? statuses : nil, into: &output)
    }
}
