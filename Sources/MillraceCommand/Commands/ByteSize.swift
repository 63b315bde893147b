import ArgumentParser

/// A number of bytes: `512M`, `4GiB`, `1000000`. K, M, G and T are powers of 1,024.
struct ByteSize: ExpressibleByArgument, Hashable, CustomStringConvertible {
    var bytes: Int

    init(bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        let unit = argument.dropFirst(digits.count).uppercased()
        let shifts = ["": 0, "B": 0, "K": 10, "M": 20, "G": 30, "T": 40]
        var name = unit
        if name.hasSuffix("IB") { name.removeLast(2) } else if name.count == 2 && name.hasSuffix("B") { name.removeLast() }
        guard let number = Int(digits), let shift = shifts[name], number > 0 else { return nil }
        let (bytes, overflows) = number.multipliedReportingOverflow(by: 1 << shift)
        if overflows { return nil }
        self.bytes = bytes
    }

    /// In the largest unit that it is a whole number of.
    var description: String {
        for (unit, shift) in [("T", 40), ("G", 30), ("M", 20), ("K", 10)] where bytes != 0 && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(unit)"
        }
        return String(bytes)
    }
}
