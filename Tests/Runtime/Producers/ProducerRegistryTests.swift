import Testing
import Wire

@testable import Runtime

/// Producers come, go, are forgotten, and outlive the server.
@Suite struct `The registry of producers` {
    private let second: UInt64 = 1_000_000_000

    private func registry(_ change: (inout ProducerLimits) -> Void = { _ in }) -> ProducerRegistry {
        var limits = ProducerLimits()
        change(&limits)
        return ProducerRegistry(limits: limits)
    }

    private func claim(
        _ id: UInt64, sent: UInt64 = 0, received: UInt64 = 0, token: UInt64 = 1, at seconds: UInt64 = 0,
        in registry: ProducerRegistry
    ) throws -> ProducerRegistry.Granted {
        try registry.claim(
            id, sent: sent, received: received, by: ProducerState.Holder(core: 0, token: token), nowNanoseconds: seconds * second)
    }

    /// Sends and answers batches.
    private func send(_ numbers: ClosedRange<UInt64>, as claim: ProducerClaim, bytes: Int = 10, from position: UInt64 = 0) {
        for (offset, number) in numbers.enumerated() {
            #expect(claim.enter(number) { position + UInt64(offset) } == .entered(position: position + UInt64(offset)))
            _ = claim.producer.answered(number: number, with: .made(number, bytes: bytes))
        }
    }

    @Test func `gives a producer to the newest that claims it, and says who held it`() throws {
        let registry = registry()
        let first = try claim(5, token: 1, in: registry)
        send(1...3, as: first.claim)
        let next = try claim(5, sent: 3, received: 1, token: 2, in: registry)
        #expect(first.former == nil && first.last == 0)
        #expect(next.former == ProducerState.Holder(core: 0, token: 1) && next.last == 3)
        #expect(first.claim.enter(4) { 4 } == .fenced)
        #expect(next.claim.enter(4) { 4 } == .entered(position: 4))
        #expect(registry.figures.known == 1)
    }

    @Test func `does not know what another server knew, and says so to whoever has sent`() throws {
        let registry = registry()
        let error = #expect(throws: ErrorMessage.self) { try claim(5, sent: 9, in: registry) }
        #expect(error?.code == "producer_unknown" && error?.message.contains("up to 9") == true)
        // Nor does it on the second time.
        #expect(throws: ErrorMessage.self) { try claim(5, sent: 9, in: registry) }
        #expect(try claim(5, in: registry).last == 0)
        // Known now, and nothing of it applied.
        #expect(try claim(5, sent: 9, in: registry).last == 0)
    }

    @Test func `knows of everybody once the log has been read, until it forgets one`() throws {
        let registry = registry { ($0.producersMax, $0.forgettableNanoseconds) = (2, 0) }
        registry.recoveryEnded()
        let granted = try claim(5, sent: 9, in: registry)
        #expect(granted.last == 0)
        granted.claim.leave(saidGoodbye: false, nowNanoseconds: 0)
        _ = try claim(6, in: registry)
        _ = try claim(7, in: registry)
        #expect(registry.figures.forgotten == 1)
        #expect(throws: ErrorMessage.self) { try claim(5, sent: 9, in: registry) }
    }

    @Test func `forgets whoever left first and long ago, and otherwise turns new ones away`() throws {
        let registry = registry { ($0.producersMax, $0.forgettableNanoseconds) = (3, 100 * 1_000_000_000) }
        let all = try (1...3).map { try claim($0, in: registry) }
        for granted in all { send(1...2, as: granted.claim) }
        #expect(throws: ErrorMessage.self) { try claim(4, at: 1_000, in: registry) }
        all[1].claim.leave(saidGoodbye: true, nowNanoseconds: 1_000 * second)
        all[0].claim.leave(saidGoodbye: false, nowNanoseconds: 1_010 * second)
        let error = #expect(throws: ErrorMessage.self) { try claim(4, at: 1_099, in: registry) }
        #expect(error?.code == "overloaded" && error?.retry == true)
        #expect(try claim(4, at: 1_100, in: registry).last == 0)
        #expect(registry.figures.forgotten == 1 && registry.figures.known == 3)
        // The first is still known, the second is not.
        #expect(try claim(1, sent: 2, at: 1_100, in: registry).last == 2)
        #expect(throws: ErrorMessage.self) { try claim(2, sent: 2, at: 1_100, in: registry) }
        #expect(registry.figures.keptBytes == 4 * KeptReply.made(1).byteCount)
    }

    @Test func `keeps nothing of one that came and went without a batch`() throws {
        let registry = registry()
        try claim(5, in: registry).claim.leave(saidGoodbye: true, nowNanoseconds: 0)
        try claim(6, in: registry).claim.leave(saidGoodbye: false, nowNanoseconds: 0)
        #expect(registry.figures.known == 1)
    }

    @Test func `makes room for replies by forgetting, or takes no more`() throws {
        let one = KeptReply.made(1, bytes: 1_000).byteCount
        let registry = registry { ($0.replyBytesTotalMax, $0.forgettableNanoseconds) = (4 * one, 100 * 1_000_000_000) }
        let gone = try claim(1, in: registry).claim
        send(1...3, as: gone, bytes: 1_000)
        let here = try claim(2, in: registry).claim
        send(1...1, as: here, bytes: 1_000)
        gone.leave(saidGoodbye: false, nowNanoseconds: 0)
        let next = FrameHeader(kind: .ingest, batchNumber: 2)
        #expect(here.arrived(next).word == "producer_full")
        _ = try claim(3, at: 100, in: registry)
        #expect(here.arrived(next).word == "next")
        #expect(registry.figures.keptBytes == one && registry.figures.forgotten == 1)
    }

