/// A finished piece of an image: immutable, and so any thread's to read.
public final class ImagePiece: @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer

    /// Valid as long as the piece.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }

    /// Takes the memory over.
    init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    deinit { memory.deallocate() }
}
