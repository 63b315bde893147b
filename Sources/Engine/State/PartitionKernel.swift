import Bytes

/// What reading and writing a key's log needs of a partition: its code, and the rows that wait.
///
/// A value of a few words. These could be methods of `Partition`, but a borrowing call of a noncopyable structure out of a
/// mutating one copies the structure, several times a row.
struct PartitionKernel {
    let codePlace: UnsafePointer<PartitionCode>
    let pending: PendingRows

    var code: PartitionCode { @inline(__always) unsafeAddress { codePlace } }

    init(_ code: PartitionCode) {
        let place = UnsafeMutablePointer<PartitionCode>.allocate(capacity: 1)
        place.initialize(to: code)
        codePlace = UnsafePointer(place)
        pending = PendingRows(
            windowCount: code.windowCount, textCount: code.inputCount + code.tieCount, partialCount: code.partialCount)
    }

    func deallocate() {
        code.deallocate()
        codePlace.deallocate()
        pending.deallocate()
    }

    @inline(__always)
    func logView(_ record: KeyRecord, _ base: UnsafeMutableRawPointer) -> KeyLog {
        let log = base + Int(record.log) &* Arena.granuleBytes
        let capacity = record.capacity
        return KeyLog(
            base: log, capacity: capacity, head: record.head, tail: record.tail, partials: log + code.bytesPerEvent &* capacity)
    }

    /// Views of the first `count` pending rows' logs, as they are now.
    @inline(__always)
    func viewLogs(_ count: Int, _ base: UnsafeMutableRawPointer) {
        for index in 0..<count { pending[index].log = logView(pending[index].record, base) }
    }
}
