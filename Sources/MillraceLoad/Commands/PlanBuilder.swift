import Language
import Wire
import Workloads

/// What a load sends, from the workload and the options.
struct PlanBuilder {
    let workload: Workload
    let load: LoadOptions
    let data: DataOptions

    /// Frames of all pools together.
    private static let poolBytesMax = 128 << 20

    func build() throws -> LoadPlan {
        let definitions = workload.definitions
        for name in load.view where !definitions.views.contains(where: { $0.name == name }) {
            throw LoadError("there is no view \"\(name)\"; there is \(definitions.views.map(\.name).joined(separator: ", "))")
        }
        let total = workload.tables.reduce(0) { $0 + $1.weight }
        var sources: [LoadPlan.Source] = []
        var before: [LoadPlan.Source] = []
        let sent = workload.tables.filter { $0.weight > 0 }
        for table in sent {
            let rows = max(load.batch, Int(data.pool.value * table.weight / total))
            let pool = try workload.pool(
                of: table, rows: .drawn(rows), rowsPerBatch: load.batch, seed: data.seed, disturbance: data.disturbance,
                timeUnit: data.timeUnit, bytesMax: Self.poolBytesMax / sent.count)
            sources.append(source(pool, table, views: views(of: table.table), channel: UInt32(sources.count + 1)))
        }
        for table in workload.tables where table.rowsBefore > 0 {
            let rows: BatchPool.Rows = table.role == .reference ? .everyKey(table.rowsBefore) : .drawn(table.rowsBefore)
            let pool = try workload.pool(
                of: table, rows: rows, rowsPerBatch: 4_096, seed: data.seed &+ 1, timeUnit: data.timeUnit)
            before.append(source(pool, table, views: [], channel: UInt32(workload.tables.count + before.count + 2)))
        }
        let weights = load.weights
        let hasGets = (weights[.get] ?? 0) > 0
        return LoadPlan(
            definitions: definitions, sources: sources, isStream: sent.map { $0.role == .stream }, weights: sent.map(\.weight),
            get: hasGets ? try get(channel: UInt32(workload.tables.count + 1)) : nil, before: before,
            subscribed: load.subscribers > 0 ? answeredViews : [], mix: weights)
    }

    /// The views that are asked for.
    private var answeredViews: [String] {
        load.view.isEmpty ? workload.definitions.views.filter { !$0.isReadByView }.map(\.name) : load.view
    }

    private func views(of table: Int) -> [String] {
        load.view.filter { name in workload.definitions.views.contains { $0.name == name && $0.streams.contains(table) } }
    }

    private func source(
        _ pool: BatchPool, _ load: Workload.TableLoad, views: [String], channel: UInt32
    ) -> LoadPlan.Source {
        let open = Open(mode: .stream, table: pool.table.name, views: views)
        return LoadPlan.Source(pool, open: open, channel: channel, table: load.table)
    }

    /// Keys drawn like those of the events, asked for in the first view that has some.
    private func get(channel: UInt32) throws -> LoadPlan.Source {
        let definitions = workload.definitions
        for name in answeredViews {
            let view = definitions.views.firstIndex { $0.name == name }!
            for table in workload.tables where definitions.views[view].streams.contains(table.table) {
                let keys = definitions.keyColumns(view: view, stream: table.table)
                guard !keys.isEmpty else { continue }
                let columns = keys.map { definitions.tables[table.table].columns[$0] }
                let pool = try BatchPool(
                    table: Table(name: definitions.tables[table.table].name, columns: columns),
                    rules: keys.map { table.rules[$0] },
                    rows: .drawn(max(load.batch, Int(data.pool.value / 10))), rowsPerBatch: load.batch, seed: data.seed &+ 2,
                    bytesMax: Self.poolBytesMax / 8)
                let open = Open(mode: .get, views: [name], keyColumns: columns.map(\.name))
                return LoadPlan.Source(pool, open: open, channel: channel, table: nil)
            }
        }
        throw LoadError("no view is partitioned by columns of its events: --mix cannot have get")
    }
}
