import CKernels

extension UnsafeMutableRawPointer {
    /// Asks the processor for the line at this address; any address is allowed.
    @inlinable @inline(__always)
    public func prefetch() { CKernels_prefetch(self) }

    @inlinable @inline(__always)
    public func prefetchForWriting() { CKernels_prefetchForWriting(self) }
}
