import CKernels
import Testing
import Values
import Wire

#if canImport(Glibc)
    import Glibc
#endif

/// SplitMix64 (Steele, Lea, Flood 2014): one word of state, so that a seed repeats a run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(truncatingIfNeeded: next() % UInt64(bound)) }
}

/// Something valid to be damaged, and who has to cope with it.
final class MutationSubject {
    enum Reader {
        case frames
        case control(FrameKind)
        case schema
        case batch(BatchReader)
        case dictionary(BatchReader)
        case stream, file
    }

    let name: String
    let valid: [UInt8]
    let reader: Reader
    private var accepted = 0
    private var scratch = ScratchBuffer(bytesMax: 16 << 20)
    private var columns: [ColumnView] = []

    init(_ name: String, _ valid: [UInt8], _ reader: Reader) {
        self.name = name
        self.valid = valid
        self.reader = reader
    }

    func read(_ bytes: UnsafeRawBufferPointer) throws {
        switch reader {
        case .frames: try readFrames(bytes)
        case .control(let kind): _ = try ControlMessage.decode(kind: kind, body: bytes)
        case .schema: _ = try ArrowSchema.decode(message: bytes)
        case .batch(let reader):
            _ = try reader.read(message: bytes, scratch: &scratch, into: &columns)
            for column in columns { touch(column) }
        case .dictionary(let reader): try reader.addDictionary(message: bytes)
        case .stream:
            var stream = try ArrowStreamReader(bytes)
            while let message = try stream.next() { checksum(message.bytes.baseAddress, message.bytes.count) }
        case .file:
            var file = try ArrowFileReader(bytes)
            while let message = try file.next() { checksum(message.bytes.baseAddress, message.bytes.count) }
        }
    }

    private func readFrames(_ bytes: UnsafeRawBufferPointer) throws {
        var decoder = FrameDecoder()
        var rest = bytes
        let body = try scratchBody(bytes.count)
        while !rest.isEmpty {
            switch try decoder.push(&rest) {
            case .starved: return
            case .bodyNeeded(_, let byteCount):
                guard byteCount <= body.count else { return }
                decoder.provideBody(body)
            case .frame(let header, let body):
                guard header.kind.body == .control else { break }
                _ = try ControlMessage.decode(kind: header.kind, body: UnsafeRawBufferPointer(body))
            }
        }
    }

    private var bodyMemory: UnsafeMutableRawBufferPointer?

    private func scratchBody(_ byteCount: Int) throws -> UnsafeMutableRawBufferPointer {
        if let bodyMemory { return bodyMemory }
        let made = UnsafeMutableRawBufferPointer.allocate(byteCount: (valid.count + 15) & ~7, alignment: 8)
        bodyMemory = made
        return made
    }

    deinit { bodyMemory?.deallocate() }

    /// Reads every byte that a view shows, for AddressSanitizer to see.
    private func touch(_ column: ColumnView) {
        checksum(column.validity.map { UnsafeRawPointer($0) }, (column.rowCount + 7) / 8)
        if let offsets = column.offsets {
            let first = Int(offsets[0])
            let end = Int(offsets[column.rowCount])
            precondition(first >= 0 && first <= end, "offsets that fall were let through")
            if let elements = column.elements {
                precondition(end <= elements.column.rowCount, "offsets that lead outside were let through")
                touch(elements.column)
            } else {
                checksum(column.values + first, end - first)
            }
        } else {
            let bitmap = (column.rowCount + 7) / 8
            checksum(column.values, column.type == .boolean ? bitmap : column.rowCount * column.type.arrowWidth)
        }
    }

    private func checksum(_ start: UnsafeRawPointer?, _ count: Int) {
        if let start { accepted &+= Int(CKernels_crc32c(start, count)) }
    }
}

@Suite struct MutationTests {
    static let mutationCount = 1_000_000

    static func subjects() throws -> [MutationSubject] {
        let batch = Cells(everyType(rows: 3))
        let schema = ArrowSchema(fields: batch.fields)
        var frames = OutputBuffer()
        let control = ControlMessageTests.messages[4]
        control.encode().withUnsafeBytes { frames.appendFrame(FrameHeader(kind: .open), body: $0) }
        frames.appendFrame(FrameHeader(kind: .ping), body: UnsafeRawBufferPointer(start: nil, count: 0))
        var subjects = [MutationSubject("two frames", Array(frames.bytes), .frames)]
        for message in ControlMessageTests.messages {
            subjects.append(MutationSubject("\(message.kind)", message.encode(), .control(message.kind)))
        }
        subjects.append(MutationSubject("schema", schema.encode(), .schema))

        func reader(_ fields: [Field]) throws -> BatchReader {
            try BatchReader(target: fields, source: ArrowSchema(fields: fields))
        }
        // Small ones more than once: what is mutated stays near what is checked.
        for name in ["f64", "s", "dec", "b", "iv", "i32[]", "s[]", "b[]"] {
            let column = Cells(everyType(rows: 9).filter { $0.0.name == name })
            for isCompressed in [false, true] {
                let message = try column.message(isCompressed: isCompressed)
                subjects.append(MutationSubject("batch of \(name)", message, .batch(try reader(column.fields))))
            }
        }
        subjects.append(MutationSubject("batch", try batch.message(), .batch(try reader(batch.fields))))
        subjects += try dictionarySubjects()

        var stream = OutputBuffer()
        let small = Cells(everyType(rows: 2).filter { $0.0.name == "s" })
        let streamWriter = ArrowStreamWriter(fields: small.fields)
        streamWriter.begin(into: &stream)
        try streamWriter.write(rows: 2, columns: small.sources, into: &stream)
        streamWriter.end(into: &stream)
        subjects.append(MutationSubject("stream", Array(stream.bytes), .stream))
        var file = OutputBuffer()
        var fileWriter = ArrowFileWriter(fields: small.fields)
        fileWriter.begin(into: &file)
        try fileWriter.write(rows: 2, columns: small.sources, into: &file)
        fileWriter.end(into: &file)
        subjects.append(MutationSubject("file", Array(file.bytes), .file))
        return subjects
    }

