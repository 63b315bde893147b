import Testing

@testable import Engine

@Suite struct `Hashes of keys` {
    /// A function's empty text has no bytes at all, a column's stands between two others.
    @Test func `an empty text has one, wherever its bytes are`() {
        let byte: [UInt8] = [65]
        byte.withUnsafeBufferPointer { bytes in
            #expect(KeyHash.hash(bytes.baseAddress, count: 0) == KeyHash.hash(nil, count: 0))
            #expect(KeyHash.hash(bytes.baseAddress, count: 1) != KeyHash.hash(nil, count: 0))
        }
    }
}
