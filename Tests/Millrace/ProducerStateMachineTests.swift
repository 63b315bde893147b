import Testing
import Wire

@testable import Millrace

private typealias Machine = ProducerStateMachine

private let stream = StreamKey(purpose: .stream(table: "payments", views: []), fields: nil)

private func batch(_ number: UInt8) -> Machine.Batch { Machine.Batch(kind: .ingest, stream: stream, body: [number]) }

/// What the actions say, in words.
private func words(_ actions: [Machine.Action]) -> [String] {
    actions.map { action in
        switch action {
        case .connect: "connect"
        case .open(_, let link): "open \(link)"
        case .send(let sending): "send \(sending.batch.body[0]) as \(sending.number), has \(sending.receivedUpTo)"
        case .withdraw: "withdraw"
        case .wait: "wait"
        case .disconnect(let link): "disconnect \(link)"
        case .finished(let ticket, _, _): "finished \(ticket)"
        case .failed(let ticket, let error): "failed \(ticket) \(error.code.rawValue) \(error.outcome)"
        }
    }
}

private let lost = MillraceError(code: .connectionLost, message: "gone", isRetryable: true)
private let bad = MillraceError(code: .badBatch, message: "column x")
private let full = MillraceError(code: .producerFull, message: "no room", isRetryable: true)

extension ProducerStateMachine {
    /// Connected, with the stream open, and `count` batches sent by attempts 1, 2 …
    fileprivate static func sending(_ count: Int, producer: UInt64 = 7) -> ProducerStateMachine {
        var machine = ProducerStateMachine(producerID: producer, timeLimit: .seconds(30))
        let link = machine.beginLink().link
        _ = machine.connected(link: link, receivedUpTo: 0)
        for number in 0..<count { _ = machine.submit(batch(UInt8(number + 1))) }
        _ = machine.opened(stream, channel: 1, link: link)
        return machine
    }

    fileprivate mutating func reconnect(receivedUpTo received: UInt64) -> [Action] {
        let link = beginLink().link
        return connected(link: link, receivedUpTo: received) + opened(stream, channel: 1, link: link)
    }

    fileprivate mutating func lose(goodbye: Bool = false) -> [Action] {
        ended(link: links.last, lost, tookWhatItDidNotAnswer: !goodbye)
    }

    fileprivate mutating func refused(_ attempt: UInt64, _ error: MillraceError, seconds: Int = 0) -> [Action] {
        refused(attempt: attempt, error, now: .seconds(seconds), chance: 0)
    }
}

@Suite struct `A producer's state machine` {
    @Test func `connects, opens, and numbers batches in their order`() {
        var machine = Machine(producerID: 7, timeLimit: .seconds(30))
        #expect(words(machine.submit(batch(1)).1) == ["connect"])
        #expect(words(machine.submit(batch(2)).1) == [])
        let (link, hello) = machine.beginLink()
        #expect(hello == .init(producerID: 7, sentUpTo: 0, receivedUpTo: 0))
        #expect(words(machine.connected(link: link, receivedUpTo: 0)) == ["open 1"])
        #expect(words(machine.opened(stream, channel: 3, link: link)) == ["send 1 as 1, has 0", "send 2 as 2, has 0"])
        #expect(words(machine.answered(attempt: 1, [])) == ["finished 1"])
        #expect(words(machine.submit(batch(3)).1) == ["send 3 as 3, has 1"])
    }

    @Test func `begins where the server says that its producer has come to`() {
        var machine = Machine(producerID: 7, timeLimit: .seconds(30))
        let link = machine.beginLink().link
        _ = machine.connected(link: link, receivedUpTo: 41)
        _ = machine.submit(batch(1))
        #expect(words(machine.opened(stream, channel: 1, link: link)) == ["send 1 as 42, has 41"])
    }

