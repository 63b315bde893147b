import CKernels
import Linux
import Testing

@testable import Storage

@Suite struct DamageTests {
    /// Segments that are compressed, finished and in use; the last record says that all is synced.
    private func log() throws -> (disk: FakeDisk, entries: [UInt64: Entry]) {
        let disk = FakeDisk()
        let writer = try makeWriter(disk)
        let schema = try plainSchema("t")
        var entries: [UInt64: Entry] = [:]
        for index in 0..<300 {
            let entry = Entry.batch(BatchEntry(table: "t", message: message(index, byteCount: 13 * (index % 100))))
            entries[try writer.append(entry, schema: schema)] = entry
        }
        try writer.sync()
        try writer.noteSynced()
        try writer.prepareNext()
        let upkeep = LogUpkeep(disk: disk, directory: directory)
        try upkeep.compress(try upkeep.segments()[0])
        return (disk, entries)
    }

    private func check(_ disk: FakeDisk) -> [LogCheck] {
        var checks: [LogCheck] = []
        try? LogCheck.check(disk: disk, directory: directory) { checks.append($0) }
        return checks
    }

    @Test func `no flipped bit of any file is passed over in silence`() throws {
        let (original, entries) = try log()
        #expect(original.paths.count == 5 && check(original).allSatisfy(\.isGood))
        #expect(try readLog(original).entries == entries)
        let paths = original.paths
        let sizes = paths.map { original.bytes($0).count }
        for seed in 0..<10_000 {
            var random = SplitMix(seed: UInt64(seed))
            let file = Int.random(in: 0..<paths.count, using: &random)
            let bit = Int.random(in: 0..<(sizes[file] * 8), using: &random)
            let disk = original.copy()
            var bytes = disk.bytes(paths[file])
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            disk.write(bytes, to: paths[file])
            let place = "seed \(seed): \(paths[file]), byte \(bit / 8) of \(sizes[file])"
            let isNoticed = check(disk).contains { check in
                switch check.state {
                case .damaged, .unreadable, .torn: check.path == paths[file]
                case .finished, .unfinished, .unused: false
                }
            }
            #expect(isNoticed, "\(place)")
            // Whoever reads gets what was written, until he is told.
            guard seed % 20 == 0 else { continue }
            let recovery = try? LogRecovery.recover(disk: disk, directory: directory)
            if let found = try? readLog(disk).entries {
                #expect(found == entries, "\(place)")
                #expect(recovery?.lastSequence == 300, "\(place)")
            }
        }
    }

    // MARK: Whole files

    @Test func `a missing segment is named`() throws {
        let (disk, _) = try log()
        try disk.remove("log/0000000002.log")
        let error = #expect(throws: LogError.self) { try LogRecovery.recover(disk: disk, directory: directory) }
        #expect("\(error!)".contains("segment 2 before it"))
        #expect(throws: LogError.self) { try LogReader(disk: disk, directory: directory) }
    }

    @Test func `a segment under another one's name is refused`() throws {
        let (disk, _) = try log()
        disk.write(disk.bytes("log/0000000002.log"), to: "log/0000000003.log")
        let error = #expect(throws: LogError.self) { try readLog(disk) }
        #expect("\(error!)".contains("segment number 3") && "\(error!)".contains("--cut-at 3:0"))
    }

    @Test func `two files of one number are refused, but for a compressed one beside its original`() throws {
        let (disk, entries) = try log()
        let whole = disk.bytes("log/0000000002.log")
        let upkeep = LogUpkeep(disk: disk, directory: directory)
        try upkeep.compress(try upkeep.segments()[1])
        disk.write(whole, to: "log/0000000002.log")
        #expect(try readLog(disk).entries == entries)
        _ = try LogRecovery.recover(disk: disk, directory: directory)
        #expect(disk.paths.filter { $0.contains("2.log") } == ["log/0000000002.log"])
        disk.write(whole, to: "log/2.log")
        #expect(throws: LogError.self) { try LogRecovery.recover(disk: disk, directory: directory) }
    }

    @Test func `a segment that was swapped for one of another time is refused`() throws {
        let (disk, _) = try log()
        let other = FakeDisk()
        let writer = try makeWriter(other, segment: 2, nextSequence: 40)
        try writer.append(.batch(BatchEntry(table: "t", message: message(1))), schema: plainSchema("t"))
        try writer.close()
        disk.write(other.bytes("log/0000000002.log"), to: "log/0000000002.log")
        let error = #expect(throws: LogError.self) { try LogRecovery.recover(disk: disk, directory: directory) }
        #expect("\(error!)".contains("begins with sequence number"))
    }

    @Test func `zeros in place of a segment that others follow are damage`() throws {
        let (disk, _) = try log()
        let count = disk.bytes("log/0000000002.log").count
        disk.write(Array(repeating: 0, count: max(count, 64 << 10)), to: "log/0000000002.log")
        #expect(throws: LogError.self) { try LogRecovery.recover(disk: disk, directory: directory) }
        #expect(throws: LogError.self) { try readLog(disk) }
        #expect(check(disk).contains { if case .damaged = $0.state { $0.number == 2 } else { false } })
    }

    // MARK: Records that contradict one another

