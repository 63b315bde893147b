import Testing
import Wire

@Suite struct ControlMessageTests {
    static let messages: [ControlMessage] = [
        .hello(Hello(token: "secret", clientName: "tests", producerID: 7, wantsBodyChecksums: true, creditsWanted: 16)),
        .hello(Hello(versionMin: 1, versionMax: 9)),
        .welcome(
            Welcome(
                serverName: "millrace", serverVersion: "0.1.0", epoch: 3, sequence: 1 << 40, credits: 256,
                frameBodyBytesMax: 64 << 20, batchRowsMax: 65_536, definitions: 12, receivedUpTo: 99)),
        .open(Open(table: "payments")),
        .open(Open(table: "payments", views: ["card_risk", "für_händler"])),
        .open(Open(mode: .get, views: ["card_risk"], keyColumns: ["card_id", ""])),
        .opened(Opened(table: "payments", views: [.init(name: "card_risk", channel: 0x8000_0000)], eventTime: "ts")),
        .accepted(Accepted(rows: 1000, late: 3, refused: 1)),
        .subscribe(Subscribe(view: "card_risk", predicate: "payments_10m > 20", from: Place(sequence: 17), onFull: .drop)),
        .subscribe(
            Subscribe(
                view: "card_risk", keys: .init(schema: [1, 2, 3], batch: [0]), from: Place(sequence: 0, rows: 9),
                onFull: .disconnect, bufferBytes: 1 << 20, notifyMilliseconds: 1_000)),
        .subscribed(Subscribed(channel: 0x8000_0001, sequence: 18)),
        .subscribed(
            Subscribed(
                channel: 7, sequence: 1, onFull: .drop, keyColumns: ["card_id", "für"], bufferBytes: 5, notifyMilliseconds: 6)),
        .gap(Gap(cause: .dropped, rows: 1 << 40, from: Place(sequence: 1 << 41, rows: 3), to: Place(sequence: 1 << 42))),
        .statusReply(
            StatusReply(
                serverVersion: "0.1.0",
                entries: [.init(name: "events", label: "payments", unit: "rows", value: 1e9), .init(name: "up", value: 0)])),
        .error(ErrorMessage(code: ErrorCode.unknownTable, message: "no such table", detail: "near: payments", retry: true)),
        .goodbye(Goodbye(reason: "drained")),
        .credit(Credit(credits: 1)),
        .apply(Apply(sources: [.init(name: "a.sql", text: "SELECT 1")], isDryRun: true)),
        .applied(Applied(isApplied: false, definitions: 4, report: "a.sql:1:1: error")),
    ]

    @Test(arguments: messages)
    func `a control body reads back as what was written`(message: ControlMessage) throws {
        let body = message.encode()
        let decoded = try body.withUnsafeBytes { try ControlMessage.decode(kind: message.kind, body: $0) }
        #expect(decoded == message)
    }

    @Test(arguments: messages)
    func `a control body cut short anywhere is refused, or reads as something, but never past its end`(
        message: ControlMessage
    ) {
        let body = message.encode()
        for count in 0..<body.count {
            let cut = [UInt8](body[..<count])
            cut.withUnsafeBytes { _ = try? ControlMessage.decode(kind: message.kind, body: $0) }
        }
        for count in 0..<8 {
            let cut = [UInt8](body[..<count])
            #expect(throws: WireError.self) {
                try cut.withUnsafeBytes { _ = try ControlMessage.decode(kind: message.kind, body: $0) }
            }
        }
    }

    @Test func `an enum value of a later version is refused by name`() throws {
        var body = ControlMessage.subscribe(Subscribe(view: "v", onFull: .drop)).encode()
        let place = try #require(
            body.indices.reversed().first { index in
                var changed = body
                guard changed[index] == 1 else { return false }
                changed[index] = 9
                let error = #expect(throws: WireError.self) {
                    try changed.withUnsafeBytes { _ = try ControlMessage.decode(kind: .subscribe, body: $0) }
                }
                return error?.description.contains("on_full 9") ?? false
            })
        body[place] = 0
        let decoded = try body.withUnsafeBytes { try ControlMessage.decode(kind: .subscribe, body: $0) }
        #expect(decoded == .subscribe(Subscribe(view: "v", onFull: .conflate)))
    }

    @Test func `text that is not UTF-8 is refused`() throws {
        var body = ControlMessage.goodbye(Goodbye(reason: "drained")).encode()
        let place = try #require(body.firstIndex(of: UInt8(ascii: "d")))
        body[place] = 0xFF
        #expect(throws: WireError.malformed(what: "the body of this goodbye frame", why: "a string in it is not UTF-8")) {
            try body.withUnsafeBytes { _ = try ControlMessage.decode(kind: .goodbye, body: $0) }
        }
    }
}
