import Values

extension ArrayValues {
    /// Lends the arrays in the form that batches are written from; the pointers are valid within `body`.
    func withReferences<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var bytes: [UInt8] = []
        var starts: [Int] = []
        for row in 0..<count {
            starts.append(bytes.count)
            elements.appendRegisterForm(rows(row), to: &bytes)
        }
        return bytes.withUnsafeBufferPointer { bytes in
            let references = (0..<count).map { row in
                ArrayReference(bytes: bytes.baseAddress.map { $0 + starts[row] }, count: rows(row).count)
            }
            return references.withUnsafeBytes(body)
        }
    }
}

extension Column {
    /// Rows as the elements of one array, in the layout of `ArrayReference`.
    fileprivate func appendRegisterForm(_ rows: Range<Int>, to bytes: inout [UInt8]) {
        func append<Value>(_ values: [Value]) {
            values[rows].withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        append(nulls)
        switch type.form {
        case .boolean: append(booleans)
        case .integer: append(integers)
        case .double: append(doubles)
        case .decimal: append(decimals)
        case .interval: append(intervals)
        case .text:
            for row in rows { withUnsafeBytes(of: UInt32(texts.utf8(row).count)) { bytes.append(contentsOf: $0) } }
            for row in rows { bytes.append(contentsOf: texts.utf8(row)) }
        case .array: preconditionFailure("an array holds no arrays")
        }
    }
}