    @Test(arguments: [1, -1, 7]) func `a record with a wrong sequence number is refused though its checksums hold`(by: Int) throws
    {
        let (disk, _) = try log()
        let path = "log/0000000004.log"
        var bytes = disk.bytes(path)
        let header = try bytes.withUnsafeBytes { try SegmentHeader.parse($0.baseAddress!) }
        var place = 64
        // The third record with a number of its own.
        for _ in 0..<3 { place += recordBytes(bytes, at: place, salt: header.salt) }
        bytes.withUnsafeMutableBytes { bytes in
            var record = RecordHeader.parse(bytes.baseAddress! + place, at: place, salt: header.salt)!
            record.sequence = UInt64(Int(record.sequence) + by)
            let copy = UnsafeMutableRawPointer.allocate(byteCount: 40, alignment: 8)
            record.write(to: copy, salt: header.salt)
            (bytes.baseAddress! + place).copyMemory(from: copy, byteCount: 40)
            copy.deallocate()
        }
        disk.write(bytes, to: path)
        let error = #expect(throws: LogError.self) { try readLog(disk) }
        #expect("\(error!)".contains("expected sequence number"))
    }

    private func recordBytes(_ bytes: [UInt8], at place: Int, salt: UInt32) -> Int {
        bytes.withUnsafeBytes { RecordHeader.parse($0.baseAddress! + place, at: place, salt: salt)!.recordBytes }
    }

    /// A sender that knew the segment's salt could make a torn tail look like damage; it does not.
    @Test(arguments: [false, true]) func `bytes of a batch that look like a record are none`(knowsSalt: Bool) throws {
        let disk = FakeDisk()
        let writer = try makeWriter(disk)
        let schema = try plainSchema("t")
        let path = "log/0000000001.log"
        try writer.append(.batch(BatchEntry(table: "t", message: message(1))), schema: schema)
        try writer.sync()
        let end = disk.bytes(path).lastIndex { $0 != 0 }! + 1
        // Where the message of the next batch will stand.
        let place = end + 40 + 64
        var forged = message(2, byteCount: 80)
        let salt = try disk.bytes(path).withUnsafeBytes { try SegmentHeader.parse($0.baseAddress!).salt }
        let bytes = LogBytes(zeros: 40)
        RecordHeader(
            kind: RecordKind.admission.rawValue, isRestated: false, bodyBytes: 16, sequence: 3, place: place, syncedUpTo: place,
            bodyChecksum: 0
        ).write(to: bytes.base, salt: knowsSalt ? salt : salt &+ 1)
        forged.replaceSubrange(0..<40, with: bytes.bytes)
        try writer.append(.batch(BatchEntry(table: "t", message: forged)), schema: schema)
        var torn = disk.bytes(path)
        torn[end + 45] ^= 1
        disk.write(torn, to: path)
        if knowsSalt {
            #expect(throws: LogError.self) { try LogRecovery.recover(disk: disk, directory: directory) }
        } else {
            let recovery = try LogRecovery.recover(disk: disk, directory: directory)
            #expect(recovery.tornTail?.offset == end && recovery.lastSequence == 1)
        }
    }

    // MARK: Versions

    @Test(arguments: [0, 2, 7] as [UInt16]) func `a segment of an unknown version is refused by its number`(version: UInt16)
        throws
    {
        let (disk, _) = try log()
        let path = "log/0000000003.log"
        var bytes = disk.bytes(path)
        bytes.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: version.littleEndian, toByteOffset: 8, as: UInt16.self)
            bytes.storeBytes(of: CKernels_crc32c(bytes.baseAddress, 60).littleEndian, toByteOffset: 60, as: UInt32.self)
        }
        disk.write(bytes, to: path)
        #expect(throws: LogError.version(path: path, found: version)) { try readLog(disk) }
        let error = #expect(throws: LogError.self) { try LogRecovery.recover(disk: disk, directory: directory) }
        #expect("\(error!)".contains("log format version \(version)"))
        // There is no version before 1, so that the one before this cannot be tried yet.
        #expect(LogFormat.versions == 1...1 && LogFormat.version == 1)
    }

    // MARK: The way out

    @Test func `a damaged place is given up where it is asked for, and nowhere else`() throws {
        let (disk, entries) = try log()
        let path = "log/0000000002.log"
        var bytes = disk.bytes(path)
        bytes[bytes.count / 2] ^= 1
        disk.write(bytes, to: path)
        let damage = try #require(
            check(disk).compactMap { check in if case .damaged(let damage, _) = check.state { damage } else { nil } }.first)
        #expect(damage.segment == 2)
        let before = disk.copy()
        #expect(throws: LogCutRefusal.self) {
            try LogCut.cut(disk: disk, directory: directory, segment: 2, offset: damage.offset + 8)
        }
        #expect(throws: LogCutRefusal.self) { try LogCut.cut(disk: disk, directory: directory, segment: 9, offset: 0) }
        #expect(disk.paths == before.paths)
        let cut = try LogCut.cut(disk: disk, directory: directory, segment: 2, offset: damage.offset)
        #expect(cut.keptPaths.allSatisfy { disk.paths.contains($0) } && cut.keptPaths.count == 4)
        let recovery = try LogRecovery.recover(disk: disk, directory: directory)
        #expect(recovery.lastSequence == cut.lastSequence && recovery.tornTail == nil && recovery.segments.count == 2)
        #expect(try readLog(disk).entries == entries.filter { $0.key <= cut.lastSequence })
        #expect(check(disk).filter { !$0.isGood }.isEmpty)
    }
}
