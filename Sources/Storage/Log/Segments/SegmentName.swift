/// Names of the log's files.
struct SegmentName: Hashable {
    var number: UInt64
    var isCompressed: Bool

    static let partialSuffix = ".partial"
    private static let suffix = ".log"
    private static let compressedSuffix = ".log.zst"
    private static let digits = 10

    init(_ number: UInt64, isCompressed: Bool = false) {
        self.number = number
        self.isCompressed = isCompressed
    }

    /// nil for names that are no segment's.
    init?(_ name: String) {
        let isCompressed = name.hasSuffix(Self.compressedSuffix)
        guard isCompressed || name.hasSuffix(Self.suffix) else { return nil }
        let digits = name.dropLast((isCompressed ? Self.compressedSuffix : Self.suffix).count)
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = UInt64(digits), number > 0 else { return nil }
        self.init(number, isCompressed: isCompressed)
        // One number has one name.
        guard text == name else { return nil }
    }

    var text: String {
        let digits = String(number)
        let zeros = String(repeating: "0", count: max(0, Self.digits - digits.count))
        return zeros + digits + (isCompressed ? Self.compressedSuffix : Self.suffix)
    }
}
