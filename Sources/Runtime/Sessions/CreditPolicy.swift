/// How many requests each connection of a core may have under way: all that the operator allows while there is room, fewer when
/// connections are many or memory is short.
///
/// Credits bound how much work waits in sockets before a batch gets its place, and so how long it waits there. They are powers of two below
/// the operator's bound, so that connections that come and go don't change them every time. They fall at once and double at
/// most once a period.
struct CreditPolicy {
    /// How often they are worked out.
    static let periodNanoseconds: UInt64 = 100_000_000

    /// Of one connection, and of all of the core together.
    let creditsMax: Int
    let coreCreditsMax: Int
    private(set) var credits: Int

    init(creditsMax: Int, coreCreditsMax: Int) {
        self.creditsMax = creditsMax
        self.coreCreditsMax = coreCreditsMax
        credits = creditsMax
    }

    /// - Parameters:
    ///   - active: Connections that sent a request during the period.
    ///   - memoryFill: The fullest of the core's memory bounds, 0 ... 1.
    mutating func update(active: Int, memoryFill: Double) {
        let byConnections = coreCreditsMax / max(active, 1)
        let byMemory: Int =
            switch memoryFill {
            case ..<0.5: creditsMax
            case ..<0.75: creditsMax / 4
            case ..<0.9: creditsMax / 16
            default: 1
            }
        let wanted = max(1, min(byConnections, byMemory))
        if wanted >= creditsMax {
            credits = min(creditsMax, credits * 2)
        } else if wanted < credits {
            credits = Self.powerOfTwo(notAbove: wanted)
        } else if wanted >= 2 * credits + credits / 2 {
            // A quarter more than the next step asks for, so that it is not taken back at once.
            credits = min(creditsMax, credits * 2)
        }
    }

    private static func powerOfTwo(notAbove value: Int) -> Int { 1 << (Int.bitWidth - 1 - value.leadingZeroBitCount) }
}
