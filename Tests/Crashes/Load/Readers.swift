import Millrace
import PlainEvaluator
import Values

/// Asks what the state is, without changing it.
struct Reader {
    let world: World
    private var source: BatchSource

    init(_ world: World, seed: Int, number: Int) {
        self.world = world
        source = BatchSource(seed: seed, producer: number, clock: world.clock)
    }

    mutating func run() async {
        do {
            let client = try await world.client(.none, "reader")
            defer { client.close() }
            while !world.isStopping {
                try await ask(client)
                try await Task.sleep(for: source.pause(5...60))
            }
        } catch {
            world.violated("a reader is refused: \(error)")
        }
    }

    private mutating func ask(_ client: MillraceClient) async throws {
        let before = world.incarnation
        let question: Question
        if source.chance(40) {
            let table: SentBatch.Table = source.chance(50) ? .payments : .visits
            question = .evaluate(table, rows: source.question(table))
        } else {
            let keys = (0..<source.integer(1...4)).map { _ in source.card() }
            let isCards = source.chance(50)
            let table: SentBatch.Table = isCards ? .payments : .visits
            let seconds = world.clock.now(table) - Int64(source.integer(0...600))
            question = .get(
                view: isCards ? "card_risk" : "visit_counts", table: table, keys: keys,
                at: isCards ? seconds * 1_000_000 : seconds)
        }
        do throws(MillraceError) {
            let answers: [Answer]
            switch question {
            case .evaluate(let table, let rows):
                let columns = rows.columns(world.definitions.fields(table))
                answers = try await client.evaluate("\(table)", columns, views: world.definitions.views(table))
            case .get(let view, _, let keys, let time):
                answers = [try await client.get(view, keys: ColumnBatch([Column("card", keys)]), at: time)]
            }
            // Where a server was lost meanwhile nobody knows which one answered.
            guard let before, world.incarnation == before else { return }
            world.history.read(Read(question: question, answers: answers, incarnation: before))
        } catch {
            // A `get` from before what is kept: others have gone on while it waited for a server.
            guard case .get = question, error.code.rawValue == "bad_request" else { throw error }
        }
    }
}

/// A question that changes nothing.
enum Question: Sendable {
    case evaluate(SentBatch.Table, rows: [[Value]])
    /// By card.
    case get(view: String, table: SentBatch.Table, keys: [Int64], at: Int64)
}

struct Read: Sendable {
    let question: Question
    let answers: [Answer]
    /// Of the server that answered.
    let incarnation: Int
}

/// Follows a view over all servers, and notes what it is pushed.
struct Subscriber {
    let world: World
    let record: PushRecord

    func run() async {
        do {
            let client = try await world.client(.none, "subscriber of \(record.view)")
            defer { client.close() }
            var options = SubscriptionOptions()
            options.whenFull = .drop
            options.onGap = { [record] gap in record.told(gap) }
            let asked = options
            let subscription = try await world.patiently { () async throws(MillraceError) in
                try await client.subscribe(record.view, asked)
            }
            record.began(behind: subscription.place.sequence)
            for try await answer in subscription { record.pushed(answer) }
        } catch {
            if !Task.isCancelled { world.violated("the subscriber of \(record.view) is refused: \(error)") }
        }
    }
}
