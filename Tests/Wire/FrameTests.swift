import CKernels
import Testing
import Wire

/// Pushes `bytes` in pieces of at most `pieceBytes` and returns the frames that come out.
func frames(in bytes: [UInt8], pieceBytes: Int = .max, bodyBytesMax: Int = .max) throws -> [(FrameHeader, [UInt8])] {
    let body = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 8, alignment: 8)
    defer { body.deallocate() }
    return try bytes.withUnsafeBytes {
        try frames(in: $0, pieceBytes: pieceBytes, bodyBytesMax: bodyBytesMax, body: body)
    }
}

private func frames(
    in bytes: UnsafeRawBufferPointer, pieceBytes: Int, bodyBytesMax: Int, body: UnsafeMutableRawBufferPointer
) throws -> [(FrameHeader, [UInt8])] {
    var decoder = FrameDecoder(bodyBytesMax: bodyBytesMax)
    var frames: [(FrameHeader, [UInt8])] = []
    var start = 0
    while start < bytes.count {
        let end = start + min(bytes.count - start, pieceBytes)
        var rest = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        while !rest.isEmpty {
            switch try decoder.push(&rest) {
            case .starved: break
            case .bodyNeeded(_, let byteCount):
                guard byteCount <= body.count else { return frames }  // the bytes end before the body does
                decoder.provideBody(body)
            case .frame(let header, let body): frames.append((header, Array(body)))
            }
        }
        start = end
    }
    return frames
}

@Suite struct FrameTests {
    static let full = FrameHeader(
        kind: .result, flags: [.last], channel: 0x8000_0001, requestID: 2, sequence: 3, epoch: 4, definitions: 5,
        batchNumber: 6, receivedUpTo: 7)

    @Test(arguments: FrameKind.allCases)
    func `a header reads back as what was written`(kind: FrameKind) throws {
        var header = Self.full
        header.kind = kind
        header.bodyLength = kind.bodyBytesMax
        var bytes = [UInt8](repeating: 0xEE, count: 64)
        bytes.withUnsafeMutableBytes { header.write(to: $0.baseAddress!) }
        #expect(try bytes.withUnsafeBytes { try FrameHeader.parse($0.baseAddress!) } == header)
    }

    @Test func `the header's numbers stand where the protocol says`() {
        var bytes = [UInt8](repeating: 0, count: 64)
        var header = Self.full
        header.bodyLength = 0x01_02_03
        header.flags = [.bodyChecksum]
        header.bodyChecksum = 0xAABB_CCDD
        bytes.withUnsafeMutableBytes { header.write(to: $0.baseAddress!) }
        let expected: [UInt8] =
            [0x4D, 0x49, 0x4C, 0x4C, 1, 10, 1, 0, 3, 2, 1, 0, 1, 0, 0, 0x80]
            + [2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0]
            + [6, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0xDD, 0xCC, 0xBB, 0xAA]
        #expect(Array(bytes[..<60]) == expected)
    }

    @Test func `the ping of docs protocol md is a ping`() throws {
        let page = String(decoding: try readFile(Python.projectRoot + "/docs/protocol.md"), as: UTF8.self)
        let session = try #require(page.split(separator: "A `ping` with request_id 5:").last)
        let bytes = session.split(whereSeparator: \.isWhitespace).compactMap { UInt8($0, radix: 16) }
        #expect(bytes.count == 64)
        let header = try bytes.withUnsafeBytes { try FrameHeader.parse($0.baseAddress!) }
        #expect(header == FrameHeader(kind: .ping, requestID: 5))
    }

