/// Sizes that blocks of an arena come in: multiples of 16 up to 96, of 64 up to 512, then eight a doubling. No block lies
/// in more cache lines than its size needs at best: wherever they begin, 80 and 96 bytes lie in two, and from 128 on every
/// size is a multiple of a line.
@frozen public struct SizeClass: Hashable, Sendable {
    public static let count = 77
    /// Larger blocks are runs of whole spans.
    public static let bytesMax = 128 << 10

    public let index: Int

    @inlinable
    public init(holding bytes: Int) {
        assert(bytes > 0 && bytes <= SizeClass.bytesMax)
        if bytes <= 96 {
            index = (bytes + 15) >> 4 - 1
        } else if bytes <= 512 {
            index = (bytes + 63) >> 6 + 4
        } else {
            let exponent = Int.bitWidth - 1 - (bytes - 1).leadingZeroBitCount
            let eighth = (bytes - 1) >> (exponent - 3) & 7
            index = 13 + (exponent - 9) << 3 + eighth
        }
    }

    @inlinable
    public init(index: Int) {
        self.index = index
    }

    @inlinable
    public var bytes: Int {
        if index < 6 { return (index + 1) << 4 }
        if index < 13 { return (index - 4) << 6 }
        let exponent = (index - 13) >> 3 + 9
        return (9 + (index - 13) & 7) << (exponent - 3)
    }
}
