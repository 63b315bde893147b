import CKernels
import Values

/// Text by code points. Bytes are valid UTF-8: the wire and the language let nothing else in, and kernels cut only between
/// code points.
extension TextReference {
    static var empty: TextReference { TextReference(bytes: nil, count: 0) }

    var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: bytes, count: count) }

    /// The code point that starts at a byte, and how many bytes it has.
    @inline(__always) func codePoint(at offset: Int) -> (value: UInt32, length: Int) {
        let bytes = bytes.unsafelyUnwrapped + offset
        let first = UInt32(bytes[0])
        if first < 0x80 { return (first, 1) }
        if first < 0xE0 { return ((first & 0x1F) << 6 | UInt32(bytes[1] & 0x3F), 2) }
        let second = UInt32(bytes[1] & 0x3F)
        if first < 0xF0 { return ((first & 0x0F) << 12 | second << 6 | UInt32(bytes[2] & 0x3F), 3) }
        return ((first & 0x07) << 18 | second << 12 | UInt32(bytes[2] & 0x3F) << 6 | UInt32(bytes[3] & 0x3F), 4)
    }

    var codePointCount: Int {
        var result = 0
        for byte in buffer where byte & 0xC0 != 0x80 { result += 1 }
        return result
    }

    /// The byte where code point `index` starts; `count` where there are fewer.
    func offset(ofCodePoint index: Int) -> Int {
        if index <= 0 { return 0 }
        var seen = 0
        for (offset, byte) in buffer.enumerated() where byte & 0xC0 != 0x80 {
            if seen == index { return offset }
            seen += 1
        }
        return count
    }

    func slice(_ range: Range<Int>) -> TextReference {
        range.isEmpty ? .empty : TextReference(bytes: bytes.unsafelyUnwrapped + range.lowerBound, count: range.count)
    }

    /// Byte offset of the first occurrence at or after `start`; nil where there is none. `needle` is not empty.
    func firstOffset(of needle: TextReference, from start: Int = 0) -> Int? {
        var offset = start
        while offset + needle.count <= count {
            if millrace_compare_bytes(bytes! + offset, needle.bytes, needle.count) == 0 { return offset }
            offset += 1
        }
        return nil
    }

    func hasPrefix(_ prefix: TextReference) -> Bool {
        prefix.count <= count && (prefix.count == 0 || millrace_compare_bytes(bytes, prefix.bytes, prefix.count) == 0)
    }

    /// Whether a code point of `self` is this one.
    func contains(codePoint: UInt32) -> Bool {
        var offset = 0
        while offset < count {
            let (value, length) = self.codePoint(at: offset)
            if value == codePoint { return true }
            offset += length
        }
        return false
    }
}
