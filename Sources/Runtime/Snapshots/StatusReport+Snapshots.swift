import Wire

/// The newest snapshot, and what became of the others; nothing where none are taken.
extension StatusReport {
    func snapshotEntries() -> [StatusReply.Entry] {
        guard let figures = snapshots?.figures else { return [] }
        var entries = [
            entry("snapshots", "", label: "published", Double(figures.published)),
            entry("snapshots", "", label: "failed", Double(figures.failed)),
        ]
        if let last = figures.last {
            let now = parts.map(\.wallMicroseconds).max() ?? last.wallMicroseconds
            entries += [
                entry("snapshot_sequence", "", Double(last.sequence)),
                entry("snapshot_age", "s", Double(max(0, now - last.wallMicroseconds)) / 1e6),
                entry("snapshot_bytes", "bytes", Double(last.fileBytes)),
                entry("snapshot_keys", "", Double(last.keys)),
            ]
            if let nanoseconds = last.durationNanoseconds {
                entries.append(entry("snapshot_duration", "s", Double(nanoseconds) / 1e9))
            }
        }
        if let failure = figures.lastFailure {
            entries.append(
                entry("snapshot_failed_at", "s since 1970", label: failure.line, Double(failure.wallMicroseconds) / 1e6))
        }
        return entries
    }
}
