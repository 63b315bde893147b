import CKernels
import Values

/// One verified column of a batch, in the canonical Arrow layout of its declared type, whatever its sender used:
///
///     boolean                     bitmap, bit 0 of byte 0 is row 0
///     smallint, integer, bigint   Int16, Int32, Int64
///     real, double                Float, Double
///     numeric(p,s)                Int128, unscaled, |value| < 10^p       (aligned to 8 only: load unaligned)
///     text                        UTF-8 bytes; `offsets` has rowCount + 1 entries and need not begin at 0
///     date                        Int32, days since 1970-01-01
///     timestamp, timestamptz      Int64, microseconds since 1970-01-01 (UTC)
///     interval                    Int32 months, Int32 days, Int64 nanoseconds that are whole microseconds
///     T[]                         `offsets` has rowCount + 1 entries, which count in `elements`, a column of T
///
/// Does not own its memory: it is valid as long as the message it was read from and the scratch buffer it was converted
/// into. A value in a NULL's place is initialised and means nothing.
public struct ColumnView {
    public var type: ValueType
    public var rowCount: Int
    public var nullCount: Int
    /// Bitmap, 1 where there is a value; nil where there are no NULLs. At any address.
    public var validity: UnsafePointer<UInt8>?
    /// Aligned to the width of a value, to 8 for wider ones. For text, the bytes that `offsets` count from.
    public var values: UnsafeRawPointer
    /// Texts and arrays only.
    public var offsets: UnsafePointer<Int32>?
    /// Arrays only: the elements of all rows, one after the other.
    public var elements: Elements?

    public init(
        type: ValueType, rowCount: Int, nullCount: Int, validity: UnsafePointer<UInt8>?, values: UnsafeRawPointer,
        offsets: UnsafePointer<Int32>? = nil, elements: Elements? = nil
    ) {
        self.type = type
        self.rowCount = rowCount
        self.nullCount = nullCount
        self.validity = validity
        self.values = values
        self.offsets = offsets
        self.elements = elements
    }

    @inline(__always) public func isNull(_ row: Int) -> Bool {
        assert(row >= 0 && row < rowCount)
        guard let validity else { return false }
        return (validity[row >> 3] >> UInt8(row & 7)) & 1 == 0
    }

    /// A text value in place; meaningless where `isNull`.
    @inline(__always) public func text(_ row: Int) -> TextReference {
        let offsets = offsets.unsafelyUnwrapped
        let bytes = values.assumingMemoryBound(to: UInt8.self)
        return TextReference(bytes: bytes + Int(offsets[row]), count: Int(offsets[row + 1] - offsets[row]))
    }

    /// An array's elements, as rows of the column that `elements` is; meaningless where `isNull`.
    @inline(__always) public func elementRows(_ row: Int) -> Range<Int> {
        let offsets = offsets.unsafelyUnwrapped
        return Int(offsets[row])..<Int(offsets[row + 1])
    }

    /// The rows from `first` on, at most `count` of them. `first` is a multiple of 8, so that bitmaps stay bitmaps.
    public func slice(from first: Int, count: Int) -> ColumnView {
        precondition(first >= 0 && first % 8 == 0 && first <= rowCount && count >= 0)
        var part = self
        part.rowCount = min(count, rowCount - first)
        part.validity = validity.map { $0 + first / 8 }
        if let validity = part.validity {
            part.nullCount = part.rowCount - CKernels_countBits(validity, part.rowCount)
            if part.nullCount == 0 { part.validity = nil }
        }
        part.offsets = offsets.map { $0 + first }
        if offsets == nil {
            part.values = type == .boolean ? values + first / 8 : values + first * type.arrowWidth
        }
        return part
    }

    /// One cell; for tests, clients and messages, not for loops over batches.
    public func scalar(_ row: Int) -> Scalar {
        precondition(row >= 0 && row < rowCount)
        guard !isNull(row) else { return .null }
        switch type {
        case .boolean:
            return .boolean((values.load(fromByteOffset: row >> 3, as: UInt8.self) >> UInt8(row & 7)) & 1 == 1)
        case .smallint: return .integer(Int64(values.load(fromByteOffset: row * 2, as: Int16.self)))
        case .integer, .date: return .integer(Int64(values.load(fromByteOffset: row * 4, as: Int32.self)))
        case .bigint, .timestamp, .timestamptz: return .integer(values.load(fromByteOffset: row * 8, as: Int64.self))
        case .real: return .double(Double(values.load(fromByteOffset: row * 4, as: Float.self)))
        case .double: return .double(values.load(fromByteOffset: row * 8, as: Double.self))
        case .numeric: return .decimal(values.loadUnaligned(fromByteOffset: row * 16, as: Int128.self))
        case .text:
            let text = text(row)
            return .text(String(decoding: UnsafeBufferPointer(start: text.bytes, count: text.count), as: UTF8.self))
        case .interval:
            let place = values + row * 16
            return .interval(
                Interval(
                    months: place.load(as: Int32.self), days: place.load(fromByteOffset: 4, as: Int32.self),
                    microseconds: place.load(fromByteOffset: 8, as: Int64.self) / 1000))
        case .array:
            let elements = elements.unsafelyUnwrapped.column
            return .array(elementRows(row).map(elements.scalar))
        }
    }
}

extension ColumnView {
    /// What a view of an array column says of its elements: a `ColumnView` whose elements are no arrays.
    public struct Elements {
        private let type: ElementType
        private let count: Int
        private let nullCount: Int
        private let validity: UnsafePointer<UInt8>?
        private let values: UnsafeRawPointer
        private let offsets: UnsafePointer<Int32>?

        /// Of a column that is no array.
        init(_ column: ColumnView, type: ElementType) {
            precondition(column.type == type.type, "an array's elements are of its element type")
            self.type = type
            count = column.rowCount
            nullCount = column.nullCount
            validity = column.validity
            values = column.values
            offsets = column.offsets
        }

        public var column: ColumnView {
            ColumnView(
                type: type.type, rowCount: count, nullCount: nullCount, validity: validity, values: values, offsets: offsets)
        }
    }
}

extension ValueType {
    /// Bytes of one value in Arrow's layout; 0 for bitmaps, texts and arrays.
    public var arrowWidth: Int { ColumnLayout(self).width }
}
