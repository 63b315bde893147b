import Testing
import Values
import Wire

@testable import Engine
@testable import Runtime

/// The protocol's state machine, without a socket.
@Suite struct `A session` {
    let catalog: Catalog
    init() throws { catalog = try Fixture.catalog() }

    /// A state machine with a short way to talk to it.
    struct Harness {
        var state: SessionState
        let catalog: Catalog

        init(_ catalog: Catalog, limits: SessionLimits = SessionLimits()) {
            self.catalog = catalog
            state = SessionState(limits: limits)
        }

        mutating func say(_ kind: FrameKind, channel: UInt32 = 0, request: UInt64 = 1, body: [UInt8] = []) -> SessionAction {
            body.withUnsafeBytes {
                state.frameArrived(
                    FrameHeader(kind: kind, bodyLength: body.count, channel: channel, requestID: request), body: $0,
                    catalog: catalog, sequence: 42)
            }
        }

        mutating func greet() { _ = say(.hello, body: ControlMessage.hello(Hello()).encode()) }

        mutating func open(_ open: Open = Open(table: "events"), channel: UInt32 = 1, columns: [Field]? = Fixture.eventColumns)
            -> SessionAction
        {
            let action = say(.open, channel: channel, body: ControlMessage.open(open).encode())
            if let columns { _ = say(.schema, channel: channel, body: ArrowSchema(fields: columns).encode()) }
            return action
        }
    }

    private func greeted(limits: SessionLimits = SessionLimits()) -> Harness {
        var session = Harness(catalog, limits: limits)
        session.greet()
        return session
    }

    // MARK: Handshake

    @Test func `is welcomed with its credits and the server's limits`() throws {
        var session = Harness(catalog)
        let action = session.say(.hello, request: 7, body: ControlMessage.hello(Hello(creditsWanted: 5)).encode())
        let frame = try #require(action.frames.first)
        #expect(frame.kind == .welcome && frame.requestID == 7)
        guard case .welcome(let welcome)? = frame.message else { throw Unexpected(action: action) }
        #expect(welcome.version == 1 && welcome.credits == 5 && welcome.sequence == 42 && welcome.definitions == 1)
        #expect(session.state.phase == .open)
    }

    @Test(arguments: [(2, 9), (0, 0), (5, 3)] as [(UInt8, UInt8)])
    func `is refused when no version is common`(versions: (UInt8, UInt8)) {
        var session = Harness(catalog)
        let hello = Hello(versionMin: versions.0, versionMax: versions.1)
        let action = session.say(.hello, body: ControlMessage.hello(hello).encode())
        #expect(action.disconnects == "unsupported_version")
        #expect(session.state.phase == .awaitingHello)
    }

    @Test(arguments: FrameKind.allCases.filter { $0 != .hello })
    func `says hello before anything else`(kind: FrameKind) {
        var session = Harness(catalog)
        #expect(session.say(kind).disconnects == "bad_frame")
    }

    @Test func `says hello once`() {
        var session = greeted()
        #expect(session.say(.hello, body: ControlMessage.hello(Hello()).encode()).disconnects == "bad_frame")
    }

    @Test(arguments: [FrameKind.welcome, .opened, .result, .accepted, .subscribed, .push, .statusReply, .error, .applied, .gap])
    func `does not speak as a server`(kind: FrameKind) {
        var session = greeted()
        #expect(session.say(kind).disconnects == "bad_frame")
    }

    // MARK: Damaged control frames