    @Test func `any bit flipped in a header is noticed`() {
        var bytes = [UInt8](repeating: 0, count: 64)
        bytes.withUnsafeMutableBytes { Self.full.write(to: $0.baseAddress!) }
        for bit in 0..<(64 * 8) {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: FrameError.self) { try flipped.withUnsafeBytes { _ = try FrameHeader.parse($0.baseAddress!) } }
        }
    }

    @Test(arguments: [1, 3, 8, 63, 64, 65, 100, Int.max])
    func `frames come out whole whatever the pieces they arrive in`(pieceBytes: Int) throws {
        let bodies: [[UInt8]] = [[], [1], Array(0..<8), Array(0..<200), []]
        var output = OutputBuffer()
        for (index, body) in bodies.enumerated() {
            let header = FrameHeader(kind: body.isEmpty ? .ping : .compute, requestID: UInt64(index))
            body.withUnsafeBytes { output.appendFrame(header, isChecked: index % 2 == 1, body: $0) }
        }
        let found = try frames(in: Array(output.bytes), pieceBytes: pieceBytes)
        #expect(found.map(\.1) == bodies)
        #expect(found.map(\.0.requestID) == [0, 1, 2, 3, 4])
    }

    @Test func `a body is read straight into the buffer that was provided`() throws {
        var output = OutputBuffer()
        [UInt8](1...13).withUnsafeBytes { output.appendFrame(FrameHeader(kind: .push), isChecked: true, body: $0) }
        let sent = Array(output.bytes)
        var decoder = FrameDecoder()
        decoder.destination.copyBytes(from: sent[..<64])
        guard case .bodyNeeded(let header, let byteCount) = try decoder.received(64) else {
            Issue.record("a body was to come")
            return
        }
        #expect(header.bodyLength == 13 && byteCount == 16)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32, alignment: 8)
        defer { buffer.deallocate() }
        decoder.provideBody(buffer)
        let destination = decoder.destination.baseAddress
        #expect(destination == buffer.baseAddress)
        decoder.destination.copyBytes(from: sent[64...])
        guard case .frame(_, let body) = try decoder.received(16) else {
            Issue.record("the frame was whole")
            return
        }
        #expect(body.baseAddress == buffer.baseAddress && Array(body) == [UInt8](1...13))
        let isBetweenFrames = decoder.isBetweenFrames
        #expect(isBetweenFrames)
    }

    @Test func `a damaged body or padding is noticed`() throws {
        var output = OutputBuffer()
        [UInt8](1...13).withUnsafeBytes { output.appendFrame(FrameHeader(kind: .push), isChecked: true, body: $0) }
        let sent = Array(output.bytes)
        for index in 64..<80 {
            var damaged = sent
            damaged[index] ^= 0x10
            #expect(throws: FrameError.self) { _ = try frames(in: damaged) }
        }
    }

    @Test func `a body longer than its kind or the decoder's bound is refused before it is read`() {
        var bytes = [UInt8](repeating: 0, count: 64)
        bytes.withUnsafeMutableBytes { FrameHeader(kind: .ping, bodyLength: 1).write(to: $0.baseAddress!) }
        #expect(throws: FrameError.bodyTooLarge(kind: .ping, foundBytes: 1, limitBytes: 0)) { _ = try frames(in: bytes) }
        bytes.withUnsafeMutableBytes { FrameHeader(kind: .hello, bodyLength: 4097).write(to: $0.baseAddress!) }
        #expect(throws: FrameError.bodyTooLarge(kind: .hello, foundBytes: 4097, limitBytes: 4096)) {
            _ = try frames(in: bytes, bodyBytesMax: 4096)
        }
    }

    @Test(
        arguments: [
            ("", 0), ("a", 0xC1D0_4330), ("123456789", 0xE306_9283),
            ("The quick brown fox jumps over the lazy dog", 0x2262_0404),
        ] as [(String, UInt32)])
    func `CRC-32C has the published check values, by instruction and by tables`(text: String, expected: UInt32) {
        let bytes = Array(text.utf8)
        #expect(CKernels_crc32c(bytes, bytes.count) == expected)
        #expect(CKernels_crc32cPortable(bytes, bytes.count) == expected)
    }

    /// Long runs are worked on in several blocks at once.
    @Test func `CRC-32C is the same by instruction, by tables and piece by piece, at every length`() {
        let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        for count in Array(0..<100) + Array(3_000..<3_200) + Array(6_100..<6_200) + [9_999, 20_000] {
            let whole = CKernels_crc32cPortable(bytes, count)
            #expect(CKernels_crc32c(bytes, count) == whole, "\(count) bytes")
            bytes.withUnsafeBytes { bytes in
                let cut = count / 3
                let first = CKernels_crc32cExtended(0, bytes.baseAddress, cut)
                #expect(CKernels_crc32cExtended(first, bytes.baseAddress! + cut, count - cut) == whole, "\(count) bytes")
            }
        }
    }
}
