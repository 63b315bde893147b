import Engine
import Testing
import Values
import Wire

@testable import Runtime

/// What other definitions mean for a connection, without a socket.
@Suite struct `A session whose definitions change` {
    private var state = SessionState(limits: SessionLimits())
    private var catalog: Catalog

    init() throws {
        catalog = Catalog(try CompiledPlan(Fixture.plan), version: 1)
        _ = say(.hello, body: ControlMessage.hello(Hello()).encode())
    }

    private mutating func say(_ kind: FrameKind, channel: UInt32 = 0, body: [UInt8] = []) -> SessionAction {
        body.withUnsafeBytes {
            state.frameArrived(
                FrameHeader(kind: kind, bodyLength: body.count, channel: channel, requestID: 1), body: $0, catalog: catalog,
                sequence: 0)
        }
    }

    private mutating func open(_ open: Open, channel: UInt32 = 1, columns: [Field] = Fixture.eventColumns) {
        _ = say(.open, channel: channel, body: ControlMessage.open(open).encode())
        _ = say(.schema, channel: channel, body: ArrowSchema(fields: columns).encode())
    }

    /// What the client is told.
    private mutating func change(to sql: String) throws -> [OutgoingFrame] {
        catalog = Catalog(try CompiledPlan(Fixture.plan(of: sql)), version: catalog.version + 1)
        var targets = OpenTargets(catalog)
        return state.definitionsChanged(&targets)
    }

    @Test mutating func `is told nothing where nothing changes for it`() throws {
        open(Open(table: "events", views: ["per_key"]))
        let others = Fixture.sql.replacing("AS visits", with: "AS pages") + "CREATE VIEW a_third AS SELECT page FROM visits;"
        #expect(try change(to: others).isEmpty)
        let channel = try #require(state.channels[1])
        #expect(channel.views.map { catalog.views[$0.number].name } == ["per_key"])
        guard case .submit = say(.compute, channel: 1) else { throw Problem.noMessage }
    }

    @Test mutating func `keeps the channels of views that stay, and never uses a number again`() throws {
        open(Open(table: "events"))
        let before = try #require(state.channels[1]).views
        let without = Fixture.sql.replacing("CREATE VIEW per_shop", with: "CREATE VIEW of_shop")
        let told = try change(to: without)
        #expect(told.map(\.kind) == [.opened, .schema] && told.allSatisfy { $0.requestID == 0 })
        let after = try #require(state.channels[1]).views
        #expect(after.map(\.name) == ["per_key", "of_shop"] && after[0].channel == before[0].channel)
        #expect(!before.map(\.channel).contains(after[1].channel))
        _ = try change(to: Fixture.sql)
        let again = try #require(state.channels[1]).views
        #expect(again[0].channel == before[0].channel && again[1].channel > after[1].channel)
    }

    @Test mutating func `is told of the table's columns and reads its batches into them`() throws {
        open(Open(table: "events", views: ["per_shop"]))
        let wider = Fixture.sql.replacing("shop bigint NOT NULL, amount", with: "discount bigint, shop bigint NOT NULL, amount")
        let told = try change(to: wider)
        #expect(told.map(\.kind) == [.schema] && told.map(\.channel) == [1])
        let channel = try #require(state.channels[1])
        #expect(channel.reader?.target.map(\.name) == ["ts", "key", "discount", "shop", "amount"])
    }

    @Test mutating func `takes a schema that fits after one that no longer did`() throws {
        open(Open(table: "events", views: ["per_shop"]))
        let other = Fixture.sql.replacing(
            "shop bigint NOT NULL, amount", with: "town text NOT NULL, shop bigint NOT NULL, amount")
        _ = try change(to: other)
        guard case .send(let frames) = say(.compute, channel: 1) else { throw Problem.noMessage }
        #expect(frames.map(\.kind) == [.error])
        let columns = Fixture.eventColumns + [Field(name: "town", type: .text)]
        _ = say(.schema, channel: 1, body: ArrowSchema(fields: columns).encode())
        guard case .submit = say(.compute, channel: 1) else { throw Problem.noMessage }
    }

    @Test mutating func `takes no batch until definitions are applied, and answers in order`() throws {
        open(Open(table: "events"))
        guard case .submit = say(.compute, channel: 1) else { throw Problem.noMessage }
        state.batchSubmitted()
        guard case .none = say(.apply, body: ControlMessage.apply(Apply(sources: [])).encode()) else { throw Problem.noMessage }
        #expect(!state.canTakeRequest)
        let due = state.batchAnswered()
        guard due.count == 1, case .apply = due[0] else { throw Problem.noMessage }
        #expect(!state.canTakeRequest && state.replyTold().isEmpty && state.canTakeRequest)
    }
}
