import CKernels

extension RecordHeader {
    /// Looks at every eighth byte from `offset` to the segment's end for a record's header that is whole, also within what claims to
    /// be another record's body: for bytes that cannot be believed.
    /// - Parameters:
    ///   - salt: the segment's; nil where its header is not known.
    ///   - body: called with each header found; false ends the search.
    /// - Returns: Where the last byte that was seen and is not zero ends; `offset` where there is none.
    @discardableResult
    static func forEach(
        from offset: Int, salt: UInt32?, _ window: inout SegmentWindow, _ body: (RecordHeader) -> Bool
    ) throws(LogError) -> Int {
        var position = offset
        var end = offset
        while position < window.byteCount {
            let piece = try window.piece(at: position)
            guard let base = piece.baseAddress else { break }
            let isLast = position + piece.count == window.byteCount
            // A header that begins near the end of a piece is looked at with the next one.
            let step = isLast ? piece.count : (piece.count - LogFormat.recordHeaderBytes) & ~(LogFormat.alignment - 1)
            if CKernels_anyByte(base.assumingMemoryBound(to: UInt8.self), piece.count) {
                let filled = byteCountWithoutZeros(piece)
                end = max(end, position + filled)
                // Behind the last byte that is not zero no header begins.
                let last = min(step, filled, piece.count - LogFormat.recordHeaderBytes + 1)
                var place = 0
                while place < last {
                    if let found = parse(base + place, at: position + place, salt: salt), !body(found) { return end }
                    place += LogFormat.alignment
                }
            }
            position += step
        }
        return end
    }

    /// Up to the last byte that is not zero.
    private static func byteCountWithoutZeros(_ bytes: UnsafeRawBufferPointer) -> Int {
        var count = bytes.count
        while count >= 8, bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self) == 0 { count -= 8 }
        while count > 0, bytes[count - 1] == 0 { count -= 1 }
        return count
    }
}
