import Engine
import Language
import Linux
import Logging
import Plan
import Storage
import Synchronization

/// Finds the newest snapshot that is good, and fills the shards of a starting server from it, all of them at once.
///
/// One that turns out damaged, at its ends or anywhere inside, is passed over for the one before, with a warning that names file
/// and offset; the shards that it had begun to fill are given up. Whether the log reaches back as far as what was
/// loaded, or to its own beginning where nothing was, is for whoever replays it to say.
struct SnapshotLoading {
    let snapshots: SnapshotExchange
    let configuration: ServerConfiguration
    let logger: Logger

    private var directory: SnapshotDirectory { snapshots.directory }

    /// nil where there is no good one.
    func loadNewest() throws(StartError) -> LoadedSnapshot? {
        do throws(SnapshotError) {
            return try newestGood()
        } catch {
            throw StartError("a snapshot cannot be loaded: \(error)")
        }
    }

    private func newestGood() throws(SnapshotError) -> LoadedSnapshot? {
        while let reader = try directory.openNewest(passOver) {
            let sequence = reader.header.sequence
            do throws(SnapshotError) {
                return try load(reader)
            } catch {
                switch error {
                case .damaged, .disk:
                    passOver(error)
                    directory.found(damaged: sequence)
                case .unknownVersion, .system, .tooLarge, .refused: throw error
                }
            }
        }
        return nil
    }

    private func passOver(_ error: SnapshotError) {
        logger.warning("a snapshot is passed over, and the one before it looked for: \(error)")
    }

    private func load(_ reader: consuming SnapshotReader) throws(SnapshotError) -> LoadedSnapshot {
        let (header, footer, history, path) = (reader.header, reader.footer, reader.definitions, reader.path)
        let begin = configuration.time.monotonicNanoseconds()
        let definitions = try DefinitionsReplay(history, path: path, by: configuration.compile)
        logger.info(
            """
            loading the snapshot of sequence \(header.sequence) of \(header.coreCount) cores: \(footer.keyCount) keys and joined \
            rows, \(footer.fileBytes) bytes
            """)
        let (compiled, cores) = (definitions.catalog.compiled, configuration.coreCount)
        let shards = (0..<cores).map { index in
            ShardBox(configuration.makeShard(compiled, index: index))
        }
        let producers = Collected()
        let feed = SnapshotFeed(
            consumers: cores,
            take: { (core, block) throws(SnapshotError) in
                switch block.kind.section {
                case .state:
                    try onShard(block.path, block.offset) { () throws(ImageError) in try shards[core].load(block.bytes) }
                case .producers: if core == 0 { producers.bytes.withLock { $0 += block.bytes } }
                case .definitions: break
                }
            },
            end: { (core) throws(SnapshotError) in
                try onShard(path, 0) { () throws(ImageError) in try shards[core].finishLoading() }
            })
        var nextReport = begin + Self.reportNanoseconds
        try feed.run(reader) { readBytes, fileBytes in
            let now = configuration.time.monotonicNanoseconds()
            guard now >= nextReport else { return }
            nextReport = now + Self.reportNanoseconds
            logger.info("loading: \(100 * readBytes / max(1, fileBytes)) % of the snapshot")
        }
        let duration = configuration.time.monotonicNanoseconds() - begin
        logger.info("loaded the snapshot of sequence \(header.sequence) in \(duration / 1_000_000) ms")
        snapshots.loaded(
            SnapshotExchange.Figures.Last(
                sequence: header.sequence, wallMicroseconds: header.wallMicroseconds, fileBytes: footer.fileBytes,
                keys: footer.keyCount, durationNanoseconds: nil))
        return LoadedSnapshot(
            header: header, footer: footer, catalog: definitions.catalog, history: history, coverage: definitions.coverage,
            shards: shards,
            producers: producers.bytes.withLock { $0 })
    }

    private static let reportNanoseconds: UInt64 = 2_000_000_000

    /// The producers' section, as its blocks come.
    private final class Collected: Sendable {
        let bytes = Mutex<[UInt8]>([])
    }
}

/// An image that its shard does not take is as good as a damaged one, whatever its checksums say: but for memory, which another
/// snapshot would need as well.
private func onShard(_ path: String, _ offset: Int, _ body: () throws(ImageError) -> Void) throws(SnapshotError) {
    do throws(ImageError) {
        try body()
    } catch {
        if error.isMemoryFull { throw .refused(path, "\(error); give the server more --memory") }
        throw .damaged(path, offset: offset, "the state in it", expected: "that of its definitions", found: "\(error)")
    }
}
