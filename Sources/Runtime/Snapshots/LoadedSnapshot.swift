import Engine
import Storage
import Synchronization

/// What a starting server takes over from a snapshot.
struct LoadedSnapshot: Sendable {
    var header: SnapshotHeader
    var footer: SnapshotFooter
    /// The definitions in force at its place.
    var catalog: Catalog
    /// The sets of definitions that `catalog` followed from, the one in force last.
    var history: [SnapshotDefinitions]
    var coverage: CoverageRecord
    /// One a core.
    var shards: [ShardBox]
    /// What `ProducerRegistry.encode` gave; empty where there was none.
    var producers: [UInt8]
}

/// A shard on its way from the thread that fills it to the core that owns it.
///
/// `@unchecked Sendable`: one thread at a time has it, under the lock; a shard has no ties to the thread that made it.
final class ShardBox: @unchecked Sendable {
    private let lock = Mutex<Void>(())
    private var shard: Shard?

    init(_ shard: consuming Shard) { self.shard = consume shard }

    /// Once.
    func take() -> Shard? { lock.withLock { _ in shard.take() } }

    func load(_ piece: [UInt8]) throws(ImageError) {
        try lock.withLock { (_) throws(ImageError) in
            try piece.withUnsafeBufferPointer { (bytes) throws(ImageError) in try shard?.load(UnsafeRawBufferPointer(bytes)) }
        }
    }

    func finishLoading() throws(ImageError) {
        try lock.withLock { (_) throws(ImageError) in try shard?.finishLoading() }
    }
}
