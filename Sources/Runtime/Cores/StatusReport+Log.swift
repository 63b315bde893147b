import Wire

/// The log of a server with a data directory: how far it is, what the disk takes, and what the start took.
extension StatusReport {
    func log() -> [StatusReply.Entry] {
        guard let journal else { return [] }
        let figures = journal.figures
        var entries = [
            entry("durability", "", label: journal.durability.rawValue, 1),
            entry("log_written_sequence", "", Double(figures.writtenSequence)),
            entry("log_synced_sequence", "", Double(figures.syncedSequence)),
            entry("log_written", "bytes", Double(figures.writtenBytes)),
            entry("log_segments", "", Double(figures.segments)),
            entry("log_syncs", "", Double(figures.syncs)),
            entry("disk_full", "", journal.isDiskFull ? 1 : 0),
            entry("disk_full_refusals", "", sum { $0.metrics.diskFullRefusals }),
            entry("recovery", "s", Double(figures.replayNanoseconds) / 1e9),
            entry("recovered_events", "", Double(figures.replayedRows)),
        ]
        for (name, percentile) in [("sync_p50", 50.0), ("sync_p99", 99.0)] {
            guard let nanoseconds = figures.syncNanoseconds(percentile: percentile) else { continue }
            entries.append(entry(name, "us", Double(nanoseconds) / 1_000))
        }
        return entries
    }
}