    /// A dictionary-encoded column and its dictionary; we write none ourselves.
    static func dictionarySubjects() throws -> [MutationSubject] {
        try Python.requirePyArrow()
        let directory = try TemporaryDirectory()
        let program =
            PyArrowTests.prelude + """
                table = pa.table({'x': pa.array(['a', 'für', 'bb', None]).dictionary_encode()})
                with ipc.new_stream(f'{out}/x.arrows', table.schema) as w: w.write(table)
                """
        try #require(Python.run(program, [directory.path]))
        return try directory.read("x.arrows").withUnsafeBytes { bytes in
            var stream = try ArrowStreamReader(bytes)
            let target = [Field(name: "x", type: .text)]
            let dictionary = try #require(try stream.next())
            let batch = try #require(try stream.next())
            let reader = try BatchReader(target: target, source: stream.schema)
            try reader.addDictionary(message: dictionary.bytes)
            return [
                MutationSubject(
                    "dictionary", Array(dictionary.bytes),
                    .dictionary(try BatchReader(target: target, source: stream.schema))),
                MutationSubject("indices", Array(batch.bytes), .batch(reader)),
            ]
        }
    }

    static let interesting: [UInt64] = [
        0, 1, 2, 7, 8, 9, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 32, .max >> 1,
        1 << 63, .max, .max - 7,
    ]

    /// Damages `bytes` in place and says how many of them are left.
    static func mutate(_ bytes: UnsafeMutableRawBufferPointer, _ random: inout SeededGenerator) -> Int {
        var count = bytes.count
        for _ in 0...random.below(3) where count > 0 {
            let place = random.below(count)
            switch random.below(8) {
            case 0, 1, 2: bytes[place] ^= 1 << UInt8(random.below(8))
            case 3: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 4, 5:
                let width = [2, 4, 8][random.below(3)]
                let aligned = place & ~(width - 1)
                guard aligned + width <= count else { break }
                var value = interesting[random.below(interesting.count)]
                (bytes.baseAddress! + aligned).copyMemory(from: &value, byteCount: width)
            case 6:
                let length = min(8, count - place)
                let from = random.below(count - length + 1)
                memmove(bytes.baseAddress! + place, bytes.baseAddress! + from, length)
            default: if random.below(4) == 0 { count = place }
            }
        }
        return count
    }

    static func seed() -> UInt64 {
        if let given = getenv("MILLRACE_SEED").flatMap({ UInt64(String(cString: $0)) }) { return given }
        return UInt64.random(in: 0..<(1 << 32))
    }

    static func residentBytesMax() -> Int {
        var usage = rusage()
        getrusage(0, &usage)  // RUSAGE_SELF, whose type differs between C libraries
        return usage.ru_maxrss * 1024
    }

    @Test func `a million mutations of valid frames and batches: no crash, no hang, no growth`() throws {
        let seed = Self.seed()
        // A crash can say nothing afterwards.
        print("mutations: to repeat, MILLRACE_SEED=\(seed) swift test --filter MutationTests")
        fflush(nil)
        var random = SeededGenerator(state: seed)
        let subjects = try Self.subjects()
        let residentBefore = Self.residentBytesMax()
        var refused = 0
        for (index, subject) in subjects.enumerated() {
            let share = Self.mutationCount / subjects.count + (index < Self.mutationCount % subjects.count ? 1 : 0)
            // At the end of its allocation, so that a read past the message is a read past the allocation.
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: subject.valid.count, alignment: 8)
            defer { copy.deallocate() }
            for _ in 0..<share {
                copy.copyBytes(from: subject.valid)
                let count = Self.mutate(copy, &random)
                do { try subject.read(UnsafeRawBufferPointer(rebasing: copy[..<count])) } catch { refused += 1 }
            }
        }
        #expect(refused > Self.mutationCount / 10, "MILLRACE_SEED=\(seed)")
        // Far from what one believed length could take; AddressSanitizer alone keeps 256 MiB of freed memory.
        #expect(Self.residentBytesMax() - residentBefore < 1 << 30, "MILLRACE_SEED=\(seed)")
    }

    @Test func `a message cut short anywhere is refused or empty, never read past its end`() throws {
        for subject in try Self.subjects() {
            for count in 0..<subject.valid.count {
                let cut = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
                defer { cut.deallocate() }
                cut.copyBytes(from: subject.valid[..<count])
                switch subject.reader {
                case .schema, .batch, .dictionary, .file:
                    #expect(throws: WireError.self, "\(subject.name), \(count) bytes") {
                        try subject.read(UnsafeRawBufferPointer(cut))
                    }
                case .frames, .control, .stream: try? subject.read(UnsafeRawBufferPointer(cut))
                }
            }
        }
    }
}
