import Engine
import Values
import Wire

/// The status of the whole server, out of its cores' parts: names, labels and units are part of the protocol.
struct StatusReport {
    var parts: [CoreStatus]
    var catalog: Catalog
    var memoryBytesMax: Int
    var limits: SessionLimits
    var sequenceCapacity: Int
    var reloads: ReloadQueue.Figures
    var producers: ProducerRegistry.Figures
    /// nil without a data directory.
    var journal: JournalExchange?
    var snapshots: SnapshotExchange?

    func entries() -> [StatusReply.Entry] {
        server() + definitions() + log() + snapshotEntries() + latency() + serving() + memory() + streams() + coverage()
            + joinTables()
    }

    func sum(_ value: (CoreStatus) -> UInt64) -> Double { Double(parts.reduce(0) { $0 + value($1) }) }

    private func server() -> [StatusReply.Entry] {
        let uptimeSeconds = Double(parts.map(\.uptimeNanoseconds).max() ?? 0) / 1e9
        let batches = sum { $0.metrics.batches.reduce(0, +) }
        let rows = sum { $0.metrics.rows.reduce(0, +) }
        var entries = [
            entry("uptime", "s", uptimeSeconds),
            entry("cores", "", Double(parts.count)),
            entry("definitions", "version", Double(catalog.version)),
            entry("sequence", "", Double(parts.map(\.sequence).max() ?? 0)),
            entry("connections", "", sum { UInt64($0.connections) }),
            entry("connections_accepted", "", sum { $0.metrics.connectionsAccepted }),
            entry("connections_turned_away", "", sum { $0.metrics.connectionsTurnedAway }),
            entry("subscribers", "", sum { UInt64($0.metrics.subscribers) }),
            entry("subscribers_lagging", "", sum { UInt64($0.metrics.subscribersLagging) }),
            entry("subscribers_disconnected", "", sum { $0.metrics.pushes.disconnected }),
            entry("subscriber_memory", "bytes", sum { UInt64($0.metrics.subscriberBytes) }),
            entry("pushed_rows", "", sum { $0.metrics.pushes.pushedRows }),
            entry("conflated_rows", "", sum { $0.metrics.pushes.conflatedRows }),
            entry("dropped_rows", "", sum { $0.metrics.pushes.droppedRows }),
            entry("results_too_large", "", sum { $0.metrics.resultsTooLarge }),
            entry("protocol_errors", "", sum { $0.metrics.protocolErrors }),
            entry("bad_batches", "", sum { $0.metrics.badBatches }),
            entry("received", "bytes", sum { $0.metrics.receivedBytes }),
            entry("batches_per_second", "1/s", uptimeSeconds > 0 ? batches / uptimeSeconds : 0),
            entry("rows_per_second", "1/s", uptimeSeconds > 0 ? rows / uptimeSeconds : 0),
            entry("late_rows", "", sum { $0.metrics.lateRows }),
            entry("refused_rows", "", sum { $0.metrics.refusedRows }),
            entry("cell_errors", "", sum { $0.metrics.cellErrors }),
        ]
        for mode in [BatchMode.compute, .ingest, .evaluate, .lookUp] {
            let label = mode == .lookUp ? "get" : "\(mode)"
            entries.append(entry("batches", "", label: label, sum { $0.metrics.batches[Int(mode.rawValue)] }))
            entries.append(entry("rows", "", label: label, sum { $0.metrics.rows[Int(mode.rawValue)] }))
        }
        return entries
    }

    /// Changes of definitions since the start; of the last that failed, when and the first line of why.
    private func definitions() -> [StatusReply.Entry] {
        var entries = [
            entry("reloads", "", label: "done", Double(reloads.done)),
            entry("reloads", "", label: "failed", Double(reloads.failed)),
        ]
        if let failure = reloads.lastFailure {
            entries.append(entry("reload_failed_at", "s since 1970", label: failure.line, Double(failure.wallMicroseconds) / 1e6))
        }
        return entries
    }

