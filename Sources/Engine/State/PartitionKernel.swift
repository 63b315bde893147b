import Bytes

/// What reading and writing a key's log needs of a partition: its code, and room for what is worked out of one row.
///
/// A value of three words. These could be methods of `Partition`, but a borrowing call of a noncopyable structure out of a
/// mutating one copies the structure, several times a row.
struct PartitionKernel {
    let codePlace: UnsafePointer<PartitionCode>
    /// First and behind-last position of each window's frame for the row under way, and whether rows that were given up
    /// belong to it.
    let frames: UnsafeMutablePointer<FramePositions>
    /// Numbers of the row's interned texts, by input; those of tie-breakers behind them.
    let texts: UnsafeMutablePointer<UInt32>

    var code: PartitionCode { @inline(__always) unsafeAddress { codePlace } }

    init(_ code: PartitionCode) {
        let place = UnsafeMutablePointer<PartitionCode>.allocate(capacity: 1)
        place.initialize(to: code)
        codePlace = UnsafePointer(place)
        frames = .allocate(capacity: max(1, code.windowCount))
        frames.initialize(repeating: FramePositions(), count: max(1, code.windowCount))
        let textCount = code.inputCount + code.tieCount + 1
        texts = .allocate(capacity: textCount)
        texts.initialize(repeating: TextInterner.none, count: textCount)
    }

    func deallocate() {
        code.deallocate()
        codePlace.deallocate()
        frames.deallocate()
        texts.deallocate()
    }

    @inline(__always)
    func logView(_ record: KeyRecord, _ base: UnsafeMutableRawPointer) -> KeyLog {
        let log = base + Int(record.log) &* Arena.granuleBytes
        let capacity = record.capacity
        return KeyLog(
            base: log, capacity: capacity, head: record.head, tail: record.tail, partials: log + code.bytesPerEvent &* capacity)
    }
}
