import Wire

/// The producers' part of a snapshot: what each had reached at a mark of the sequence, and the replies that it may still ask for.
///
///     section   magic "MPRD", version u16, flags u16 (bit 0: some producer has been forgotten), schemas u32, producers u32,
///               then these, then the CRC-32C of everything before it
///     schema    length u32, bytes: an Arrow Schema message
///     producer  id u64, received_up_to u64, replies u32, then these: of received_up_to + 1, + 2 …
///     reply     sequence u64, epoch u32, definitions u32, kind u8, 0 u8, parts u16, then these
///     part      kind u8, default u8 (0 or 1), length of the view's name u16, schema u32 (its number, or FFFFFFFF), length u32, name, body
///
/// All integers are little-endian; nothing is aligned.
extension ProducerRegistry {
    static let sectionMagic: UInt32 = 0x4452_504D
    static let sectionVersion: UInt16 = 1

    /// The place of a mark in the ring; to be told by every core before it answers anything behind.
    func passedMark(at position: UInt64) { totals.mark.store(position, ordering: .releasing) }

    /// As all producers were at the newest mark, which every core has passed; nil while a batch that entered before it is under way. On any
    /// thread, until the next mark.
    func encode() -> [UInt8]? {
        let mark = totals.mark.load(ordering: .acquiring)
        let (producers, hasForgotten) = state.withLock {
            ($0.producers.values.sorted { $0.id < $1.id }, $0.forgotten > 0)
        }
        var schemas: [[UInt8]: UInt32] = [:]
        var schemaBytes = SectionWriter()
        var body = SectionWriter()
        for producer in producers {
            guard let (receivedUpTo, replies) = producer.withState({ $0.state(at: mark) }) else { return nil }
            body.put(producer.id)
            body.put(receivedUpTo)
            body.put(UInt32(replies.count))
            for reply in replies {
                body.put(reply) { schema in
                    if let known = schemas[schema] { return known }
                    let number = UInt32(schemas.count)
                    schemas[schema] = number
                    schemaBytes.put(UInt32(schema.count))
                    schemaBytes.bytes += schema
                    return number
                }
            }
        }
        var section = SectionWriter()
        section.put(Self.sectionMagic)
        section.put(Self.sectionVersion)
        section.put(UInt16(hasForgotten ? 1 : 0))
        section.put(UInt32(schemas.count))
        section.put(UInt32(producers.count))
        section.bytes += schemaBytes.bytes
        section.bytes += body.bytes
        section.put(section.bytes.withUnsafeBytes { FrameHeader.checksum($0) })
        return section.bytes
    }

    /// Takes over the producers of a snapshot; there must be none yet. Throws what is wrong with the bytes, and then changes nothing.
    func decode(_ section: [UInt8], nowNanoseconds: UInt64) throws(WireError) {
        guard section.count >= 20 else {
            throw .truncated(what: "the producers' section", neededBytes: 20, availableBytes: section.count)
        }
        let checksum = section.withUnsafeBytes { FrameHeader.checksum(UnsafeRawBufferPointer(rebasing: $0.dropLast(4))) }
        var reader = SectionReader(section)
        guard try reader.take(UInt32.self) == Self.sectionMagic else { throw .section("it begins with another magic") }
        let version = try reader.take(UInt16.self)
        guard version == Self.sectionVersion else {
            throw .unsupported(what: "version \(version) of the producers' section", remedy: "read it with a newer release")
        }
        let found = section.suffix(4).enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << UInt32(8 * $1.offset) }
        guard found == checksum else { throw .section("it says checksum \(found), its bytes give \(checksum)") }
        reader.end = section.count - 4
        let flags = try reader.take(UInt16.self)
        guard flags <= 1 else { throw .section("flags \(flags) are unknown") }
        let schemaCount = try reader.take(UInt32.self)
        let producerCount = try reader.take(UInt32.self)
        var schemas: [[UInt8]] = []
        for _ in 0..<schemaCount { schemas.append(try reader.bytes(Int(try reader.take(UInt32.self)))) }
        var states: [ProducerState] = []
        var lastID: UInt64 = 0
        for _ in 0..<producerCount {
            let id = try reader.take(UInt64.self)
            guard id > lastID else { throw .section("producer \(id) stands behind \(lastID)") }
            lastID = id
            let receivedUpTo = try reader.take(UInt64.self)
            var replies: [KeptReply] = []
            for _ in 0..<(try reader.take(UInt32.self)) { replies.append(try reader.reply(schemas)) }
            guard receivedUpTo <= .max - UInt64(replies.count) else { throw .section("a batch number is too large") }
            states.append(ProducerState(id: id, receivedUpTo: receivedUpTo, replies: replies, nowNanoseconds: nowNanoseconds))
        }
        guard reader.isAtEnd else { throw .section("bytes follow the last producer") }
        let all = states
        state.withLock { state in
            precondition(state.producers.isEmpty, "a snapshot is loaded before anybody connects")
            state.forgotten = UInt64(flags)
            for known in all {
                state.producers[known.id] = Producer(known, limits: limits, totals: totals)
                state.noteLeft(known.id, nowNanoseconds)
            }
        }
    }
}

