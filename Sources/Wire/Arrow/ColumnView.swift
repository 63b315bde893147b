import Values

/// One column of a record batch in Arrow's own layout for its declared type: bool bitmap, int16/32/64, float32/64, date32,
/// timestamp in microseconds, decimal128 of the declared scale, utf8 with 32-bit offsets, month_day_nano.
///
/// Points into memory that somebody else keeps.
public struct ColumnView {
    public var type: ValueType
    public var rowCount: Int
    public var nullCount: Int
    /// Bitmap, bit 0 = row 0, set where there is a value; nil = no NULLs.
    public var validity: UnsafePointer<UInt8>?
    /// Fixed-width values, or the bool bitmap, or text bytes.
    public var values: UnsafeRawPointer
    /// `rowCount + 1` ascending offsets into `values`; text only.
    public var offsets: UnsafePointer<Int32>?

    public init(
        type: ValueType, rowCount: Int, nullCount: Int, validity: UnsafePointer<UInt8>?, values: UnsafeRawPointer,
        offsets: UnsafePointer<Int32>? = nil
    ) {
        self.type = type
        self.rowCount = rowCount
        self.nullCount = nullCount
        self.validity = validity
        self.values = values
        self.offsets = offsets
    }
}
