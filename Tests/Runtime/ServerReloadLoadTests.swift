import Engine
import Linux
import Synchronization
import Testing
import Values
import Wire

@testable import Runtime

/// Definitions that change while connections send as fast as they can.
@Suite(.serialized) struct `A server whose definitions change under load` {
    /// Of an answered batch: what the frame and its rows say of the definitions.
    private struct Seen: Hashable {
        var version: UInt32
        var set: Int64
    }

    private final class Findings: Sendable {
        let seen = Mutex<Set<Seen>>([])
        let isOver = Atomic<Bool>(false)
        let loading = Atomic<Int>(4)
        /// By version: the set that was applied.
        let sets = Mutex<[UInt32: Int64]>([1: 0])
    }

    /// Keeps several batches under way until it is told to stop; every row of its own key is counted once and in order.
    private func load(_ client: TestClient, key: Int64, _ findings: Findings) throws {
        var schemas = ChannelSchemas(
            try client.open(Open(table: "events", views: ["counted"]), channel: 1, columns: ReloadFixture.columns))
        var (sent, answered, rows) = (0, 0, Int64(0))
        var seen: Set<Seen> = []
        while !findings.isOver.load(ordering: .relaxed) || answered < sent {
            while sent - answered < 8 && !findings.isOver.load(ordering: .relaxed) {
                sent += 1
                try client.send(.compute, channel: 1, body: ReloadFixture.batch(ts: Int64(sent), key: key, rows: 1 + sent % 5))
            }
            guard answered < sent else { continue }
            let frame = try client.receive()
            if try schemas.take(frame) { continue }
            guard frame.header.kind == .result else {
                throw TestClient.Failure.unexpected(frame.header.kind, "\(String(describing: frame.message))")
            }
            answered += 1
            let answer = try schemas.answer(frame)
            let counts = answer.integers("n").compactMap(\.self)
            #expect(counts == (0..<Int64(1 + answered % 5)).map { rows + 1 + $0 }, "key \(key), batch \(answered)")
            let set = try #require(answer.integers("definitions").first ?? nil)
            #expect(answer.integers("total").compactMap(\.self) == (set % 3 == 0 ? [] : counts.map { 2 * $0 }))
            rows += Int64(counts.count)
            seen.insert(Seen(version: frame.header.definitions, set: set))
        }
        findings.seen.withLock { $0.formUnion(seen) }
        if findings.loading.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
            try client.send(.compute, channel: 1, body: ReloadFixture.batch(ts: Int64(sent), key: 0, rows: 1))
            while try client.receive().header.kind != .result {}
        }
    }

    /// Everything that is pushed, until the row of key 0, which is sent last.
    private func watch(_ client: TestClient, _ findings: Findings) throws {
        let (channel, schema) = try client.subscribe("counted")
        var schemas = ChannelSchemas(
            TestClient.Opened(channel: 0, views: [.init(name: "counted", channel: channel)], schemas: [schema]))
        var counts: [Int64: Int64] = [:]
        var seen: Set<Seen> = []
        var sequence: UInt64 = 0
        while true {
            let frame = try client.receive()
            if try schemas.take(frame) { continue }
            #expect(frame.header.kind == .push && frame.header.sequence > sequence)
            sequence = frame.header.sequence
            let answer = try schemas.answer(frame)
            let key = try #require(answer.integers("key").first ?? nil)
            if key == 0 { break }
            for count in answer.integers("n").compactMap(\.self) {
                if let before = counts[key] { #expect(count == before + 1) }
                counts[key] = count
            }
            seen.insert(Seen(version: frame.header.definitions, set: try #require(answer.integers("definitions").first ?? nil)))
        }
        findings.seen.withLock { $0.formUnion(seen) }
    }

    @Test(arguments: [1, 2, 4]) func `answers and pushes every row by the definitions whose version it carries`(cores: Int) throws
    {
        var limits = SessionLimits()
        // Few requests, so that reloads meet full pools.
        limits.batchesInFlightMax = 8
        try Running.withServer(cores: cores, plan: Fixture.plan(of: ReloadFixture.sql(0)), limits: limits) { server in
            let findings = Findings()
            try Running.concurrently(6) { number in
                let client = try TestClient.welcomed(server.address)
                if number == 0 {
                    defer { findings.isOver.store(true, ordering: .relaxed) }
                    for reload in 1...40 {
                        let set = reload % 7
                        let applied = try client.apply(ReloadFixture.sql(set))
                        #expect(applied.isApplied, "\(applied.report)")
                        findings.sets.withLock { $0[applied.definitions] = Int64(set) }
                    }
                } else if number < 5 {
                    try load(client, key: Int64(number), findings)
                } else {
                    try watch(client, findings)
                }
            }
            let known = findings.sets.withLock(\.self)
            for seen in findings.seen.withLock(\.self) { #expect(known[seen.version] == seen.set) }
            #expect(Set(findings.seen.withLock(\.self).map(\.version)).count > 5, "reloads came between batches")
        }
    }
}