    @Test func `sends what has no answer again, with its numbers, and tells the server what it had sent`() {
        var machine = Machine.sending(3)
        _ = machine.answered(attempt: 1, [])
        #expect(words(machine.lose()) == ["connect"])
        let (link, hello) = machine.beginLink()
        #expect(hello == .init(producerID: 7, sentUpTo: 3, receivedUpTo: 1))
        _ = machine.connected(link: link, receivedUpTo: 2)
        #expect(words(machine.opened(stream, channel: 1, link: link)) == ["send 2 as 2, has 1", "send 3 as 3, has 1"])
        // Answers to what was sent before are nothing.
        #expect(machine.answered(attempt: 2, []) == [])
        #expect(words(machine.answered(attempt: 4, [])) == ["finished 2"])
    }

    @Test func `takes out a batch that is refused, and sends those behind it again under its number`() {
        var machine = Machine.sending(3)
        #expect(
            words(machine.refused(1, bad)) == [
                "withdraw", "withdraw", "failed 1 bad_batch notApplied", "send 2 as 1, has 0", "send 3 as 2, has 0",
            ])
        // What they were refused for meanwhile is known.
        let gap = MillraceError(code: .batchGap, message: "expected 1")
        #expect(machine.refused(2, gap) == [] && machine.refused(3, gap) == [])
        #expect(words(machine.answered(attempt: 4, [])) == ["finished 2"])
    }

    @Test func `waits and tries again where the server has no room, for so long`() {
        var machine = Machine.sending(2)
        #expect(words(machine.refused(1, full, seconds: 5)) == ["withdraw", "wait"])
        #expect(words(machine.submit(batch(3)).1) == [])
        #expect(words(machine.waited()) == ["send 1 as 1, has 0", "send 2 as 2, has 0", "send 3 as 3, has 0"])
        #expect(words(machine.refused(3, full, seconds: 34)) == ["withdraw", "withdraw", "wait"])
        #expect(words(machine.waited()).count == 3)
        #expect(
            words(machine.refused(6, full, seconds: 35)) == [
                "withdraw", "withdraw", "failed 1 producer_full notApplied", "send 2 as 1, has 0", "send 3 as 2, has 0",
            ])
    }

    @Test func `counts a batch whose answer is an error`() {
        var machine = Machine.sending(2)
        let tooLarge = MillraceError(code: .tooLarge, message: "the answer of view x", outcome: .applied)
        #expect(words(machine.refused(1, tooLarge)) == ["failed 1 too_large applied"])
        #expect(words(machine.submit(batch(3)).1) == ["send 3 as 3, has 1"])
    }

    @Test func `tells what may have been applied when no server comes back, and keeps its number`() {
        var machine = Machine.sending(2)
        #expect(words(machine.lose()) == ["connect"])
        _ = machine.submit(batch(3))
        #expect(
            words(machine.unreachable(lost)) == [
                "failed 1 connection_lost unknown", "failed 2 connection_lost unknown", "failed 3 connection_lost notApplied",
            ])
        #expect(words(machine.submit(batch(4)).1) == ["connect"])
        // The first had been applied, the second had not.
        #expect(words(machine.reconnect(receivedUpTo: 1)) == ["open 2", "send 4 as 2, has 1"])
    }

    @Test func `says what cannot be known when the server does not know it, and begins anew with the rest`() {
        var machine = Machine.sending(2)
        _ = machine.answered(attempt: 1, [])
        _ = machine.lose()
        _ = machine.submit(batch(3))
        _ = machine.beginLink()
        let unknown = MillraceError(code: .producerUnknown, message: "who?")
        #expect(words(machine.forgotten(unknown)) == ["failed 2 producer_unknown unknown"])
        #expect(machine.beginLink().1 == .init(producerID: 7, sentUpTo: 0, receivedUpTo: 0))
        #expect(words(machine.reconnect(receivedUpTo: 0)) == ["open 4", "send 3 as 1, has 0"])
    }

    @Test func `sends anew what a server did not take before its goodbye`() {
        var machine = Machine.sending(2)
        _ = machine.answered(attempt: 1, [])
        _ = machine.lose(goodbye: true)
        #expect(machine.beginLink().1.sentUpTo == 1)
        #expect(machine.forgotten(lost) == [])
        #expect(words(machine.reconnect(receivedUpTo: 0)) == ["open 3", "send 2 as 1, has 0"])
    }

    @Test func `goes on from what a server has that lost its newest batches`() {
        var machine = Machine.sending(4)
        for attempt: UInt64 in 1...3 { _ = machine.answered(attempt: attempt, []) }
        _ = machine.lose()
        #expect(words(machine.reconnect(receivedUpTo: 1)) == ["open 2", "send 4 as 2, has 1"])
    }

    @Test func `is over when another has its producer`() {
        var machine = Machine.sending(2)
        let fenced = MillraceError(code: .producerFenced, message: "another")
        #expect(
            words(machine.ended(link: 1, fenced, tookWhatItDidNotAnswer: true)) == [
                "failed 1 producer_fenced unknown", "failed 2 producer_fenced unknown",
            ])
        #expect(words(machine.submit(batch(3)).1) == ["failed 3 producer_fenced notApplied"])

        machine = Machine.sending(2)
        _ = machine.lose()
        let link = machine.beginLink().link
        #expect(
            words(machine.connected(link: link, receivedUpTo: 9)) == [
                "failed 1 producer_fenced unknown", "failed 2 producer_fenced unknown", "disconnect 2",
            ])
    }

    @Test func `outlives a hello of its own that the server comes upon late`() {
        var machine = Machine.sending(1)
        _ = machine.lose()
        // Lost before it was welcomed.
        _ = machine.beginLink()
        #expect(words(machine.reconnect(receivedUpTo: 0)) == ["open 3", "send 1 as 1, has 0"])
        let fenced = MillraceError(code: .producerFenced, message: "another")
        #expect(words(machine.ended(link: 3, fenced, tookWhatItDidNotAnswer: true)) == ["connect"])
        #expect(words(machine.reconnect(receivedUpTo: 0)) == ["open 4", "send 1 as 1, has 0"])
        #expect(words(machine.ended(link: 4, fenced, tookWhatItDidNotAnswer: true)).first == "failed 1 producer_fenced unknown")
    }

    @Test func `keeps the place of what nobody waits for any more`() {
        var machine = Machine.sending(3)
        #expect(words(machine.abandon(2)) == ["failed 2 cancelled unknown"])
        #expect(machine.abandon(2) == [])
        _ = machine.lose()
        // It was not applied: it need not be.
        #expect(words(machine.reconnect(receivedUpTo: 1)) == ["open 2", "send 1 as 1, has 0", "send 3 as 2, has 0"])
        machine = Machine.sending(1)
        _ = machine.lose()
        _ = machine.submit(batch(2))
        #expect(words(machine.abandon(2)) == ["failed 2 cancelled notApplied"])
    }

    @Test func `fails what was under way where nothing is numbered, and sends the rest`() {
        var machine = Machine.sending(2, producer: 0)
        #expect(words(machine.lose()) == ["failed 1 connection_lost unknown", "failed 2 connection_lost unknown"])
        _ = machine.submit(batch(3))
        #expect(machine.beginLink().1 == .init(producerID: 0, sentUpTo: 0, receivedUpTo: 0))
        #expect(words(machine.reconnect(receivedUpTo: 0)) == ["open 3", "send 3 as 0, has 0"])
        // After a goodbye nothing of it was applied.
        #expect(words(machine.lose(goodbye: true)) == ["connect"])
        #expect(words(machine.reconnect(receivedUpTo: 0)).last == "send 3 as 0, has 0")
    }

    @Test func `gives up a batch over which one connection after the other is lost`() {
        var machine = Machine.sending(2)
        var told: [String] = []
        for _ in 0..<Machine.lossesMax {
            told += words(machine.lose()).filter { $0.hasPrefix("failed") }
            _ = machine.reconnect(receivedUpTo: 0)
        }
        #expect(told == ["failed 1 connection_lost unknown"])
    }

    @Test func `fails batches of a stream that cannot be opened, and sends the others`() {
        var machine = Machine(producerID: 7, timeLimit: .seconds(30))
        let other = StreamKey(purpose: .stream(table: "shops", views: []), fields: nil)
        _ = machine.beginLink()
        _ = machine.connected(link: 1, receivedUpTo: 0)
        for number: UInt8 in 1...3 {
            var batch = batch(number)
            if number != 2 { batch.stream = other }
            _ = machine.submit(batch)
        }
        let unknown = MillraceError(code: .unknownTable, message: "no shops")
        #expect(
            words(machine.notOpened(other, unknown, link: 1)) == [
                "failed 1 unknown_table notApplied", "failed 3 unknown_table notApplied", "open 1",
            ])
        #expect(words(machine.opened(stream, channel: 1, link: 1)) == ["send 2 as 1, has 0"])
    }

    // MARK: Random lives

    @Test func `loses and doubles nothing, whatever happens to connections and servers`() async {
        for seed: UInt64 in 0..<600 {
            var world = World(seed: seed)
            world.run(steps: 400)
            #expect(world.problems == [], "seed \(seed)")
            // Other tests have deadlines.
            await Task.yield()
        }
    }
}

