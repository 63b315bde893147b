/// What a connection's silence means. No I/O: readings of the clock go in, a verdict comes out.
///
///     heard ──silent for `pingNanoseconds`──► ping sent ──nothing for `pongNanosecondsMax`──► silent: ended
///       ▲                                        │
///       └───────────── any byte ─────────────────┘
///
/// A peer whose machine vanished acknowledges nothing and says nothing; one that lives answers a ping. Clients that read their socket
/// only inside calls say so in `hello`: they are not asked, and only the kernel's keepalive finds them dead.
struct Liveness {
    enum Verdict: Hashable {
        /// Nothing is due before this moment.
        case fine(untilNanoseconds: UInt64)
        /// Send a ping, and ask again by then.
        case ping(againNanoseconds: UInt64)
        /// Nothing came after the ping.
        case silent
        /// Nothing was asked for longer than a connection may be idle.
        case idle
    }

    /// When bytes last came, and when the last frame that asks for anything.
    private(set) var heardNanoseconds: UInt64
    private(set) var askedNanoseconds: UInt64
    /// When the ping was sent that nothing has followed yet; 0 without one.
    private var pingedNanoseconds: UInt64 = 0

    /// How often a connection is looked at that nothing is expected of.
    static let restNanoseconds: UInt64 = 20_000_000_000
    /// Silent for so long, it gives back the memory that it was answered with.
    static let quietNanoseconds: UInt64 = 5_000_000_000

    init(nowNanoseconds: UInt64) {
        heardNanoseconds = nowNanoseconds
        askedNanoseconds = nowNanoseconds
    }

    mutating func heard(nowNanoseconds: UInt64) {
        heardNanoseconds = nowNanoseconds
        pingedNanoseconds = 0
    }

    mutating func asked(nowNanoseconds: UInt64) { askedNanoseconds = nowNanoseconds }

    /// - Parameters:
    ///   - canHear: The connection is read from and has read all it was sent: otherwise its silence says nothing.
    ///   - answersPings: It reads its socket at any time.
    ///   - isIdle: Nothing is under way for it, nor will be: no request, no subscription.
    mutating func verdict(
        nowNanoseconds now: UInt64, limits: SessionLimits, canHear: Bool, answersPings: Bool, isIdle: Bool
    ) -> Verdict {
        var until = UInt64.max
        if limits.idleNanosecondsMax > 0 {
            let idleEnd = (isIdle ? askedNanoseconds : now) &+ limits.idleNanosecondsMax
            if idleEnd <= now { return .idle }
            until = idleEnd
        }
        guard answersPings && limits.pingNanoseconds > 0 else {
            return .fine(untilNanoseconds: min(until, now + Self.restNanoseconds))
        }
        guard canHear else {
            pingedNanoseconds = 0
            return .fine(untilNanoseconds: min(until, now + limits.pingNanoseconds))
        }
        if pingedNanoseconds != 0 {
            let end = pingedNanoseconds + limits.pongNanosecondsMax
            return end <= now ? .silent : .fine(untilNanoseconds: min(until, end))
        }
        let pingDue = heardNanoseconds + limits.pingNanoseconds
        if pingDue > now { return .fine(untilNanoseconds: min(until, pingDue)) }
        pingedNanoseconds = now
        return .ping(againNanoseconds: min(until, now + limits.pongNanosecondsMax))
    }
}
