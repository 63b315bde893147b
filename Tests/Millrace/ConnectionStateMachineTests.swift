import Testing
import Wire

@testable import Millrace

private typealias Machine = ConnectionStateMachine

private func request(_ kind: FrameKind, channel: UInt32 = 1, _ expectation: Machine.Expectation = .results) -> Machine.Request {
    Machine.Request(kind: kind, channel: channel, body: [], expectation: expectation, isChange: kind == .compute)
}

/// A connection that has shaken hands.
private func readyMachine(credits: UInt32 = 2) -> Machine {
    var machine = Machine()
    _ = machine.connected(Hello())
    let welcome = ControlMessage.welcome(Welcome(credits: credits)).encode()
    _ = machine.received(FrameHeader(kind: .welcome), body: welcome)
    return machine
}

private func sent(_ actions: [Machine.Action]) -> [UInt64] {
    actions.compactMap { if case .send(let header, _) = $0 { header.requestID } else { nil } }
}

private func frame(_ kind: FrameKind, _ id: UInt64, channel: UInt32 = 1, flags: FrameFlags = []) -> FrameHeader {
    FrameHeader(kind: kind, flags: flags, channel: channel, requestID: id)
}

@Test func `nothing is sent before the welcome, and then in order`() {
    var machine = Machine()
    #expect(sent([machine.connected(Hello(clientName: "x"))]) == [0])
    #expect(machine.submit(request(.compute)).1 == [])
    #expect(machine.submit(request(.get)).1 == [])
    let welcome = Welcome(credits: 8)
    let actions = machine.received(FrameHeader(kind: .welcome), body: ControlMessage.welcome(welcome).encode())
    #expect(actions.first == .ready(welcome))
    #expect(sent(actions) == [1, 2])
}

@Test func `no more requests are under way than there are credits`() {
    var machine = readyMachine(credits: 2)
    #expect((0..<4).map { _ in sent(machine.submit(request(.compute)).1) } == [[1], [2], [], []])
    let actions = machine.received(frame(.result, 1, flags: .last), body: [])
    #expect(sent(actions) == [3])
    let more = machine.received(FrameHeader(kind: .credit), body: ControlMessage.credit(Credit(credits: 3)).encode())
    #expect(sent(more) == [4])
}

