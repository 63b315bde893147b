import Engine
import Language
import Plan
import Synchronization
import Values
import Wire

/// What clients can ask for by name: made once for a set of definitions, shared by all cores.
final class Catalog: Sendable {
    struct Stream: Sendable {
        var table: String
        var columns: [Field]
        /// The column that puts its rows in order with those of other tables; empty where there is none.
        var eventTime: String
        /// Microseconds of a unit of its event time; 0 where that is no time.
        var eventTimeMicroseconds: Int64
        /// The views that a batch is answered with when none is named; none where the table is only joined.
        var defaultViews: [Int]
    }

    struct View: Sendable {
        var name: String
        /// By stream: index into its plan's views; nil where the view does not answer the stream's events.
        var indices: [Int?]
        var columns: [Field]
        var keys: ViewKeys
        /// Encoded schema of result and push frames.
        var schemaMessage: [UInt8]

        func answers(_ stream: Int) -> Bool { indices[stream] != nil }
    }

    /// What they were compiled from; of these the log keeps a copy.
    let sources: [SourceText]
    let compiled: CompiledPlan
    /// Counts the sets of definitions from 1: since the server started, or since its data directory was made.
    let version: UInt32
    let streams: [Stream]
    let views: [View]
    private let streamsByTable: [String: Int]
    private let viewsByName: [String: Int]
    /// By stream; bit i: core i has subscribers of its views.
    private let watchers: [CoreMask]
    /// By view; bit i: core i has subscribers of it, or had some lately.
    private let viewWatchers: [CoreMask]
    private let watchChanges = Atomic<UInt64>(0)
    /// By stream.
    let stageCounts: [Int]
    /// Stages of the stream that has most; at least one.
    let stageCount: Int

    var plan: Plan { compiled.plan }

    init(_ compiled: CompiledPlan, version: UInt32, sources: [SourceText] = []) {
        let plan = compiled.plan
        self.sources = sources
        self.compiled = compiled
        self.version = version
        var streams: [Stream] = []
        var views: [View] = []
        for (number, stream) in plan.streams.enumerated() {
            let table = plan.definitions.tables[stream.table]
            var defaults: [Int] = []
            for (index, view) in stream.views.enumerated() {
                // A view over several streams stands in the plan of each.
                let known = views.firstIndex { $0.name == view.name }
                if !view.isReadByView { defaults.append(known ?? views.count) }
                if let known {
                    views[known].indices[number] = index
                    continue
                }
                var indices: [Int?] = Array(repeating: nil, count: plan.streams.count)
                indices[number] = index
                // The answer to a late row, a refused one or a `get` has NULLs where the view itself has none.
                let answered = view.columns.map { Field(name: $0.name, type: $0.type, isNullable: true) }
                views.append(
                    View(
                        name: view.name, indices: indices, columns: answered,
                        keys: ViewKeys(view: view, of: stream, tableColumnCount: table.columns.count),
                        schemaMessage: ArrowSchema(fields: answered, hasTrailer: true).encode()))
            }
            streams.append(
                Stream(
                    table: table.name, columns: table.columns,
                    eventTime: plan.timeColumn(ofTable: stream.table).map { table.columns[$0].name } ?? "",
                    eventTimeMicroseconds: stream.eventTime?.type.microsecondsPerUnit ?? 0,
                    defaultViews: defaults))
        }
        self.streams = streams
        self.views = views
        watchers = streams.map { _ in CoreMask() }
        viewWatchers = views.map { _ in CoreMask() }
        stageCounts = plan.streams.map(\.stages.count)
        stageCount = max(1, stageCounts.max() ?? 1)
        streamsByTable = Dictionary(uniqueKeysWithValues: streams.enumerated().map { ($1.table, $0) })
        viewsByName = Dictionary(uniqueKeysWithValues: views.enumerated().map { ($1.name, $0) })
    }

    func watchers(ofStream stream: Int) -> UInt64 { watchers[stream].bits.load(ordering: .acquiring) }

    func setWatcher(ofStream stream: Int, core: Int, _ isWatching: Bool) {
        let bit: UInt64 = 1 << UInt64(core)
        if isWatching {
            watchers[stream].bits.bitwiseOr(bit, ordering: .acquiringAndReleasing)
        } else {
            watchers[stream].bits.bitwiseAnd(~bit, ordering: .acquiringAndReleasing)
        }
    }

    func watchers(ofView view: Int) -> UInt64 { viewWatchers[view].bits.load(ordering: .acquiring) }

    /// Counts the changes of `watchers(ofView:)`.
    var watchGeneration: UInt64 { watchChanges.load(ordering: .acquiring) }

