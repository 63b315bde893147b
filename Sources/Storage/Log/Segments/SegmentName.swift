import Linux

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

extension SegmentName {
    /// Opens the segment for reading, under the name that it has by now: others may compress it at any time.
    func open(in directory: String, _ disk: any Disk) throws(LogError) -> (file: any DiskFile, name: SegmentName) {
        do throws(DiskError) {
            return (try disk.open("\(directory)/\(text)", .read), self)
        } catch {
            let compressed = SegmentName(number, isCompressed: true)
            guard error.isNotFound, !isCompressed, let file = try? disk.open("\(directory)/\(compressed.text)", .read) else {
                throw .disk(error)
            }
            return (file, compressed)
        }
    }
}
