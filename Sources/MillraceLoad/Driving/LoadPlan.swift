import Language
import Wire
import Workloads

/// What is sent on which channel, and how it takes turns.
final class LoadPlan {
    /// Batches for one channel that every connection opens under the same number.
    final class Source {
        let pool: BatchPool
        let open: Open
        let channel: UInt32
        /// Index into the definitions' tables; nil for a `get`.
        let table: Int?
        private var next = 0

        init(_ pool: BatchPool, open: Open, channel: UInt32, table: Int?) {
            (self.pool, self.open, self.channel, self.table) = (pool, open, channel, table)
        }

        /// The batch whose turn it is.
        func take() -> Int {
            defer { next = next + 1 == pool.batchCount ? 0 : next + 1 }
            return next
        }
    }

    let definitions: Definitions
    let sources: [Source]
    let get: Source?
    /// Sent once before the load, as `ingest`: every key of the reference tables.
    let before: [Source]
    /// Views that subscribers subscribe to, in turn.
    let subscribed: [String]
    private var kinds: Turns
    private var tables: Turns
    private let isStream: [Bool]
    /// By channel and view: answers have all rows of the batch.
    private var allByChannel: [UInt32: [Bool]] = [:]

    init(
        definitions: Definitions, sources: [Source], isStream: [Bool], weights: [Double], get: Source?, before: [Source],
        subscribed: [String], mix: [RequestKind: Double]
    ) {
        self.definitions = definitions
        self.sources = sources
        self.isStream = isStream
        self.get = get
        self.before = before
        self.subscribed = subscribed
        kinds = Turns(LoadPlan.asked.map { mix[$0] ?? 0 })
        tables = Turns(weights)
    }

    private static let asked: [RequestKind] = [.compute, .ingest, .evaluate, .get]

    /// What the next request is.
    func next() -> (kind: RequestKind, source: Source) {
        let kind = Self.asked[kinds.next()]
        if kind == .get, let get { return (.get, get) }
        let table = tables.next()
        // What is only joined has no answer.
        return (isStream[table] ? kind : .ingest, sources[table])
    }

    /// All that a connection opens.
    var opened: [Source] { sources + [get].compactMap { $0 } }

    /// The server has said which views answer a source.
    func answered(_ source: Source, by views: [OpenedView]) {
        allByChannel[source.channel] = views.map { view in
            source.table != nil && definitions.views.first { $0.name == view.name }?.relation.keepsAllRows == true
        }
    }

    /// Whether a view answers every row that is sent on a channel.
    func answersAll(channel: UInt32, view: Int) -> Bool {
        guard let views = allByChannel[channel], view < views.count else { return false }
        return views[view]
    }

    var hasSubscribers: Bool { !subscribed.isEmpty }
}

extension Relation {
    /// Every row of its stream comes out.
    var keepsAllRows: Bool {
        switch self {
        case .stream: true
        case .filter: false
        case .project(let input, _), .windows(let input, _): input.keepsAllRows
        case .lookUp(let input, let join): !join.isInner && input.keepsAllRows
        case .asOf(let input, let join): !join.isInner && input.keepsAllRows
        case .union(let inputs): inputs.allSatisfy(\.keepsAllRows)
        }
    }
}
