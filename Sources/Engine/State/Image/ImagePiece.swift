import Synchronization

/// A finished piece of an image: immutable, and so any thread's to read.
public final class ImagePiece: @unchecked Sendable {
    public let byteCount: Int
    /// Of `memory` and `key`.
    private let lock = Mutex(())
    private var memory: UnsafeMutableRawBufferPointer?
    /// Whose parts are not one yet.
    private var key: KeyImage?

    /// Valid as long as the piece. The first to ask for those of a large key waits until its parts are put together, which takes
    /// tens of milliseconds for 100 MB: not for a core.
    public var bytes: UnsafeRawBufferPointer {
        lock.withLock { _ in
            guard let key else { return }
            memory = key.joined()
            self.key = nil
        }
        // Nobody writes it any more.
        return UnsafeRawBufferPointer(memory!)
    }

    /// Takes the memory over.
    init(_ memory: UnsafeMutableRawBufferPointer) {
        self.memory = memory
        byteCount = memory.count
    }

    /// Takes the key over, which is written.
    init(_ key: KeyImage) {
        self.key = key
        byteCount = key.byteCount
    }

    deinit { memory?.deallocate() }
}