@Test func `an answer of several frames is finished by the marked one`() {
    var machine = readyMachine()
    _ = machine.submit(request(.compute))
    #expect(machine.received(frame(.result, 1, channel: 8), body: [1]) == [])
    let actions = machine.received(frame(.result, 1, channel: 9, flags: .last), body: [2])
    guard case .finished(1, let frames) = actions[0] else { return #expect(Bool(false)) }
    #expect(frames.map(\.body) == [[1], [2]])
}

@Test func `opening ends with the schema of the stream's own channel`() {
    var machine = readyMachine()
    _ = machine.submit(request(.open, channel: 5, .opening))
    #expect(machine.received(frame(.opened, 1, channel: 5), body: []) == [])
    #expect(machine.received(frame(.schema, 1, channel: 0x8000_0000), body: []) == [])
    guard case .finished = machine.received(frame(.schema, 1, channel: 5), body: [])[0] else { return #expect(Bool(false)) }
}

@Test func `an error answers its request, and without one ends the connection`() {
    var machine = readyMachine()
    _ = machine.submit(request(.compute))
    let message = ErrorMessage(code: "bad_batch", message: "column x", retry: false)
    let body = ControlMessage.error(message).encode()
    #expect(machine.received(frame(.error, 1), body: body) == [.refused(1, MillraceError(message))])
    #expect(machine.received(frame(.error, 0), body: body) == [.end(MillraceError(message))])
    #expect(machine.submit(request(.compute)).1 == [.failed(2, MillraceError(message))])
}

@Test func `a refused schema is the answer to every batch on its channel`() {
    var machine = readyMachine()
    #expect(sent(machine.sendSchema(channel: 7, body: [])) == [1])
    _ = machine.submit(request(.compute, channel: 7))
    let refusal = ErrorMessage(code: "bad_schema", message: "column x: expected bigint")
    let consequence = ErrorMessage(code: "bad_request", message: "channel 7 has no schema")
    #expect(machine.received(frame(.error, 1, channel: 7), body: ControlMessage.error(refusal).encode()) == [])
    let actions = machine.received(frame(.error, 2, channel: 7), body: ControlMessage.error(consequence).encode())
    #expect(actions == [.refused(2, MillraceError(refusal))])
}

@Test func `a lost connection leaves the outcome of sent changes unknown, and of nothing else`() {
    var machine = readyMachine(credits: 2)
    _ = machine.submit(request(.compute))
    _ = machine.submit(request(.evaluate))
    _ = machine.submit(request(.compute))
    let lost = MillraceError(code: .connectionLost, message: "gone", isRetryable: true)
    var unknown = lost
    unknown.outcome = .unknown
    #expect(machine.disconnected(lost) == [.failed(3, lost), .failed(1, unknown), .failed(2, lost), .end(lost)])
    #expect(machine.disconnected(lost) == [])
}

@Test func `the answer to an abandoned request is dropped and gives its credit back`() {
    var machine = readyMachine(credits: 1)
    _ = machine.submit(request(.compute))
    _ = machine.submit(request(.compute))
    _ = machine.submit(request(.compute))
    #expect(machine.abandon(1) == [.failed(1, .cancelled(outcome: .unknown))])
    #expect(machine.abandon(1) == [])
    #expect(machine.abandon(2) == [.failed(2, .cancelled(outcome: .notApplied))])
    #expect(sent(machine.received(frame(.result, 1, flags: .last), body: [])) == [3])
}

@Test(arguments: [FrameKind.result, .accepted, .welcome, .opened])
func `a frame that nobody awaits ends the connection`(kind: FrameKind) {
    var machine = readyMachine()
    let actions = machine.received(frame(kind, 77), body: [])
    guard case .end(let error, _) = actions.last else { return #expect(Bool(false)) }
    #expect(error.code == .protocolViolation)
}

@Test func `backoff doubles up to its bound`() {
    var backoff = Backoff()
    #expect(
        (0..<9).map { _ in backoff.next(chance: 0) } == [20, 40, 80, 160, 320, 640, 1280, 2000, 2000].map { .milliseconds($0) })
    #expect(backoff.next(chance: 1) == .seconds(1))
}

@Test func `what a server did not answer before its goodbye had no effect`() {
    var machine = readyMachine(credits: 2)
    for _ in 0..<3 { _ = machine.submit(request(.compute)) }
    let goodbye = ControlMessage.goodbye(Goodbye(reason: "the server is shutting down")).encode()
    let actions = machine.received(FrameHeader(kind: .goodbye), body: goodbye)
    let outcomes = actions.compactMap {
        if case .failed(_, let error) = $0 { error.isRetryable ? error.outcome : nil } else { nil }
    }
    #expect(outcomes == [.notApplied, .notApplied, .notApplied])
}

@Test func `a goodbye behind an error leaves open what was under way`() {
    var machine = readyMachine(credits: 2)
    for _ in 0..<3 { _ = machine.submit(request(.compute)) }
    let error = ControlMessage.error(ErrorMessage(code: "overloaded", message: "too slow", retry: true)).encode()
    let actions = machine.received(FrameHeader(kind: .error), body: error)
    let outcomes = actions.compactMap { if case .failed(let id, let error) = $0 { (id, error.outcome) } else { nil } }
    #expect(outcomes.map(\.0) == [3, 1, 2] && outcomes.map(\.1) == [.notApplied, .unknown, .unknown])
    #expect(machine.received(FrameHeader(kind: .goodbye), body: ControlMessage.goodbye(Goodbye()).encode()) == [])
}

@Test func `a silent server is asked, and given up when it stays silent`() {
    var machine = readyMachine()
    let interval = Duration.seconds(20)
    #expect(machine.pulse(silence: .seconds(19), interval: interval, isListening: true) == [])
    #expect(
        machine.pulse(silence: .seconds(20), interval: interval, isListening: true) == [.send(FrameHeader(kind: .ping), body: [])]
    )
    #expect(machine.received(FrameHeader(kind: .pong), body: []) == [])
    let actions = machine.pulse(silence: .seconds(40), interval: interval, isListening: true)
    guard case .end(let error, _) = actions.last else { return #expect(Bool(false)) }
    #expect(error.code == .connectionLost && error.isRetryable)
}

@Test func `a server that is not listened to is not judged by its silence, and told that the client lives`() {
    var machine = readyMachine()
    for seconds in [1, 30, 3_000] {
        let actions = machine.pulse(silence: .seconds(seconds), interval: .seconds(20), isListening: false)
        #expect(actions == [.send(FrameHeader(kind: .ping), body: [])])
    }
}
