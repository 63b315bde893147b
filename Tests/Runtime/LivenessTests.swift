import Testing

@testable import Runtime

/// What silence means, without a socket or a clock.
@Suite struct `The silence of a peer` {
    private static let second: UInt64 = 1_000_000_000

    private static func limits(idleSeconds: UInt64 = 0) -> SessionLimits {
        var limits = SessionLimits()
        limits.pingNanoseconds = 20 * second
        limits.pongNanosecondsMax = 10 * second
        limits.idleNanosecondsMax = idleSeconds * second
        return limits
    }

    private static func verdict(
        _ liveness: inout Liveness, at seconds: UInt64, idleSeconds: UInt64 = 0, canHear: Bool = true, answersPings: Bool = true,
        isIdle: Bool = true
    ) -> Liveness.Verdict {
        liveness.verdict(
            nowNanoseconds: seconds * second, limits: limits(idleSeconds: idleSeconds), canHear: canHear,
            answersPings: answersPings, isIdle: isIdle)
    }

    @Test func `leads to a ping, and then to the end`() {
        typealias T = `The silence of a peer`
        var liveness = Liveness(nowNanoseconds: 100 * T.second)
        #expect(T.verdict(&liveness, at: 101) == .fine(untilNanoseconds: 120 * T.second))
        #expect(T.verdict(&liveness, at: 120) == .ping(againNanoseconds: 130 * T.second))
        #expect(T.verdict(&liveness, at: 121) == .fine(untilNanoseconds: 130 * T.second))
        #expect(T.verdict(&liveness, at: 130) == .silent)
    }

    @Test func `is broken by any byte`() {
        typealias T = `The silence of a peer`
        var liveness = Liveness(nowNanoseconds: 100 * T.second)
        #expect(T.verdict(&liveness, at: 125) == .ping(againNanoseconds: 135 * T.second))
        liveness.heard(nowNanoseconds: 134 * T.second)
        #expect(T.verdict(&liveness, at: 135) == .fine(untilNanoseconds: 154 * T.second))
        #expect(T.verdict(&liveness, at: 154) == .ping(againNanoseconds: 164 * T.second))
    }

    @Test func `says nothing where the peer is not listened to, or has not read what it was sent`() {
        typealias T = `The silence of a peer`
        var liveness = Liveness(nowNanoseconds: 100 * T.second)
        #expect(T.verdict(&liveness, at: 120) == .ping(againNanoseconds: 130 * T.second))
        #expect(T.verdict(&liveness, at: 130, canHear: false) == .fine(untilNanoseconds: 150 * T.second))
        // It is asked again before it is given up.
        #expect(T.verdict(&liveness, at: 150) == .ping(againNanoseconds: 160 * T.second))
    }

    @Test func `says nothing of clients that answer only inside calls`() {
        typealias T = `The silence of a peer`
        var liveness = Liveness(nowNanoseconds: 0)
        for seconds in stride(from: 1, to: 10_000, by: 500) as StrideTo<UInt64> {
            guard case .fine = T.verdict(&liveness, at: seconds, answersPings: false) else {
                return #expect(Bool(false), "after \(seconds) s")
            }
        }
    }

    @Test func `ends a connection that is idle for longer than it may, pings or not`() {
        typealias T = `The silence of a peer`
        var liveness = Liveness(nowNanoseconds: 100 * T.second)
        #expect(T.verdict(&liveness, at: 115, idleSeconds: 15) == .idle)
        liveness.asked(nowNanoseconds: 110 * T.second)
        #expect(T.verdict(&liveness, at: 115, idleSeconds: 15) == .fine(untilNanoseconds: 120 * T.second))
        #expect(T.verdict(&liveness, at: 124, idleSeconds: 15, answersPings: false) == .fine(untilNanoseconds: 125 * T.second))
        #expect(T.verdict(&liveness, at: 125, idleSeconds: 15, answersPings: false) == .idle)
        // A subscriber asks for nothing and is not idle.
        #expect(T.verdict(&liveness, at: 125, idleSeconds: 15, isIdle: false) == .ping(againNanoseconds: 135 * T.second))
    }
}
