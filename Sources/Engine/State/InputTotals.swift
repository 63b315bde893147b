/// An input's totals over all rows so far, before a row is stored inside of the log.
struct InputTotals {
    var count: Int64 = 0
    var trues: Int64 = 0
    var sum: Int128 = 0

    init(_ record: KeyRecord, _ input: InputCode) {
        if input.counts >= 0 { count = record.field(input.countTotal, as: Int64.self).pointee }
        if input.trues >= 0 { trues = record.field(input.trueTotal, as: Int64.self).pointee }
        if input.sums >= 0 { sum = InputTotals.sum(record, input) }
    }

    private static func sum(_ record: KeyRecord, _ input: InputCode) -> Int128 {
        input.sumBytes == 8
            ? Int128(record.field(input.sumTotal, as: Int64.self).pointee) : record.field(input.sumTotal, as: Int128.self).pointee
    }

    /// Now that the row at `position` has been stored as if it were the newest: what came before it is what came before the
    /// row behind it, and all rows behind it have what it brought before them.
    func carry(_ record: KeyRecord, _ log: KeyLog, _ input: InputCode, over position: Int) {
        let now = InputTotals(record, input)
        if input.counts >= 0 {
            InputTotals.carry(
                log.column(input.counts, as: UInt32.self), log, position, by: UInt32(truncatingIfNeeded: now.count &- count))
        }
        if input.trues >= 0 {
            InputTotals.carry(
                log.column(input.trues, as: UInt32.self), log, position, by: UInt32(truncatingIfNeeded: now.trues &- trues))
        }
        if input.sums < 0 { return }
        if input.sumBytes == 8 {
            InputTotals.carry(
                log.column(input.sums, as: Int64.self), log, position, by: Int64(truncatingIfNeeded: now.sum &- sum))
        } else {
            InputTotals.carry(log.column(input.sums, as: Int128.self), log, position, by: now.sum &- sum)
        }
    }

    static func carry<T: FixedWidthInteger>(_ values: UnsafeMutablePointer<T>, _ log: KeyLog, _ position: Int, by step: T) {
        values[position & log.mask] = values[(position &+ 1) & log.mask]
        for younger in position &+ 1..<log.tail { values[younger & log.mask] &+= step }
    }
}