    @Test(arguments: [
        (FrameKind.hello, ControlMessage.hello(Hello(clientName: "a client with a name"))),
        (.open, .open(Open(table: "events", views: ["per_key"]))),
        (.subscribe, .subscribe(Subscribe(view: "per_key"))),
    ])
    func `survives a control frame cut short at every byte`(kind: FrameKind, message: ControlMessage) {
        let whole = message.encode()
        for count in 0..<whole.count {
            var session = Harness(catalog)
            if kind != .hello { session.greet() }
            let action = session.say(kind, body: Array(whole[..<count]))
            // FlatBuffers may end in bytes that nobody refers to: what is not refused must be a whole answer.
            #expect(
                action.disconnects == "bad_frame" || !action.frames.isEmpty || action.isSubscribe, "\(count) of \(whole.count)")
        }
    }

    @Test func `survives every damaged byte of a schema`() throws {
        let whole = ArrowSchema(fields: Fixture.eventColumns).encode()
        for index in whole.indices {
            var session = greeted()
            _ = session.open(columns: nil)
            var damaged = whole
            damaged[index] ^= 0xFF
            let action = session.say(.schema, channel: 1, body: damaged)
            #expect(action.refusal == nil || ["bad_schema", "bad_batch", "too_large"].contains(action.refusal!))
        }
    }

    // MARK: Channels

    @Test func `opens a stream and is told its views and schemas`() throws {
        var session = greeted()
        let action = session.open(columns: nil)
        #expect(action.frames.map(\.kind) == [.opened, .schema, .schema, .schema])
        guard case .opened(let opened)? = action.frames[0].message else { throw Unexpected(action: action) }
        #expect(opened.table == "events" && opened.views.map(\.name) == ["per_key", "per_shop"])
        #expect(opened.views.allSatisfy { $0.channel >= 0x8000_0000 } && opened.views[0].channel != opened.views[1].channel)
        #expect(action.frames.map(\.channel) == [1, opened.views[0].channel, opened.views[1].channel, 1])
    }

    @Test(arguments: [
        (Open(table: "nothing"), "unknown_table"),
        (Open(table: "events", views: ["nothing"]), "unknown_view"),
        (Open(table: "events", views: ["per_page"]), "unknown_view"),
        (Open(mode: .get, views: []), "bad_request"),
        (Open(mode: .get, views: ["per_key", "per_shop"]), "bad_request"),
        (Open(mode: .get, views: ["nothing"], keyColumns: ["key"]), "unknown_view"),
        (Open(mode: .get, views: ["per_key"], keyColumns: []), "bad_request"),
        (Open(mode: .get, views: ["per_key"], keyColumns: ["nothing"]), "bad_request"),
        (Open(mode: .get, views: ["per_key"], keyColumns: ["key", "key"]), "bad_request"),
    ])
    func `is told why it cannot open`(open: Open, code: String) {
        var session = greeted()
        #expect(session.open(open, columns: nil).refusal == code)
        #expect(session.open(columns: nil).frames.first?.kind == .opened, "the connection goes on")
    }

    @Test func `uses a channel once at a time`() {
        var session = greeted()
        _ = session.open(columns: nil)
        #expect(session.open(columns: nil).refusal == "bad_request")
        #expect(session.say(.close, channel: 1).refusal == nil)
        #expect(session.say(.close, channel: 1).refusal == "bad_request")
        #expect(session.open(columns: nil).frames.first?.kind == .opened)
        #expect(session.open(channel: 0x8000_0000, columns: nil).refusal == "bad_request")
    }

    @Test func `opens so many channels and no more`() {
        var limits = SessionLimits()
        // Each of the three has two views.
        limits.channelsMax = 7
        var session = greeted(limits: limits)
        for channel in 1...3 as ClosedRange<UInt32> {
            #expect(session.open(channel: channel, columns: nil).frames.first?.kind == .opened)
        }
        #expect(session.open(channel: 4, columns: nil).refusal == "bad_request")
        #expect(
            session.say(.subscribe, body: ControlMessage.subscribe(Subscribe(view: "per_key")).encode()).refusal == "bad_request")
    }

    @Test func `cannot have a view answered twice, nor more channels than there are numbers`() throws {
        var session = greeted()
        let twice = Open(table: "events", views: Array(repeating: "per_key", count: 10_000))
        #expect(session.open(twice, columns: nil).refusal == "bad_request")
        session.state = SessionState(limits: SessionLimits(), nextResultChannel: .max - 3)
        session.greet()
        #expect(session.open(columns: nil).frames.count == 4)
        #expect(session.open(channel: 2, columns: nil).refusal == "bad_request")
        let subscribe = ControlMessage.subscribe(Subscribe(view: "per_key")).encode()
        let action = session.say(.subscribe, body: subscribe)
        guard case .subscribe(let request) = action else { throw Unexpected(action: action) }
        _ = session.state.subscribed(channel: request.channel, view: request.view)
        #expect(session.say(.subscribe, body: subscribe).refusal == "bad_request")
    }

    @Test func `quotes what it was told only as far as an error may be long`() throws {
        var session = greeted()
        let name = String(repeating: "n", count: 1_000_000)
        #expect(session.open(Open(table: name), columns: nil).refusal == "unknown_table")
        _ = session.open(columns: nil)
        let field = Field(name: name, type: .text, isNullable: false)
        let columns = ArrowSchema(fields: [field, field] + Fixture.eventColumns)
        let frames = session.say(.schema, channel: 1, body: columns.encode()).frames
        #expect(frames.allSatisfy { $0.body.count < 10_000 })
    }

    // MARK: Batches

    @Test(arguments: [(FrameKind.compute, BatchMode.compute), (.ingest, .ingest), (.evaluate, .evaluate)])
    func `gives batches to the sequence once there is a schema`(kind: FrameKind, mode: BatchMode) {
        var session = greeted()
        #expect(session.say(kind, channel: 1).refusal == "bad_request")
        _ = session.open(columns: nil)
        #expect(session.say(kind, channel: 1).refusal == "bad_schema")
        _ = session.say(.schema, channel: 1, body: ArrowSchema(fields: Fixture.eventColumns).encode())
        #expect(session.say(kind, channel: 1).submitted == mode)
        #expect(session.say(.get, channel: 1).refusal == "bad_request")
    }

    @Test func `looks up on a channel opened for it`() {
        var session = greeted()
        let open = Open(mode: .get, views: ["per_key"], keyColumns: ["key"])
        _ = session.open(open, columns: [Fixture.eventColumns[1]])
        #expect(session.say(.get, channel: 1).submitted == .lookUp)
        #expect(session.say(.compute, channel: 1).refusal == "bad_request")
    }

    @Test func `says which column of a schema does not fit`() throws {
        var session = greeted()
        _ = session.open(columns: nil)
        let columns = [Field(name: "ts", type: .bigint), Field(name: "key", type: .text), Field(name: "shop", type: .bigint)]
        let action = session.say(.schema, channel: 1, body: ArrowSchema(fields: columns).encode())
        #expect(action.refusal == "bad_schema")
        #expect(action.errorMessage?.message.contains("\"key\"") == true)
        #expect(session.say(.compute, channel: 1).refusal == "bad_schema", "there is still no schema")
    }

    // MARK: Order of answers

    @Test func `holds what could be answered at once until the batches before it are`() {
        var session = greeted()
        _ = session.open()
        for request in [1, 2] as [UInt64] {
            #expect(session.say(.compute, channel: 1, request: request).submitted == .compute)
            session.state.batchSubmitted()
        }
        #expect(session.say(.ping, request: 3).isNone)
        #expect(session.say(.compute, channel: 9, request: 4).isNone)
        #expect(session.say(.compute, channel: 1, request: 5).submitted == .compute)
        session.state.batchSubmitted()
        #expect(session.say(.ping, request: 6).isNone)
        #expect(session.state.requestsInFlight == 6)
        #expect(session.state.batchAnswered().isEmpty)
        let held = session.state.batchAnswered()
        #expect(held.map { $0.frames.first?.requestID } == [3, 4])
        #expect(session.state.batchAnswered().map { $0.frames.first?.kind } == [.pong])
        #expect(session.state.isIdle)
        #expect(session.say(.ping, request: 7).frames.first?.kind == .pong)
    }

    @Test func `takes nothing more until a status is told`() {
        var session = greeted()
        _ = session.open()
        _ = session.say(.compute, channel: 1)
        session.state.batchSubmitted()
        #expect(session.say(.status, request: 2).isNone && !session.state.canTakeRequest)
        #expect(session.state.drain().isNone)
        let due = session.state.batchAnswered()
        guard due.count == 1, case .tellStatus(2) = due[0] else { return #expect(Bool(false), "\(due)") }
        #expect(!session.state.canTakeRequest)
        #expect(session.state.replyTold().map(\.isFinish) == [true])
        #expect(session.state.canTakeRequest && session.state.isIdle)
    }

    @Test func `takes no more requests than it gave credits for`() {
        var limits = SessionLimits()
        limits.requestsInFlightMax = 2
        var session = greeted(limits: limits)
        _ = session.open()
        #expect(session.state.canTakeRequest)
        for _ in 0..<2 { session.state.batchSubmitted() }
        #expect(!session.state.canTakeRequest)
        _ = session.state.batchAnswered()
        #expect(session.state.canTakeRequest)
    }

    // MARK: Bounds

    @Test func `is not read while answers of many bytes are held`() {
        var limits = SessionLimits()
        limits.heldBytesMax = 2_000
        var session = greeted(limits: limits)
        _ = session.open()
        session.state.batchSubmitted()
        var held = 0
        while session.state.canTakeRequest && held < 200 {
            held += 1
            #expect(session.say(.compute, channel: 9, request: UInt64(held)).isNone)
        }
        #expect(held > 1 && held < 100, "\(held) errors were held")
        #expect(session.state.batchAnswered().count == held)
        #expect(session.state.canTakeRequest)
    }

    @Test func `keeps no more of schemas than it may, and takes them again when others are closed`() {
        let schema = ArrowSchema(fields: Fixture.eventColumns).encode()
        var limits = SessionLimits()
        limits.keptBytesMax = 3 * schema.count
        var session = greeted(limits: limits)
        for channel in 1...4 as ClosedRange<UInt32> {
            _ = session.open(channel: channel, columns: nil)
            let refusal = session.say(.schema, channel: channel, body: schema).refusal
            #expect(refusal == (channel <= 3 ? nil : "too_large"))
        }
        #expect(session.state.keptBytes == 3 * schema.count)
        #expect(session.say(.compute, channel: 4).refusal == "bad_schema")
        // Sent again it replaces itself.
        #expect(session.say(.schema, channel: 1, body: schema).isNone)
        _ = session.say(.close, channel: 2)
        #expect(session.state.keptBytes == 2 * schema.count)
        #expect(session.say(.schema, channel: 4, body: schema).isNone)
        #expect(session.say(.compute, channel: 4).submitted == .compute)
    }

    @Test func `is told its credits when they change, never more than it wanted`() {
        var session = Harness(catalog)
        #expect(session.state.grant(8) == nil, "before hello there is nobody to tell")
        _ = session.say(.hello, body: ControlMessage.hello(Hello(creditsWanted: 20)).encode())
        func told(_ credits: Int) -> UInt32? {
            if case .credit(let credit)? = session.state.grant(credits)?.message { credit.credits } else { nil }
        }
        #expect([256, 8, 8, 256, 256, 1].map(told) == [nil, 8, nil, 20, nil, 1])
        session.state.batchSubmitted()
        #expect(!session.state.canTakeRequest)
        #expect(told(2) == 2 && session.state.canTakeRequest)
    }

    // MARK: Ending

    @Test func `says goodbye when everything before it is answered, and takes nothing after it`() {
        var session = greeted()
        _ = session.open()
        session.state.batchSubmitted()
        #expect(session.say(.goodbye, body: ControlMessage.goodbye(Goodbye()).encode()).isNone)
        #expect(session.say(.compute, channel: 1).isNone)
        #expect(session.state.batchAnswered().contains { $0.isFinish })
    }

    @Test func `is told goodbye by a server that drains`() {
        var waiting = Harness(catalog)
        #expect(waiting.state.drain().disconnects == "")
        var idle = greeted()
        #expect(idle.state.drain().isFinish)
        #expect(idle.say(.ping).isNone)
        var busy = greeted()
        busy.state.batchSubmitted()
        #expect(busy.state.drain().isNone)
        #expect(busy.state.batchAnswered().contains { $0.isFinish })
    }

    // MARK: Subscriptions

    @Test func `subscribes and unsubscribes`() throws {
        var session = greeted()
        let action = session.say(.subscribe, request: 9, body: ControlMessage.subscribe(Subscribe(view: "per_page")).encode())
        guard case .subscribe(let request) = action else { throw Unexpected(action: action) }
        #expect(catalog.views[request.view].name == "per_page" && request.requestID == 9)
        let channel = request.channel
        // Nothing overtakes the answer, which is another's to find.
        #expect(!session.state.canTakeRequest)
        #expect(session.say(.ping).isNone)
        let due = session.state.subscribed(channel: channel, view: request.view)
        #expect(due.flatMap(\.frames).map(\.kind) == [.pong] && session.state.canTakeRequest)
        #expect(session.say(.unsubscribe, channel: channel + 1).refusal == "bad_request")
        guard case .unsubscribe(channel) = session.say(.unsubscribe, channel: channel) else {
            throw Unexpected(action: action)
        }
        #expect(session.say(.unsubscribe, channel: channel).refusal == "bad_request")
    }

    @Test(arguments: [
        (Subscribe(view: "nothing"), "unknown_view"),
        (Subscribe(view: ""), "unknown_view"),
    ])
    func `is told why it cannot subscribe`(subscribe: Subscribe, code: String) {
        var session = greeted()
        #expect(session.say(.subscribe, body: ControlMessage.subscribe(subscribe).encode()).refusal == code)
    }

    @Test func `a subscription that is refused leaves nothing behind`() {
        var session = greeted()
        #expect(session.say(.subscribe, body: ControlMessage.subscribe(Subscribe(view: "per_key")).encode()).isSubscribe)
        #expect(session.say(.ping).isNone)
        #expect(session.state.replyTold().flatMap(\.frames).map(\.kind) == [.pong])
        #expect(session.state.subscriptions.isEmpty && session.state.isIdle)
    }
}

private struct Unexpected: Error {
    let action: String
    init(action: SessionAction) { self.action = "\(action)" }
}

extension OutgoingFrame {
    fileprivate var message: ControlMessage? {
        guard kind.body == .control else { return nil }
        return body.withUnsafeBytes { try? ControlMessage.decode(kind: kind, body: $0) }
    }
}

extension SessionAction {
    fileprivate var frames: [OutgoingFrame] { if case .send(let frames) = self { frames } else { [] } }
    fileprivate var errorMessage: ErrorMessage? {
        if case .error(let error)? = frames.first?.message { error } else { nil }
    }
    /// Code of the error that a request is answered with.
    fileprivate var refusal: String? { errorMessage?.code }
    /// Code of the error that ends the connection; empty where it ends without one.
    fileprivate var disconnects: String? { if case .disconnect(let error) = self { error?.code ?? "" } else { nil } }
    fileprivate var submitted: BatchMode? { if case .submit(_, let mode) = self { mode } else { nil } }
    fileprivate var isNone: Bool { if case .none = self { true } else { false } }
    fileprivate var isFinish: Bool { if case .finish = self { true } else { false } }
    fileprivate var isSubscribe: Bool { if case .subscribe = self { true } else { false } }
}
