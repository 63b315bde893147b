import Millrace

/// Sends numbered batches, several at a time, over whatever connections there are. Each is acknowledged in the end.
struct NumberedProducer {
    let world: World
    var source: BatchSource
    let number: Int

    private static let underWayMax = 8

    init(_ world: World, seed: Int, number: Int) {
        self.world = world
        self.number = number
        source = BatchSource(seed: seed, producer: number, clock: world.clock)
    }

    mutating func run() async {
        do {
            try await send()
        } catch {
            world.violated("producer \(number) is refused: \(error)")
        }
    }

    private mutating func send() async throws {
        let client = try await world.client(.random, "producer \(number)")
        defer { client.close() }
        var streams: [SentBatch.Table: EventStream] = [:]
        let world = world
        for table in [SentBatch.Table.payments, .visits, .shops] {
            streams[table] = try await world.patiently { () async throws(MillraceError) in
                try await client.stream(
                    "\(table)", views: world.definitions.views(table), fields: world.definitions.fields(table))
            }
        }
        var underWay: [(SentBatch, PendingAnswers)] = []
        while !world.isStopping {
            let table: SentBatch.Table = source.chance(60) ? .payments : source.chance(75) ? .visits : .shops
            let batch = source.batch(table)
            world.history.sent(batch)
            let columns = batch.rows.columns(world.definitions.fields(table))
            let stream = streams[table]!
            underWay.append((batch, batch.isComputed ? try stream.compute(columns) : try stream.ingest(columns)))
            if underWay.count == Self.underWayMax { try await finish(underWay.removeFirst()) }
            // In bursts: sometimes one behind the other, sometimes many at once.
            if source.chance(50) { try await Task.sleep(for: source.pause(0...25)) }
            if source.chance(10) { while !underWay.isEmpty { try await finish(underWay.removeFirst()) } }
        }
        for sent in underWay { try await finish(sent) }
    }

    private func finish(_ sent: (SentBatch, PendingAnswers)) async throws {
        let (batch, pending) = sent
        if batch.isComputed {
            world.history.answered(batch, try await pending.answers(), world)
        } else {
            world.history.accepted(batch, try await pending.summary(), world)
        }
    }
}

/// Sends batches without numbers, one at a time, to a table of its own. When an answer is lost it asks whether the batch is there.
struct LooseProducer {
    let world: World
    var source: BatchSource
    /// Of the last batch that was answered.
    private var lastSequence: UInt64 = 0

    init(_ world: World, seed: Int, number: Int) {
        self.world = world
        source = BatchSource(seed: seed, producer: number, clock: world.clock)
    }

    mutating func run() async {
        do {
            try await send()
        } catch {
            world.violated("the producer without numbers is refused: \(error)")
        }
    }

    private mutating func send() async throws {
        let client = try await world.client(.none, "without numbers")
        defer { client.close() }
        let views = world.definitions.views(.loose)
        while !world.isStopping {
            let batch = source.batch(.loose)
            let columns = batch.rows.columns(world.definitions.fields(.loose))
            world.history.sent(batch)
            do throws(MillraceError) {
                if batch.isComputed {
                    let answers = try await client.compute("loose", columns, views: views)
                    lastSequence = answers[0].sequence
                    world.history.answered(batch, answers, world)
                } else {
                    let summary = try await client.ingest("loose", columns)
                    lastSequence = summary.sequence
                    world.history.accepted(batch, summary, world)
                }
            } catch {
                try await settle(batch, error, client)
            }
            try await Task.sleep(for: source.pause(0...8))
        }
    }

    private func settle(_ batch: SentBatch, _ error: MillraceError, _ client: MillraceClient) async throws {
        guard error.isRetryable || error.outcome == .unknown else { throw error }
        let isThere = try await Audit.found([batch], by: client)[batch.id]!.isWhole(batch)
        if error.outcome == .notApplied, isThere { world.violated("batch \(batch.id) was applied, the client said: \(error)") }
        world.history.settled(batch, isThere: isThere, behind: lastSequence)
        world.count { if isThere { $0.doubtfulApplied += 1 } else { $0.doubtfulLost += 1 } }
    }
}
