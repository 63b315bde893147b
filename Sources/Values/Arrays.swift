/// The type of an array's elements: every SQL type but an array, so that arrays of arrays cannot be written down.
public enum ElementType: Hashable, Sendable {
    case boolean, smallint, integer, bigint, real, double
    case numeric(precision: Int, scale: Int)
    case text, date, timestamp, timestamptz, interval

    /// nil for an array.
    public init?(_ type: ValueType) {
        switch type {
        case .boolean: self = .boolean
        case .smallint: self = .smallint
        case .integer: self = .integer
        case .bigint: self = .bigint
        case .real: self = .real
        case .double: self = .double
        case .numeric(let precision, let scale): self = .numeric(precision: precision, scale: scale)
        case .text: self = .text
        case .date: self = .date
        case .timestamp: self = .timestamp
        case .timestamptz: self = .timestamptz
        case .interval: self = .interval
        case .array: return nil
        }
    }

    public var type: ValueType {
        switch self {
        case .boolean: .boolean
        case .smallint: .smallint
        case .integer: .integer
        case .bigint: .bigint
        case .real: .real
        case .double: .double
        case .numeric(let precision, let scale): .numeric(precision: precision, scale: scale)
        case .text: .text
        case .date: .date
        case .timestamp: .timestamp
        case .timestamptz: .timestamptz
        case .interval: .interval
        }
    }
}

/// Ends the program where it came upon an array that is no result: the language lets none be computed with, kept or sent.
public func arraysAreResults() -> Never { preconditionFailure("an array is a result, and nothing else") }

/// An array in memory that somebody else owns: valid as long as its batch.
///
///     0         count                                              end
///     nulls     values                                             text
///     a byte    the form's stride each, as in a register;          texts only: the bytes of all
///     each      of a text its length instead, UInt32               elements, one after the other
///
/// `bytes` may stand at any address: values are loaded unaligned. A value in a NULL's place is initialised and means nothing;
/// a text in a NULL's place has length 0. Intervals and numbers are as registers hold them, so smallint takes 8 bytes.
public struct ArrayReference {
    /// nil only where there are no elements.
    public var bytes: UnsafePointer<UInt8>?
    /// Elements.
    public var count: Int

    public init(bytes: UnsafePointer<UInt8>?, count: Int) {
        self.bytes = bytes
        self.count = count
    }

    /// Bytes of one element between `nulls` and the text.
    @inline(__always) public static func elementBytes(_ form: Form) -> Int { form == .text ? 4 : form.stride }

    @inline(__always) public func isNull(_ element: Int) -> Bool { bytes.unsafelyUnwrapped[element] != 0 }

    /// Where the values stand, or the lengths of texts.
    @inline(__always) public var values: UnsafeRawPointer { UnsafeRawPointer(bytes.unsafelyUnwrapped) + count }

    /// Length of a text element.
    @inline(__always) public func textBytes(_ element: Int) -> Int {
        Int(values.loadUnaligned(fromByteOffset: element * 4, as: UInt32.self))
    }

    /// Where the bytes of the first text element stand.
    @inline(__always) public var text: UnsafePointer<UInt8> {
        (values + count * 4).assumingMemoryBound(to: UInt8.self)
    }
}
