import CKernels
import CZstd
import Linux

/// Writes a `ColdSegment`.
enum ColdSegmentWriter {
    /// zstd's default: about as fast as the bytes can be read from a disk.
    private static let level: Int32 = 3

    /// Makes the file anew and syncs it. The segment is checked whole first, so that nothing damaged gets checksums that hold.
    /// - Returns: False where it was cancelled.
    static func write(
        _ name: SegmentName, to path: String, in directory: String, _ disk: any Disk, unless isCancelled: () -> Bool
    ) throws(LogError) -> Bool {
        let (header, end, byteCount) = try check(name, in: directory, disk)
        let source = try onDisk { () throws(DiskError) in try disk.open("\(directory)/\(name.text)", .read) }
        let file = try onDisk { () throws(DiskError) in
            do throws(DiskError) {
                return try disk.open(path, .create)
            } catch {
                // What an attempt that failed has left.
                guard error.code == DiskError.exists else { throw error }
                try disk.remove(path)
                return try disk.open(path, .create)
            }
        }
        var position = ColdSegment.headerBytes + LogFormat.headerBytes + end.count
        let front = LogBytes(zeros: position)
        header.write(to: front.base + ColdSegment.headerBytes)
        (front.base + ColdSegment.headerBytes + LogFormat.headerBytes).copyMemory(from: end.base, byteCount: end.count)

        var block = Block()
        let blockCount = (byteCount + ColdSegment.blockBytes - 1) / ColdSegment.blockBytes
        for index in 0..<blockCount {
            if isCancelled() { return false }
            let start = index * ColdSegment.blockBytes
            let bytes = try LogBytes(of: source, at: start, count: min(ColdSegment.blockBytes, byteCount - start))
            let compressed = block.compress(bytes.bytes, index: index, level: level)
            try onDisk { () throws(DiskError) in try file.write([compressed], at: position) }
            position += compressed.count
        }
        finish(front, endBytes: end.count, byteCount: byteCount, blockCount: blockCount, fileBytes: position)
        try onDisk { () throws(DiskError) in
            try file.write([front.bytes], at: 0)
            try file.sync()
        }
        return true
    }

    /// The segment's header, its last record with header and body, and its length.
    private static func check(
        _ name: SegmentName, in directory: String, _ disk: any Disk
    ) throws(LogError) -> (SegmentHeader, LogBytes, byteCount: Int) {
        guard case .segment(var scan) = try SegmentScan.open(name, in: directory, disk, isNewest: false) else {
            preconditionFailure("a segment that is not the newest is a whole one or damaged")
        }
        while true {
            let start = scan.position
            switch try scan.next() {
            case .record: continue
            case .finished:
                let file = try onDisk { () throws(DiskError) in try disk.open(scan.path, .read) }
                return (scan.header, try LogBytes(of: file, at: start, count: scan.position - start), scan.position)
            case .open, .torn: preconditionFailure("a segment that is not the newest is finished or damaged")
            }
        }
    }

    private static func finish(_ front: LogBytes, endBytes: Int, byteCount: Int, blockCount: Int, fileBytes: Int) {
        let base = front.base
        ColdSegment.magic.withUnsafeBytes { base.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        base.storeBytes(of: ColdSegment.version.littleEndian, toByteOffset: 8, as: UInt16.self)
        base.storeBytes(of: UInt32(endBytes).littleEndian, toByteOffset: 12, as: UInt32.self)
        base.storeBytes(of: UInt64(byteCount).littleEndian, toByteOffset: 16, as: UInt64.self)
        base.storeBytes(of: UInt64(blockCount).littleEndian, toByteOffset: 24, as: UInt64.self)
        base.storeBytes(of: UInt64(fileBytes).littleEndian, toByteOffset: 32, as: UInt64.self)
        base.storeBytes(of: checksum(front.bytes).littleEndian, toByteOffset: 44, as: UInt32.self)
    }

    /// One block on its way into the file.
    private struct Block: ~Copyable {
        private let buffer: UnsafeMutableRawBufferPointer
        private let context: OpaquePointer

        init() {
            let frameBytes = LogFormat.padded(ZSTD_compressBound(ColdSegment.blockBytes))
            buffer = .allocate(byteCount: ColdSegment.blockHeaderBytes + frameBytes, alignment: 8)
            guard let context = ZSTD_createCCtx() else { fatalError("no memory for zstd") }
            self.context = context
        }

        deinit {
            buffer.deallocate()
            ZSTD_freeCCtx(context)
        }

        /// Valid until the next call.
        mutating func compress(_ bytes: UnsafeRawBufferPointer, index: Int, level: Int32) -> UnsafeRawBufferPointer {
            let base = buffer.baseAddress.unsafelyUnwrapped
            let frame = base + ColdSegment.blockHeaderBytes
            let length = ZSTD_compressCCtx(
                context, frame, buffer.count - ColdSegment.blockHeaderBytes, bytes.baseAddress, bytes.count, level)
            precondition(ZSTD_isError(length) == 0, "there is room for whatever zstd makes of a block")
            let padded = LogFormat.padded(length)
            (frame + length).initializeMemory(as: UInt8.self, repeating: 0, count: padded - length)
            base.storeBytes(of: UInt32(length).littleEndian, as: UInt32.self)
            base.storeBytes(of: UInt32(bytes.count).littleEndian, toByteOffset: 4, as: UInt32.self)
            base.storeBytes(of: UInt32(index).littleEndian, toByteOffset: 8, as: UInt32.self)
            base.storeBytes(of: CKernels_crc32c(frame, padded).littleEndian, toByteOffset: 12, as: UInt32.self)
            base.storeBytes(of: checksum(bytes).littleEndian, toByteOffset: 16, as: UInt32.self)
            base.storeBytes(of: CKernels_crc32c(base, 20).littleEndian, toByteOffset: 20, as: UInt32.self)
            return UnsafeRawBufferPointer(start: base, count: ColdSegment.blockHeaderBytes + padded)
        }
    }
}