    @Test func `does not grow by producers that come and go`() throws {
        let registry = registry()
        for round: UInt64 in 1...20_000 {
            let claim = try claim(round % 7 + 1, sent: 0, at: round, in: registry).claim
            if claim.producer.withState({ $0.last }) == 0 { send(1...1, as: claim) }
            claim.leave(saidGoodbye: false, nowNanoseconds: round * second)
        }
        #expect(registry.state.withLock { $0.left.count } < 2_100)
    }

    // MARK: Snapshots

    private func filled() throws -> ProducerRegistry {
        let registry = registry()
        let plain = try claim(1, in: registry).claim
        send(1...4, as: plain)
        plain.confirm(upTo: 2)
        let schema: [UInt8] = [1, 2, 3]
        let computing = try claim(.max, in: registry).claim
        for number: UInt64 in 1...2 {
            _ = computing.enter(number) { number }
            let parts = [
                KeptReply.Part(kind: .result, view: "größer", isDefault: true, schema: schema, body: [9, 9, UInt8(number)]),
                KeptReply.Part(kind: .error, view: "other", isDefault: false, body: [7]),
            ]
            _ = computing.producer.answered(
                number: number, with: KeptReply(kind: .compute, sequence: 40 + number, epoch: 3, definitions: 2, parts: parts))
        }
        _ = try claim(77, in: registry)
        return registry
    }

    @Test func `is the same out of a snapshot`() throws {
        let section = try #require(try filled().encode())
        let loaded = registry()
        try loaded.decode(section, nowNanoseconds: 0)
        #expect(loaded.encode() == section)
        #expect(try loaded.figures.keptBytes == filled().figures.keptBytes)
        #expect(loaded.figures.known == 3)
        let granted = try claim(.max, sent: 2, in: loaded)
        #expect(granted.last == 2)
        guard case .again(let reply) = granted.claim.arrived(FrameHeader(kind: .compute, batchNumber: 2)) else {
            return #expect(Bool(false))
        }
        #expect(reply.kind == .compute && reply.sequence == 42 && reply.epoch == 3 && reply.definitions == 2)
        #expect(reply.parts[0].view == "größer" && reply.parts[0].schema == [1, 2, 3] && reply.parts[0].body == [9, 9, 2])
        #expect(reply.parts[1].kind == .error && !reply.parts[1].isDefault)
        #expect(
            try claim(1, sent: 4, in: loaded).claim.arrived(FrameHeader(kind: .ingest, batchNumber: 2)).word == "batch_confirmed")
        // What a server has forgotten it has forgotten for good.
        #expect(throws: Never.self) { try loaded.claim(9, sent: 0, received: 0, by: .init(core: 0, token: 0), nowNanoseconds: 0) }
    }

    @Test func `waits for what entered before the mark, and leaves out what entered behind it`() throws {
        let registry = registry()
        let claim = try claim(1, in: registry).claim
        send(1...3, as: claim, from: 10)
        #expect(claim.enter(4) { 13 } == .entered(position: 13))
        registry.passedMark(at: 14)
        #expect(claim.enter(5) { 15 } == .entered(position: 15))
        #expect(registry.encode() == nil)
        _ = claim.producer.answered(number: 4, with: .made(4))
        let loaded = self.registry()
        try loaded.decode(try #require(registry.encode()), nowNanoseconds: 0)
        #expect(try self.claim(1, sent: 5, in: loaded).last == 4)
    }

    @Test func `refuses a section with any byte cut off or changed`() throws {
        let section = try #require(try filled().encode())
        for count in section.indices {
            #expect(throws: WireError.self) { try registry().decode(Array(section[..<count]), nowNanoseconds: 0) }
        }
        for index in section.indices {
            var damaged = section
            damaged[index] ^= 0x10
            #expect(throws: WireError.self) { try registry().decode(damaged, nowNanoseconds: 0) }
        }
    }

    /// With a checksum that holds, so that each of the other checks is met.
    @Test func `survives every changed byte that its checksum does not show`() throws {
        let section = try #require(try filled().encode())
        for index in section.indices.dropLast(4) {
            for bit in [0x01, 0x80] as [UInt8] {
                var damaged = Array(section.dropLast(4))
                damaged[index] ^= bit
                let checksum = damaged.withUnsafeBytes { FrameHeader.checksum($0) }
                withUnsafeBytes(of: checksum.littleEndian) { damaged += $0 }
                try? registry().decode(damaged, nowNanoseconds: 0)
            }
        }
    }

    @Test func `says that a section is of a version to come`() throws {
        var section = Array(try #require(registry().encode()).dropLast(4))
        section[4] = 9
        let checksum = section.withUnsafeBytes { FrameHeader.checksum($0) }
        withUnsafeBytes(of: checksum.littleEndian) { section += $0 }
        let error = #expect(throws: WireError.self) { try registry().decode(section, nowNanoseconds: 0) }
        #expect(error?.description.contains("version 9") == true)
    }

    @Test func `takes what the log brings`() throws {
        let registry = registry()
        for number: UInt64 in 1...5 {
            let claim = registry.recovered(3, number: number, receivedUpTo: number > 2 ? number - 2 : 0, nowNanoseconds: 0)
            #expect(claim.enter(number) { number } == .entered(position: number))
            _ = claim.producer.answered(number: number, with: .made(number))
        }
        registry.recoveryEnded()
        let granted = try claim(3, sent: 5, received: 3, in: registry)
        #expect(granted.last == 5)
        #expect(
            (1...6).map { granted.claim.arrived(FrameHeader(kind: .ingest, batchNumber: $0)).word } == [
                "batch_confirmed", "batch_confirmed", "batch_confirmed", "again 4", "again 5", "next",
            ])
    }
}