    func addWatchers(ofView view: Int, _ cores: UInt64) {
        viewWatchers[view].bits.bitwiseOr(cores, ordering: .acquiringAndReleasing)
        watchChanges.wrappingAdd(1, ordering: .acquiringAndReleasing)
    }

    func removeWatcher(ofView view: Int, core: Int) {
        viewWatchers[view].bits.bitwiseAnd(~(1 << UInt64(core)), ordering: .acquiringAndReleasing)
        watchChanges.wrappingAdd(1, ordering: .acquiringAndReleasing)
    }

    private final class CoreMask: Sendable {
        let bits = Atomic<UInt64>(0)
    }

    // MARK: Names

    func viewNumber(named name: String) throws(ErrorMessage) -> Int {
        if let number = viewsByName[name] { return number }
        throw ErrorMessage(code: ErrorCode.unknownView, message: Catalog.unknown("view", name, known: views.map(\.name)))
    }

    /// What an `open` is about, or why there is no such thing.
    func target(of open: Open) throws(ErrorMessage) -> OpenTarget {
        switch open.mode {
        case .stream: try streamTarget(of: open)
        case .get: try lookUpTarget(of: open)
        }
    }

    private func streamTarget(of open: Open) throws(ErrorMessage) -> OpenTarget {
        // Whoever names none means the only one.
        guard let number = open.table.isEmpty && streams.count == 1 ? 0 : streamsByTable[open.table] else {
            throw ErrorMessage(
                code: ErrorCode.unknownTable, message: Catalog.unknown("table", open.table, known: streams.map(\.table)))
        }
        var numbers: [Int] = []
        for name in open.views {
            let view = try viewNumber(named: name)
            guard views[view].answers(number) else {
                let answered = streams.indices.filter(views[view].answers).map { streams[$0].table }
                throw ErrorMessage(
                    code: ErrorCode.unknownView,
                    message: "view \(name) answers events of \(answered.joined(separator: " and ")), not of \(open.table)")
            }
            guard !numbers.contains(view) else { throw .badRequest("view \(name) is named twice; name each view once") }
            numbers.append(view)
        }
        if numbers.isEmpty { numbers = streams[number].defaultViews }
        return OpenTarget(mode: .stream, stream: number, views: numbers, columns: streams[number].columns)
    }

    /// A `get` brings some of the table's columns, which make partition keys, and may bring a time.
    private func lookUpTarget(of open: Open) throws(ErrorMessage) -> OpenTarget {
        guard let name = open.views.first, open.views.count == 1 else {
            throw .badRequest("get is for one view; the request names \(open.views.count)")
        }
        let view = try viewNumber(named: name)
        // Streams of a union have one state: any of them that has the key's columns will do.
        let answered = streams.indices.filter(views[view].answers)
        let stream =
            answered.first { stream in
                open.keyColumns.allSatisfy { key in streams[stream].columns.contains { $0.name == key } }
            } ?? answered[0]
        let table = streams[stream]
        guard !open.keyColumns.isEmpty else {
            throw .badRequest("get needs a key: name at least one column of \(table.table)")
        }
        var keys: [Int] = []
        for key in open.keyColumns {
            guard let column = table.columns.firstIndex(where: { $0.name == key }), !keys.contains(column) else {
                throw .badRequest(
                    Catalog.unknown("column", key, known: table.columns.map(\.name)) + " in \(table.table), each to be given once"
                )
            }
            keys.append(column)
        }
        let time = Field(name: OpenTarget.timeColumn, type: .bigint, isNullable: true)
        return OpenTarget(
            mode: .get, stream: stream, views: [view], columns: keys.map { table.columns[$0] } + [time], keys: keys)
    }

    private static func unknown(_ what: String, _ name: String, known: [String]) -> String {
        let list = known.isEmpty ? "there is none" : "there is " + known.prefix(20).joined(separator: ", ")
        return "there is no \(what) \"\(name.prefix(100))\"; \(list)"
    }
}

extension ValueType {
    /// Of a column of this type that rows are ordered by; 0 where it is no time.
    fileprivate var microsecondsPerUnit: Int64 {
        switch self {
        case .timestamp, .timestamptz: 1
        case .date: Timestamps.dayMicroseconds
        default: 0
        }
    }
}

/// What a channel was opened for.
struct OpenTarget: Hashable, Sendable {
    var mode: Open.Mode
    /// Index into `Catalog.streams`.
    var stream: Int
    /// Indices into `Catalog.views`: what a batch is answered with.
    var views: [Int]
    /// What a batch must bring: the table's columns, or (mode `get`) the key columns and the time.
    var columns: [Field]
    /// Mode `get`: the key columns, as indices into the table's.
    var keys: [Int] = []

    static let timeColumn = "millrace_at"
}
