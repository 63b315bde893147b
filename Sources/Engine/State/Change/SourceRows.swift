import Values

/// What an old log tells of an input of a new one, row by row.
struct SourceRows {
    private let log: KeyLog
    private let record: KeyRecord
    private let source: KeyRebuild.Input.Source
    /// The old input, where that is the source.
    private let input: InputCode?
    private let companion: InputCode?
    private let tie: TieCode?

    init(_ rows: RebuiltRows, _ input: KeyRebuild.Input) {
        log = rows.oldLog
        record = rows.oldRecord
        source = input.source
        self.input = input.source == .input ? rows.old.code.inputs[input.number] : nil
        companion = input.companion >= 0 ? rows.old.code.inputs[input.companion] : nil
        tie = input.source == .tieBreaker ? rows.old.code.ties[input.number] : nil
    }

    /// The column that holds the values; nil where there is none.
    var valuesOffset: Int? {
        switch source {
        case .nothing: nil
        case .input: input!.values >= 0 ? input!.values : nil
        case .time: 0
        case .tieBreaker: tie!.values
        }
    }

    /// Whether the column holds values and NULLs as inputs do.
    var isAsStored: Bool {
        source == .input && companion == nil && (!input!.mayBeNull || input!.nulls >= 0 || input!.form != .integer)
    }

    var nullsOffset: Int? { input.flatMap { $0.nulls >= 0 ? $0.nulls : nil } }

    func isThere(_ position: Int) -> Bool {
        switch source {
        case .nothing: return false
        case .time: return true
        case .tieBreaker: return log.column(tie!.nulls, as: UInt8.self)[position & log.mask] == 0
        case .input: return isThere(position, input!) && (companion.map { isThere(position, $0) } ?? true)
        }
    }

    private func isThere(_ position: Int, _ input: InputCode) -> Bool {
        if !input.mayBeNull { return true }
        if input.values >= 0 { return !log.isNull(input, position) }
        return step(position, column: input.counts, total: input.countTotal) != 0
    }

    func isTrue(_ position: Int) -> Bool { isThere(position) && exact(position) != 0 }

    /// The value of an integer, numeric or boolean that is there.
    func exact(_ position: Int) -> Int128 {
        let slot = position & log.mask
        switch source {
        case .nothing: return 0
        case .time: return Int128(log.times[slot])
        case .tieBreaker: return stored(tie!.form, tie!.values, slot)
        case .input:
            let input = input!
            if input.values >= 0 { return stored(input.form, input.values, slot) }
            if input.trues >= 0 { return Int128(step(position, column: input.trues, total: input.trueTotal)) }
            let next = position + 1
            if input.sumBytes == 8 {
                let sums = log.column(input.sums, as: Int64.self)
                let behind = next == log.tail ? record.field(input.sumTotal, as: Int64.self).pointee : sums[next & log.mask]
                return Int128(behind &- sums[slot])
            }
            let sums = log.column(input.sums, as: Int128.self)
            let behind = next == log.tail ? record.field(input.sumTotal, as: Int128.self).pointee : sums[next & log.mask]
            return behind &- sums[slot]
        }
    }

    private func stored(_ form: Form, _ offset: Int, _ slot: Int) -> Int128 {
        switch form {
        case .boolean: return Int128(log.column(offset, as: UInt8.self)[slot])
        case .integer: return Int128(log.column(offset, as: Int64.self)[slot])
        case .decimal: return log.column(offset, as: Int128.self)[slot]
        case .double, .text, .interval, .array: return 0
        }
    }

    /// By how much a running count grows with a row.
    private func step(_ position: Int, column: Int, total: Int) -> UInt32 {
        let counts = log.column(column, as: UInt32.self)
        let next = position + 1
        let behind =
            next == log.tail
            ? UInt32(truncatingIfNeeded: record.field(total, as: Int64.self).pointee) : counts[next & log.mask]
        return behind &- counts[position & log.mask]
    }
}
