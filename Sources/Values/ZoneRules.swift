/// Offsets of one time zone from UTC over time.
public struct ZoneRules: Hashable, Sendable {
    public var name: String
    /// Offset before the first transition, in seconds east of Greenwich.
    public var firstOffsetSeconds: Int64
    /// Moments in UTC, ascending, in seconds since 1970, from which `offsetsSeconds` of the same index holds.
    public var transitions: [Int64]
    public var offsetsSeconds: [Int64]
    /// From the last transition on, where there is one.
    public var laterRule: ZoneRule?

    public init(
        name: String, firstOffsetSeconds: Int64, transitions: [Int64] = [], offsetsSeconds: [Int64] = [],
        laterRule: ZoneRule? = nil
    ) {
        precondition(transitions.count == offsetsSeconds.count)
        self.name = name
        self.firstOffsetSeconds = firstOffsetSeconds
        self.transitions = transitions
        self.offsetsSeconds = offsetsSeconds
        self.laterRule = laterRule
    }

    public static let utc = ZoneRules(name: "UTC", firstOffsetSeconds: 0)

    public var isFixed: Bool { transitions.isEmpty && laterRule?.isFixed ?? true }

    /// Local time shown at a moment of UTC; both in microseconds since 1970. nil when out of range.
    public func local(utc: Int64) -> Int64? {
        let (result, overflow) = utc.addingReportingOverflow(offset(utc: floorDivide(utc, 1_000_000)) * 1_000_000)
        return overflow ? nil : result
    }

    /// The moment of UTC when clocks show a local time. As PostgreSQL has it, a time that is skipped or shown twice
    /// when clocks change is read with the offset that held before a skip and with the one after a repetition.
    public func utc(local: Int64) -> Int64? {
        if isFixed { return shifted(local, by: firstOffsetSeconds) }
        let localSeconds = floorDivide(local, 1_000_000)
        let earlier = offset(utc: localSeconds - 86_400)
        let later = offset(utc: localSeconds + 86_400)
        if earlier == later { return shifted(local, by: earlier) }
        let isAfterChange = offset(utc: localSeconds - later) == later
        return shifted(local, by: isAfterChange ? later : earlier)
    }

    private func shifted(_ local: Int64, by offset: Int64) -> Int64? {
        let (result, overflow) = local.subtractingReportingOverflow(offset * 1_000_000)
        return overflow ? nil : result
    }

    /// Offset at a moment in seconds since 1970.
    public func offset(utc seconds: Int64) -> Int64 {
        var (low, high) = (0, transitions.count)
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        if low == transitions.count, let laterRule { return laterRule.offset(utc: seconds) }
        return low == 0 ? firstOffsetSeconds : offsetsSeconds[low - 1]
    }
}

/// A time zone's name that means nothing here.
public struct ZoneError: Error, Hashable, Sendable, CustomStringConvertible {
    public var name: String

    public init(name: String) { self.name = name }

    public var description: String {
        "time zone \"\(name)\" is not known here; use UTC, an offset such as +02:00, or a name of the system's time zone database"
    }
}

extension ZoneRules {
    /// UTC, or an offset east of Greenwich: `+2`, `-03:30`, `+0545`.
    public static func named(_ name: String) throws(ZoneError) -> ZoneRules {
        switch name.uppercased() {
        case "UTC", "GMT", "Z", "ETC/UTC", "UCT", "ZULU", "UNIVERSAL": return utc
        default: break
        }
        guard let seconds = offsetSeconds(name) else { throw ZoneError(name: name) }
        return ZoneRules(name: name, firstOffsetSeconds: seconds)
    }

    private static func offsetSeconds(_ text: String) -> Int64? {
        guard let sign = text.first, sign == "+" || sign == "-" else { return nil }
        var parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 1, parts[0].count == 4 { parts = [String(parts[0].prefix(2)), String(parts[0].suffix(2))] }
        guard parts.count <= 3, parts.allSatisfy({ (1...2).contains($0.count) }) else { return nil }
        let numbers = parts.compactMap { Int64($0) }
        guard numbers.count == parts.count, numbers[0] <= 15, numbers.dropFirst().allSatisfy({ $0 < 60 }) else { return nil }
        let seconds = numbers[0] * 3_600 + (numbers.count > 1 ? numbers[1] * 60 : 0) + (numbers.count > 2 ? numbers[2] : 0)
        return sign == "-" ? -seconds : seconds
    }
}
