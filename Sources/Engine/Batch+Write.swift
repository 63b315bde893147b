import Plan
import Wire

extension Batch {
    /// Appends the record batch that answers this batch in one view, after `finish`: the rows the view selected, with
    /// their numbers and statuses.
    /// - Parameters:
    ///   - view: index into the stream plan's views.
    ///   - writer: of the view's columns, with a trailer or without.
    public func write(view: Int, writer: BatchWriter, into output: inout OutputBuffer) throws(WireError) {
        let registers = plan.streams[stream].views[view].registers
        let selected = selection(view: view)
        let failure: WireError? = withUnsafeTemporaryAllocation(of: BatchWriter.Source.self, capacity: registers.count) {
            sources in
            for (index, register) in registers.enumerated() {
                let vector = vectors[register.index]
                sources.initializeElement(
                    at: index, to: BatchWriter.Source(values: vector.values, nulls: vector.nulls))
            }
            do throws(WireError) {
                try writer.write(
                    rows: selected.count, selection: selected.count == rowCount ? nil : selected.baseAddress,
                    columns: UnsafeBufferPointer(sources), statuses: writer.hasTrailer ? statuses : nil, into: &output)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }
}
