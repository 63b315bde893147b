import CKernels
import Linux
import Testing

@testable import Storage

@Suite struct SnapshotFileTests {
    private let disk = FakeDisk()
    private let path = SnapshotFixture.path(42)

    @Test func `what was written is read, in the same order`() throws {
        let footer = try SnapshotFixture.write(42, blocks: 9, bytes: 5_000, on: disk)
        var reader = try SnapshotReader.open(sequence: 42, in: SnapshotFixture.directory, disk: disk)
        #expect(reader.header == SnapshotFixture.header(42))
        #expect(reader.definitions == SnapshotFixture.definitions())
        #expect(reader.footer == footer)
        let decompressor = SnapshotDecompressor()
        for expected in SnapshotFixture.blocks(9, bytes: 5_000) {
            let block = try #require(try reader.next())
            #expect(block.kind == expected.kind)
            #expect(block.keyCount == expected.keyCount)
            #expect(try decompressor.bytes(of: block) == expected.bytes)
        }
        #expect(try reader.next() == nil)
        #expect(footer.blockCount == 11)
        #expect(footer.keyCount == 360)
        #expect(footer.fileBytes == disk[path]?.count)
    }

    @Test func `a block without bytes, and one of a megabyte, are blocks`() throws {
        for count in [0, 1, 1 << 20] {
            let disk = FakeDisk()
            try SnapshotFixture.write(42, blocks: 1, bytes: count, on: disk)
            #expect(SnapshotFixture.problem(42, on: disk) == nil)
        }
    }

    @Test func `cut at any byte it is not believed`() throws {
        try SnapshotFixture.write(42, on: disk)
        let whole = try #require(disk[path])
        for count in whole.indices {
            disk[path] = Array(whole[..<count])
            let problem = SnapshotFixture.problem(42, on: disk)
            guard case .damaged(path, _, _, _, _)? = problem else {
                Issue.record("\(count) of \(whole.count) bytes: \(String(describing: problem))")
                return
            }
        }
        disk[path] = whole + [0]
        #expect(SnapshotFixture.problem(42, on: disk) != nil)
        disk[path] = whole + Array(repeating: 0, count: 8)
        #expect(SnapshotFixture.problem(42, on: disk) != nil)
    }

    @Test func `with any bit flipped, in zeros too, it is not believed`() throws {
        try SnapshotFixture.write(42, on: disk)
        let whole = try #require(disk[path])
        for bit in 0..<whole.count * 8 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            disk[path] = bytes
            guard case .damaged? = SnapshotFixture.problem(42, on: disk) else {
                Issue.record("bit \(bit % 8) of byte \(bit / 8) of \(whole.count)")
                return
            }
        }
    }

    @Test func `with any of ten thousand random bits flipped a larger one is not believed`() throws {
        try SnapshotFixture.write(42, blocks: 20, bytes: 3_000, on: disk)
        let whole = try #require(disk[path])
        var random = SplitMix(seed: 5)
        for _ in 0..<10_000 {
            let bit = Int.random(in: 0..<whole.count * 8, using: &random)
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            disk[path] = bytes
            guard case .damaged? = SnapshotFixture.problem(42, on: disk) else {
                Issue.record("bit \(bit % 8) of byte \(bit / 8) of \(whole.count)")
                return
            }
        }
    }

    @Test func `blocks that are whole, but stand elsewhere or are of another snapshot, are found`() throws {
        try SnapshotFixture.write(42, on: disk)
        try SnapshotFixture.write(43, on: disk)
        let (one, other) = (try #require(disk[path]), try #require(disk[SnapshotFixture.path(43)]))
        #expect(one.count == other.count)
        // The other's body behind this one's header: every checksum of its own holds, the chain does not.
        disk[path] = Array(one[..<SnapshotFormat.headerBytes] + other[SnapshotFormat.headerBytes...])
        guard case .damaged(_, _, let what, _, _)? = SnapshotFixture.problem(42, on: disk) else { return #expect(Bool(false)) }
        #expect(what == "the chain of all blocks")
        // A file under another's name.
        disk[path] = other
        guard case .damaged(_, offset: 16, _, "42", "43")? = SnapshotFixture.problem(42, on: disk) else {
            return #expect(Bool(false))
        }
    }

    @Test func `another format version is refused by name, and is no damage`() throws {
        try SnapshotFixture.write(42, on: disk)
        var bytes = try #require(disk[path])
        bytes[8] = 7
        bytes.withUnsafeMutableBytes { bytes in
            bytes.storeInteger(CKernels_crc32c(bytes.baseAddress, 124), at: 124)
        }
        disk[path] = bytes
        #expect(SnapshotFixture.problem(42, on: disk) == .unknownVersion(path, found: 7))
        #expect("\(SnapshotError.unknownVersion(path, found: 7))".contains("format version 7"))
    }

    @Test func `a message names file, offset, what was expected and what was found`() throws {
        try SnapshotFixture.write(42, on: disk)
        var bytes = try #require(disk[path])
        bytes[SnapshotFormat.headerBytes + SnapshotFormat.blockHeaderBytes] ^= 1
        disk[path] = bytes
        let problem = try #require(SnapshotFixture.problem(42, on: disk))
        guard case .damaged(path, offset: 128, _, let expected, let found) = problem else { return #expect(Bool(false)) }
        #expect(
            "\(problem)".hasPrefix("\(path), offset 128: the checksum of the bytes of block 0 is wrong: expected \(expected)"))
        #expect("\(problem)".hasSuffix("found \(found)"))
    }

    @Test func `a set of definitions is exactly its bytes`() {
        for set in SnapshotFixture.definitions() {
            let bytes = set.encode()
            #expect(SnapshotDefinitions(decoding: bytes) == set)
            #expect(SnapshotDefinitions(decoding: bytes + [0]) == nil)
            for count in bytes.indices { #expect(SnapshotDefinitions(decoding: Array(bytes[..<count])) == nil) }
        }
    }
}