/// A machine, a server that follows the protocol, and a network between them that breaks.
private struct World {
    private enum Message { case open(StreamKey), batch(Machine.Sending) }
    private enum Reply { case opened(StreamKey), applied(UInt64), refused(UInt64, MillraceError) }

    private var random: Random
    private var machine = Machine(producerID: 7, timeLimit: .seconds(1_000))
    private(set) var problems: [String] = []

    // The network. `link` is 0 where there is none.
    private var link: UInt64 = 0
    private var toServer: [Message] = []
    private var toClient: [Reply] = []
    private var isConnecting = false
    private var timers = 0

    // The server: bodies in the order in which they were applied.
    private var applied: [UInt8] = []
    private var receivedUpTo = 0
    private var isKnown = false
    private var isFull = false

    // What was asked for, and came of it.
    private var bodies: [Machine.Ticket: UInt8] = [:]
    private var outcomes: [Machine.Ticket: String] = [:]

    struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    init(seed: UInt64) { random = Random(state: seed) }

    private mutating func chance(_ part: Int) -> Bool { Int.random(in: 0..<part, using: &random) == 0 }

    mutating func run(steps: Int) {
        for _ in 0..<steps { step() }
        isFull = false
        var left = 50_000
        while outcomes.count < bodies.count && left > 0 {
            calm()
            left -= 1
        }
        if outcomes.count < bodies.count { problems.append("\(bodies.count - outcomes.count) batches have no outcome") }
        check()
    }

