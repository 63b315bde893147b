import Wire

extension ColumnBatch {
    /// Copies verified Arrow columns under these names.
    public init(views: [ColumnView], fields: [Field]) {
        self.init(zip(fields, views).map { Column($0.name, $1) })
    }

    /// Reads one encapsulated record batch. Its columns are matched by name with `fields`: others are left out, and a nullable
    /// one that is missing is NULL.
    init(arrowMessage message: [UInt8], schema: ArrowSchema, fields: [Field]) throws(WireError) {
        let reader = try BatchReader(target: fields, source: schema)
        var scratch = ScratchBuffer()
        var views: [ColumnView] = []
        // An array's elements stand at a multiple of 16; the views are copied before the array or the scratch ends.
        self = try message.withUnsafeBufferPointer { bytes throws(WireError) in
            _ = try reader.read(message: UnsafeRawBufferPointer(bytes), scratch: &scratch, into: &views)
            return ColumnBatch(views: views, fields: fields)
        }
    }

    /// The rows as one encapsulated record batch, to be read with the schema of `fields`. Throws where a frame could not hold it.
    public func arrowMessage() throws(MillraceError) -> [UInt8] {
        let writer = BatchWriter(fields: fields)
        var output = OutputBuffer()
        var failure: WireError?
        withSources { sources in
            do throws(WireError) {
                try writer.write(rows: rowCount, columns: sources, into: &output)
            } catch {
                failure = error
            }
        }
        if let failure {
            throw MillraceError(code: Code(rawValue: failure.code), message: "\(failure)", detail: "send fewer rows at a time")
        }
        return Array(output.bytes)
    }

    private typealias Code = MillraceError.Code

    /// Lends all columns at once; the pointers are valid within `body`.
    private func withSources(_ body: ([BatchWriter.Source]) -> Void) {
        func lend(_ index: Int, _ sources: [BatchWriter.Source]) {
            if index == columns.count { return body(sources) }
            columns[index].withSource { lend(index + 1, sources + [$0]) }
        }
        lend(0, [])
    }
}
