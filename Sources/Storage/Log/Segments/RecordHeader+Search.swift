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
            let base = piece.baseAddress.unsafelyUnwrapped
            let isLast = position + piece.count == window.byteCount
            // A header that begins near the end of a piece is looked at with the next one.
            let step = isLast ? piece.count : (piece.count - LogFormat.recordHeaderBytes) & ~(LogFormat.alignment - 1)
            if CKernels_anyByte(base.assumingMemoryBound(to: UInt8.self), piece.count) {
                end = max(end, position + piece.lastIndex { $0 != 0 }! + 1)
                var place = 0
                while place < step && place + LogFormat.recordHeaderBytes <= piece.count {
                    if let found = parse(base + place, at: position + place, salt: salt), !body(found) { return end }
                    place += LogFormat.alignment
                }
            }
            position += step
        }
        return end
    }
}