    private mutating func step() {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<5 where bodies.count < 200:
            let body = UInt8(bodies.count)
            let (ticket, actions) = machine.submit(batch(body))
            bodies[ticket] = body
            take(actions)
        case 5..<14: calm()
        case 14: if chance(3) { cut(goodbye: false) }
        case 15: if chance(6) { cut(goodbye: true) }
        case 16: if chance(4), let ticket = bodies.keys.sorted().randomElement(using: &random) { take(machine.abandon(ticket)) }
        case 17: isFull = chance(4)
        case 18: if chance(10) { loseTail() }
        case 19: if chance(30) { forget() }
        default: break
        }
    }

    /// Something that brings things forward.
    private mutating func calm() {
        switch Int.random(in: 0..<4, using: &random) {
        case 0 where isConnecting: connect()
        case 0, 1: serve()
        case 2: deliver()
        default:
            if timers > 0 {
                timers -= 1
                take(machine.waited())
            }
        }
    }

    private mutating func take(_ actions: [Machine.Action]) {
        for action in actions {
            switch action {
            case .connect: isConnecting = true
            case .open(let stream, _): toServer.append(.open(stream))
            case .send(let sending): toServer.append(.batch(sending))
            case .withdraw(let attempt):
                if chance(2) {
                    toServer.removeAll { if case .batch(let sending) = $0 { sending.attempt == attempt } else { false } }
                }
            case .wait: timers += 1
            case .disconnect: cut(goodbye: false)
            case .finished(let ticket, _, _): tell(ticket, "finished")
            case .failed(let ticket, let error):
                if error.code == .producerFenced { problems.append("there is no other client: \(error)") }
                tell(ticket, "\(error.outcome)")
            }
        }
    }

    private mutating func tell(_ ticket: Machine.Ticket, _ outcome: String) {
        if let known = outcomes[ticket] { problems.append("batch \(ticket) ended twice: \(known), \(outcome)") }
        outcomes[ticket] = outcome
    }

    private mutating func connect() {
        isConnecting = false
        if chance(20) { return take(machine.unreachable(lost)) }
        let (number, hello) = machine.beginLink()
        if !isKnown && hello.sentUpTo > 0 {
            take(machine.forgotten(MillraceError(code: .producerUnknown, message: "who?")))
            return isConnecting = true
        }
        isKnown = true
        receivedUpTo = max(receivedUpTo, min(Int(hello.receivedUpTo), applied.count))
        // The welcome is lost.
        if chance(5) { return isConnecting = true }
        (toServer, toClient, link) = ([], [], number)
        take(machine.connected(link: number, receivedUpTo: UInt64(applied.count)))
    }

    private mutating func serve() {
        guard link != 0, !toServer.isEmpty else { return }
        switch toServer.removeFirst() {
        case .open(let stream): toClient.append(.opened(stream))
        case .batch(let sending):
            receivedUpTo = max(receivedUpTo, min(Int(sending.receivedUpTo), applied.count))
            let number = Int(sending.number)
            if number > applied.count + 1 {
                toClient.append(.refused(sending.attempt, MillraceError(code: .batchGap, message: "gap")))
            } else if number <= receivedUpTo {
                problems.append("batch \(number) was sent again after it was confirmed")
            } else if number <= applied.count {
                if applied[number - 1] != sending.batch.body[0] { problems.append("number \(number) is of two batches") }
                toClient.append(.applied(sending.attempt))
            } else if isFull {
                toClient.append(.refused(sending.attempt, full))
            } else if sending.batch.body[0] % 13 == 5 {
                toClient.append(.refused(sending.attempt, bad))
            } else {
                applied.append(sending.batch.body[0])
                toClient.append(.applied(sending.attempt))
            }
        }
    }

    private mutating func deliver() {
        guard link != 0, !toClient.isEmpty else { return }
        switch toClient.removeFirst() {
        case .opened(let stream): take(machine.opened(stream, channel: 1, link: link))
        case .applied(let attempt): take(machine.answered(attempt: attempt, []))
        case .refused(let attempt, let error): take(machine.refused(attempt: attempt, error, now: .zero, chance: 0.5))
        }
    }

    /// The server works on some of what has come, and the client hears of some of that; after a goodbye of all of it.
    private mutating func cut(goodbye: Bool) {
        guard link != 0 else { return }
        while chance(2), !toServer.isEmpty { serve() }
        while goodbye ? !toClient.isEmpty : chance(2) && !toClient.isEmpty { deliver() }
        guard link != 0 else { return }
        let number = link
        (toServer, toClient, link) = ([], [], 0)
        take(machine.ended(link: number, lost, tookWhatItDidNotAnswer: !goodbye))
    }

    /// The server starts again without its newest batches, as one may that does not wait for its log.
    private mutating func loseTail() {
        cut(goodbye: false)
        let count = Int.random(in: 0...min(3, applied.count), using: &random)
        applied.removeLast(count)
        hasLost = hasLost || count > 0
        receivedUpTo = min(receivedUpTo, applied.count)
        isKnown = isKnown && !applied.isEmpty
    }

    /// The server starts again without its data.
    private mutating func forget() {
        cut(goodbye: false)
        lives.append(applied)
        (applied, receivedUpTo, isKnown) = ([], 0, false)
    }

    private var lives: [[UInt8]] = []

    private mutating func check() {
        for life in lives + [applied] where life != life.sorted() || Set(life).count != life.count {
            problems.append("applied out of order or twice: \(life)")
        }
        let all = (lives + [applied]).flatMap(\.self)
        for (ticket, outcome) in outcomes {
            let count = all.count { $0 == bodies[ticket] }
            if outcome == "notApplied" && count > 0 { problems.append("batch \(ticket) was applied, and told as not applied") }
            if count > 1 { problems.append("batch \(ticket) was applied \(count) times") }
        }
        // Without losses of the server's own, what was told as done is there.
        guard !hasLost else { return }
        for (ticket, outcome) in outcomes where outcome == "finished" || outcome == "applied" {
            if !all.contains(bodies[ticket]!) { problems.append("batch \(ticket) was told as applied, and is not") }
        }
    }

    private var hasLost = false
}