    /// Of the batches sampled in the last 10 to 20 seconds; nothing where none was.
    private func latency() -> [StatusReply.Entry] {
        let stages = StageLatency.merged(parts.map(\.metrics.latency))
        return StageLatency.Stage.allCases.flatMap { stage -> [StatusReply.Entry] in
            let durations = stages[stage.rawValue]
            guard durations.totalCount > 0 else { return [] }
            return StageLatency.percentiles.map { percentile in
                entry(percentile.name, "us", label: "\(stage)", Double(durations.valueAtPercentile(percentile.value)) / 1_000)
            }
        }
    }

    private func memory() -> [StatusReply.Entry] {
        var entries = [
            entry("memory_bound", "bytes", Double(memoryBytesMax)),
            entry("memory_used", "bytes", sum { UInt64($0.memoryUsedBytes) }),
            entry("keys", "", sum { UInt64($0.keys) }),
            entry("keys_lost", "", sum { UInt64($0.keysLost) }),
        ]
        for part in parts.sorted(by: { $0.core < $1.core }) {
            let label = "shard \(part.core)"
            entries.append(entry("memory_used", "bytes", label: label, Double(part.memoryUsedBytes)))
            entries.append(entry("keys", "", label: label, Double(part.keys)))
            entries.append(entry("accepts_new_keys", "", label: label, part.acceptsNewKeys ? 1 : 0))
        }
        return entries
    }

    /// How far each stream's newest event is behind the clock.
    private func streams() -> [StatusReply.Entry] {
        var entries: [StatusReply.Entry] = []
        for (number, stream) in catalog.streams.enumerated() {
            guard let newest = parts.compactMap({ $0.newestEventTimes[stream.table] }).max(),
                let type = catalog.plan.streams[number].eventTime?.type, type.isTimestamp
            else { continue }
            let clock = parts.map(\.wallMicroseconds).max() ?? 0
            entries.append(entry("lag", "s", label: stream.table, Double(clock - newest) / 1e6))
        }
        return entries
    }

    /// Of every column that is not complete yet: from when on it is.
    private func coverage() -> [StatusReply.Entry] {
        reloads.coverage.columns.flatMap { column -> [StatusReply.Entry] in
            guard let stream = catalog.streams.firstIndex(where: { $0.table == column.table }),
                let missing = column.missing(at: parts.compactMap { $0.newestEventTimes[column.table] }.max())
            else { return [] }
            var entries: [StatusReply.Entry] = []
            if let time = missing.completeAfter {
                entries.append(coverageTime(time, catalog.plan.streams[stream].eventTime?.type, label: column.label))
            }
            if missing.coverage.rows > 0 {
                entries.append(entry("coverage_rows", "rows of a key", label: column.label, Double(missing.coverage.rows)))
            }
            for table in missing.coverage.tables {
                entries.append(entry("coverage_resend", "", label: "\(column.label): rows of \(table)", 1))
            }
            if missing.coverage.isPartial { entries.append(entry("coverage_partial", "", label: column.label, 1)) }
            return entries
        }
    }

    private func coverageTime(_ time: Int64, _ type: ValueType?, label: String) -> StatusReply.Entry {
        switch type {
        case .timestamp, .timestamptz: entry("coverage", "s since 1970", label: label, Double(time) / 1e6)
        case .date: entry("coverage", "s since 1970", label: label, Double(time) * 86_400)
        default: entry("coverage", "event time", label: label, Double(time))
        }
    }

    /// Rows that other tables' rows are joined with, of which every shard has a copy.
    private func joinTables() -> [StatusReply.Entry] {
        var rows: [CoreStatus.JoinedTable: Int] = [:]
        for part in parts { rows.merge(part.joinedRows, uniquingKeysWith: max) }
        return rows.sorted { $0.key.table < $1.key.table }.map { joined, rows in
            entry(joined.isHistory ? "history_rows" : "reference_rows", "", label: joined.table, Double(rows))
        }
    }

    func entry(_ name: String, _ unit: String, label: String = "", _ value: Double) -> StatusReply.Entry {
        StatusReply.Entry(name: name, label: label, unit: unit, value: value)
    }
}
