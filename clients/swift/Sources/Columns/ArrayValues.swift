import Values

/// Arrays as one column of all their elements, as Arrow keeps them: array `i` is rows `offsets[i] ..< offsets[i + 1]` of it.
public struct ArrayValues: Hashable, Sendable {
    public private(set) var offsets: [Int32] = [0]
    /// One column; none in a column of another type. In an array because a structure cannot hold itself.
    private var columns: [Column] = []

    /// Empty; `type` is the type of the arrays.
    init(_ type: ValueType) {
        if case .array(let element) = type { columns = [Column("item", type: element.type)] }
    }

    /// Takes the arrays over as they are.
    init(offsets: [Int32], elements: Column) {
        self.offsets = offsets
        columns = [elements]
    }

    public var count: Int { offsets.count - 1 }

    public var elements: Column { columns[0] }

    /// Where the elements of an array stand in `elements`.
    public func rows(_ row: Int) -> Range<Int> { Int(offsets[row])..<Int(offsets[row + 1]) }

    mutating func append(_ build: (inout Column) -> Void) {
        build(&columns[0])
        offsets.append(Int32(columns[0].rowCount))
    }

    mutating func append(_ rows: Range<Int>, of other: ArrayValues) {
        let shift = Int32(columns[0].rowCount) - other.offsets[rows.lowerBound]
        columns[0].append(Int(other.offsets[rows.lowerBound])..<Int(other.offsets[rows.upperBound]), of: other.columns[0])
        for row in rows { offsets.append(other.offsets[row + 1] + shift) }
    }

    mutating func removeAll() {
        offsets.removeAll(keepingCapacity: true)
        offsets.append(0)
        for index in columns.indices { columns[index].removeAll() }
    }

    mutating func reserve(rows: Int) { offsets.reserveCapacity(rows + 1) }
}
