import CLinux
import Glibc

/// What is written, moved and removed in one directory (inotify). It does not look into directories below.
public struct DirectoryWatch: ~Copyable {
    /// What happened since the last look.
    public struct Changes: Hashable {
        /// Files that were written to the end, moved there or removed. Empty names stand for the directory as a whole.
        public var names: Set<String> = []
        /// Nothing more is seen: the directory was removed or moved away.
        public var isOver = false
    }

    private let descriptor: FileDescriptor
    /// Files that somebody has written to and not closed yet.
    private var beingWritten: Set<String> = []

    /// Becomes readable when something has happened.
    public var number: Int32 { descriptor.number }
    /// No file of those that pass is half written, as far as is known: whoever keeps one open after a write counts as writing.
    public func isSettled(_ isWanted: (String) -> Bool) -> Bool { !beingWritten.contains(where: isWanted) }

    public init(path: String) throws(FileError) {
        descriptor = try DirectoryWatch.descriptor(for: path)
    }

    private static func descriptor(for path: String) throws(FileError) -> FileDescriptor {
        let number = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard number >= 0 else { throw FileError("watch", path) }
        let descriptor = FileDescriptor(owning: number)
        let mask = IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF
        guard inotify_add_watch(number, path, UInt32(mask) | UInt32(IN_ONLYDIR)) >= 0 else { throw FileError("watch", path) }
        return descriptor
    }

    /// Takes what has happened; does not wait.
    public mutating func changes() -> Changes {
        var changes = Changes()
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 8) { buffer in
            while true {
                let count = Glibc.read(descriptor.number, buffer.baseAddress, buffer.count)
                if count <= 0 { return }
                take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), &changes)
            }
        }
        return changes
    }

    /// The kernel only hands out whole events: a header, and a name of `len` bytes that zeros end.
    private mutating func take(_ bytes: UnsafeRawBufferPointer, _ changes: inout Changes) {
        var offset = 0
        while offset + MemoryLayout<inotify_event>.size <= bytes.count {
            let event = bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
            let start = offset + MemoryLayout<inotify_event>.size
            offset = start + Int(event.len)
            let name = String(decoding: bytes[start..<offset].prefix { $0 != 0 }, as: UTF8.self)
            take(name, event.mask, &changes)
        }
    }

    private mutating func take(_ name: String, _ mask: UInt32, _ changes: inout Changes) {
        func has(_ flags: Int32) -> Bool { mask & UInt32(flags) != 0 }
        if has(IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT) { changes.isOver = true }
        if has(IN_Q_OVERFLOW) {
            beingWritten = []
            changes.names.insert("")
        } else if has(IN_MODIFY) {
            beingWritten.insert(name)
        } else if has(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE) {
            beingWritten.remove(name)
            changes.names.insert(name)
        }
    }
}