extension WireError {
    fileprivate static func section(_ why: String) -> WireError { .malformed(what: "the producers' section", why: why) }
}

private struct SectionWriter {
    var bytes: [UInt8] = []

    mutating func put<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }

    mutating func put(_ reply: KeptReply, schema number: ([UInt8]) -> UInt32) {
        put(reply.sequence)
        put(reply.epoch)
        put(reply.definitions)
        put(reply.kind.rawValue)
        put(UInt8(0))
        put(UInt16(reply.parts.count))
        for part in reply.parts {
            put(part.kind.rawValue)
            put(UInt8(part.isDefault ? 1 : 0))
            put(UInt16(part.view.utf8.count))
            put(part.schema.isEmpty ? UInt32.max : number(part.schema))
            put(UInt32(part.body.count))
            bytes += part.view.utf8
            bytes += part.body
        }
    }
}

private struct SectionReader {
    private let source: [UInt8]
    private var position = 0
    var end: Int

    init(_ source: [UInt8]) {
        self.source = source
        end = source.count
    }

    var isAtEnd: Bool { position == end }

    mutating func bytes(_ count: Int) throws(WireError) -> [UInt8] {
        guard count <= end - position else {
            throw .truncated(what: "the producers' section", neededBytes: count, availableBytes: end - position)
        }
        defer { position += count }
        return Array(source[position..<position + count])
    }

    mutating func take<T: FixedWidthInteger>(_: T.Type) throws(WireError) -> T {
        let size = T.bitWidth / 8
        guard size <= end - position else {
            throw .truncated(what: "the producers' section", neededBytes: size, availableBytes: end - position)
        }
        defer { position += size }
        return source.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: T.self)) }
    }

    mutating func reply(_ schemas: [[UInt8]]) throws(WireError) -> KeptReply {
        let sequence = try take(UInt64.self)
        let epoch = try take(UInt32.self)
        let definitions = try take(UInt32.self)
        let number = try take(UInt8.self)
        guard let kind = FrameKind(rawValue: number), kind == .compute || kind == .ingest else {
            throw .section("a batch was of kind \(number)")
        }
        guard try take(UInt8.self) == 0 else { throw .section("a reserved byte is not 0") }
        var parts: [KeptReply.Part] = []
        for _ in 0..<(try take(UInt16.self)) { parts.append(try part(schemas)) }
        return KeptReply(kind: kind, sequence: sequence, epoch: epoch, definitions: definitions, parts: parts)
    }

    private mutating func part(_ schemas: [[UInt8]]) throws(WireError) -> KeptReply.Part {
        let number = try take(UInt8.self)
        guard let kind = FrameKind(rawValue: number), kind == .result || kind == .accepted || kind == .error else {
            throw .section("an answer is of kind \(number)")
        }
        let isDefault = try take(UInt8.self)
        guard isDefault <= 1 else { throw .section("a truth value is \(isDefault)") }
        let nameLength = try take(UInt16.self)
        let schema = try take(UInt32.self)
        let length = try take(UInt32.self)
        guard schema == .max || schema < schemas.count else { throw .section("there is no schema \(schema)") }
        guard (kind == .result) == (schema != .max) else { throw .section("\(kind) and schema do not go together") }
        let name = try bytes(Int(nameLength))
        let body = try bytes(Int(length))
        return KeptReply.Part(
            kind: kind, view: String(decoding: name, as: UTF8.self), isDefault: isDefault == 1,
            schema: schema == .max ? [] : schemas[Int(schema)], body: body)
    }
}
