/// Sizes that blocks of an arena come in: multiples of 16 up to 64, of 64 up to 512, then four a doubling. From 64 on
/// every size is a multiple of a cache line, so that a block never shares its first line with another.
@frozen public struct SizeClass: Hashable, Sendable {
    public static let count = 43
    /// Larger blocks are runs of whole spans.
    public static let bytesMax = 128 << 10

    public let index: Int

    @inlinable
    public init(holding bytes: Int) {
        assert(bytes > 0 && bytes <= SizeClass.bytesMax)
        if bytes <= 64 {
            index = (bytes + 15) >> 4 - 1
        } else if bytes <= 512 {
            index = (bytes + 63) >> 6 + 2
        } else {
            let exponent = Int.bitWidth - 1 - (bytes - 1).leadingZeroBitCount
            let quarter = (bytes - 1) >> (exponent - 2) & 3
            index = 11 + (exponent - 9) << 2 + quarter
        }
    }

    @inlinable
    public init(index: Int) {
        self.index = index
    }

    @inlinable
    public var bytes: Int {
        if index < 4 { return (index + 1) << 4 }
        if index < 11 { return (index - 2) << 6 }
        let exponent = (index - 11) >> 2 + 9
        return (5 + (index - 11) & 3) << (exponent - 2)
    }
}
