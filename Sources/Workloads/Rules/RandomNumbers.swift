import CKernels

/// xorshift64*: the same numbers for the same seed, everywhere.
public struct RandomNumbers: RandomNumberGenerator, Sendable {
    private var state: UInt64
    /// The other one of a pair of normal numbers.
    private var spareNormal: Double?

    public init(seed: UInt64) {
        // splitmix64, so that neighbouring seeds have nothing in common.
        var mixed = seed &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        state = (mixed ^ (mixed >> 31)) | 1
    }

    @inline(__always)
    public mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    /// From 0 up to, without, 1; 53 bits.
    @inline(__always)
    public mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// From 0 up to, without, `count`, which is at least 1; the bias is below count / 2^64.
    @inline(__always)
    public mutating func below(_ count: UInt64) -> UInt64 { next().multipliedFullWidth(by: count).high }

    /// Of mean 0 and deviation 1: Marsaglia's polar method.
    public mutating func normal() -> Double {
        if let spare = spareNormal {
            spareNormal = nil
            return spare
        }
        while true {
            let (x, y) = (2 * fraction() - 1, 2 * fraction() - 1)
            let square = x * x + y * y
            guard square < 1, square > 0 else { continue }
            let scale = (-2 * millrace_log(square) / square).squareRoot()
            spareNormal = y * scale
            return x * scale
        }
    }
}
