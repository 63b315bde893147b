/// Time zone files as RFC 8536 defines them (TZif, version 2 and later): the second block has 64-bit moments.
///
///     header 44 bytes │ block of version 1 │ header │ moments 8·t │ type of each t │ types 6·n: offset 4, dst 1, name 1 │ …
///     footer: line feed, the rule for moments after the last transition or nothing, line feed
extension ZoneRules {
    /// nil where the bytes are no such file.
    public init?(name: String, zoneFile bytes: [UInt8]) {
        guard let first = Header(bytes, at: 0), first.version >= UInt8(ascii: "2") else { return nil }
        let second = Header.byteCount + first.blockBytes(momentBytes: 4)
        guard let header = Header(bytes, at: second) else { return nil }
        let moments = second + Header.byteCount
        let types = moments + header.moments * 9
        guard header.types > 0, moments + header.blockBytes(momentBytes: 8) <= bytes.count else { return nil }
        func offset(ofType type: Int) -> Int64 { Int64(Int32(truncatingIfNeeded: bigEndian(bytes, types + type * 6, 4))) }
        var transitions: [Int64] = []
        var offsets: [Int64] = []
        for index in 0..<header.moments {
            let type = Int(bytes[moments + header.moments * 8 + index])
            guard type < header.types else { return nil }
            transitions.append(bigEndian(bytes, moments + index * 8, 8))
            offsets.append(offset(ofType: type))
        }
        guard zip(transitions, transitions.dropFirst()).allSatisfy({ $0 < $1 }) else { return nil }
        let footer = bytes[(moments + header.blockBytes(momentBytes: 8))...]
        guard footer.first == UInt8(ascii: "\n"), let end = footer.dropFirst().firstIndex(of: UInt8(ascii: "\n")) else {
            return nil
        }
        let rule = footer[(footer.startIndex + 1)..<end]
        let laterRule = ZoneRule(rule)
        guard rule.isEmpty || laterRule != nil else { return nil }
        self.init(
            name: name, firstOffsetSeconds: offset(ofType: 0), transitions: transitions, offsetsSeconds: offsets,
            laterRule: laterRule)
    }

    private struct Header {
        static let byteCount = 44
        var version: UInt8
        var moments, types: Int
        private var utcFlags, standardFlags, leaps, characters: Int

        init?(_ bytes: [UInt8], at start: Int) {
            guard start >= 0, start + Self.byteCount <= bytes.count, bytes[start..<start + 4].elementsEqual("TZif".utf8)
            else { return nil }
            func field(_ index: Int) -> Int { Int(bigEndian(bytes, start + 20 + index * 4, 4)) }
            version = bytes[start + 4]
            (utcFlags, standardFlags, leaps) = (field(0), field(1), field(2))
            (moments, types, characters) = (field(3), field(4), field(5))
        }

        func blockBytes(momentBytes: Int) -> Int {
            moments * (momentBytes + 1) + types * 6 + characters + leaps * (momentBytes + 4) + standardFlags + utcFlags
        }
    }
}

private func bigEndian(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int64 {
    bytes[start..<start + count].reduce(0) { $0 << 8 | Int64($1) }
}
