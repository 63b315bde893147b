import Values

extension Column {
    public mutating func reserve(rows: Int) {
        nulls.reserveCapacity(rows)
        switch type.form {
        case .boolean: booleans.reserveCapacity(rows)
        case .integer: integers.reserveCapacity(rows)
        case .double: doubles.reserveCapacity(rows)
        case .decimal: decimals.reserveCapacity(rows)
        case .text: texts.reserve(rows: rows)
        case .interval: intervals.reserveCapacity(rows)
        case .array: arrays.reserve(rows: rows)
        }
    }

    /// Keeps the memory for the next rows.
    public mutating func removeAll() {
        nulls.removeAll(keepingCapacity: true)
        booleans.removeAll(keepingCapacity: true)
        integers.removeAll(keepingCapacity: true)
        doubles.removeAll(keepingCapacity: true)
        decimals.removeAll(keepingCapacity: true)
        texts.removeAll()
        intervals.removeAll(keepingCapacity: true)
        arrays.removeAll()
    }

    public mutating func appendNull() {
        nulls.append(true)
        switch type.form {
        case .boolean: booleans.append(false)
        case .integer: integers.append(0)
        case .double: doubles.append(0)
        case .decimal: decimals.append(0)
        case .text: texts.append([])
        case .interval: intervals.append(Interval())
        case .array: arrays.append { _ in }
        }
    }

    public mutating func append(_ value: Bool) {
        expect(.boolean)
        nulls.append(false)
        booleans.append(value)
    }

    /// An integer, a date (days) or a timestamp (microseconds).
    public mutating func append(_ value: Int64) {
        expect(.integer)
        nulls.append(false)
        integers.append(value)
    }

    public mutating func append(_ value: Double) {
        expect(.double)
        nulls.append(false)
        doubles.append(value)
    }

    /// A decimal, unscaled.
    public mutating func append(_ value: Int128) {
        expect(.decimal)
        nulls.append(false)
        decimals.append(value)
    }

    public mutating func append(utf8 value: some Collection<UInt8>) {
        expect(.text)
        nulls.append(false)
        texts.append(value)
    }

    public mutating func append(_ value: Interval) {
        expect(.interval)
        nulls.append(false)
        intervals.append(value)
    }

    /// An array: `build` appends its elements to the column it is given.
    public mutating func appendArray(_ build: (inout Column) -> Void) {
        expect(.array)
        nulls.append(false)
        arrays.append(build)
    }

    /// Appends rows of a column of the same form, and the same elements where they are arrays.
    public mutating func append(_ rows: Range<Int>, of other: Column) {
        expect(other.type.form)
        nulls.append(contentsOf: other.nulls[rows])
        switch type.form {
        case .boolean: booleans.append(contentsOf: other.booleans[rows])
        case .integer: integers.append(contentsOf: other.integers[rows])
        case .double: doubles.append(contentsOf: other.doubles[rows])
        case .decimal: decimals.append(contentsOf: other.decimals[rows])
        case .text: for row in rows { texts.append(other.texts.utf8(row)) }
        case .interval: intervals.append(contentsOf: other.intervals[rows])
        case .array: arrays.append(rows, of: other.arrays)
        }
    }

    private func expect(_ form: Form) {
        precondition(type.form == form, "column \"\(name)\" holds \(type), which such a value is not")
    }
}
