import Bytes
import Values

/// Reads keys as `PartitionKernel+Image` writes them.
extension PartitionKernel {
    /// Head, floor and rows of a key.
    struct ImageExtent {
        let head: Int
        let floor: Int
        let count: Int

        init(_ reader: inout ImageReader) throws(ImageFault) {
            head = try reader.takeCount(max: ImageFormat.positionMax, "the number of rows given up")
            floor = try reader.takeCount(max: ImageFormat.positionMax, "the floor")
            // Each has a time.
            count = try reader.takeCount(max: reader.left / 8, "the number of rows")
            if floor > head &+ count { throw ImageFault("the floor lies behind the last row") }
        }
    }

    /// Fills a record that has room for its rows and tables, but for its key. Nothing of it is in order before this returns.
    func load(
        _ record: KeyRecord, _ extent: ImageExtent, from reader: inout ImageReader, memory: inout ShardMemory
    ) throws(ImageFault) {
        record.head = extent.head
        record.floor = extent.floor
        record.count = extent.count
        let log = logView(record, memory.arena.base)
        try loadTimes(record, log, &reader)
        for number in 0..<code.tieCount { try load(code.ties[number], log, &reader, &memory) }
        if code.groups >= 0 {
            try loadSteps(record, log, total: code.groupTotal, column: code.groups, &reader)
        }
        for number in 0..<code.inputCount { try load(code.inputs[number], record, log, &reader, &memory) }
        for number in 0..<code.foldCount { try load(code.folds[number], record, log, &reader, &memory) }
        startFrames(record, log)
        if code.partialCount > 0 { rebuildPartials(log, from: log.head, texts: memory) }
    }

    private func loadTimes(_ record: KeyRecord, _ log: KeyLog, _ reader: inout ImageReader) throws(ImageFault) {
        try loadColumn(0, width: 8, log, &reader)
        let times = log.times
        var last = Int64.min
        for position in log.head..<log.tail {
            let time = times[position & log.mask]
            if time < last { throw ImageFault("its rows are not in the order of their times") }
            last = time
        }
        let later = try reader.takeSigned()
        if log.count == 0 { return record.lastTime = later }
        let (lastTime, overflow) = last.addingReportingOverflow(later)
        if later < 0 || overflow { throw ImageFault("its newest time is before its last row's") }
        record.lastTime = lastTime
    }

    // MARK: Columns

    @inline(__always)
    private func loadColumn(_ offset: Int, width: Int, _ log: KeyLog, _ reader: inout ImageReader) throws(ImageFault) {
        let source = try reader.take(bytes: log.count &* width)
        if log.count == 0 { return }
        let target = log.base + offset &* log.capacity
        let first = log.head & log.mask
        let run = min(log.count, log.capacity &- first)
        (target + first &* width).copyMemory(from: source, byteCount: run &* width)
        target.copyMemory(from: source + run &* width, byteCount: (log.count &- run) &* width)
    }

    private func load(
        _ tie: TieCode, _ log: KeyLog, _ reader: inout ImageReader, _ memory: inout ShardMemory
    ) throws(ImageFault) {
        let bits = try reader.takeBits(log.count)
        let nulls = log.column(tie.nulls, as: UInt8.self)
        for position in log.head..<log.tail { nulls[position & log.mask] = bits[position &- log.head] ? 1 : 0 }
        if tie.form != .text { return try loadColumn(tie.values, width: tie.form.storedBytes, log, &reader) }
        let numbers = log.column(tie.values, as: UInt32.self)
        for position in log.head..<log.tail {
            let number = try reader.takeStoredText(&memory)
            if (number == TextInterner.none) != (nulls[position & log.mask] != 0) { throw ImageFault("a NULL has a text") }
            numbers[position & log.mask] = number
        }
    }

    @inline(__always)
    private func load(
        _ input: InputCode, _ record: KeyRecord, _ log: KeyLog, _ reader: inout ImageReader, _ memory: inout ShardMemory
    ) throws(ImageFault) {
        let hasValues = input.values >= 0
        if hasValues && !input.isTime { try loadValues(input, log, &reader, &memory) }
        if input.counts >= 0 {
            if !hasValues && input.mayBeNull {
                try loadSteps(record, log, total: input.countTotal, column: input.counts, &reader)
            } else {
                try loadSteps(record, log, total: input.countTotal, column: input.counts, &reader) { !log.isNull(input, $0) }
            }
        }
        if input.trues >= 0 {
            if hasValues {
                let values = log.column(input.values, as: UInt8.self)
                try loadSteps(record, log, total: input.trueTotal, column: input.trues, &reader) { values[$0 & log.mask] == 1 }
            } else {
                try loadSteps(record, log, total: input.trueTotal, column: input.trues, &reader)
            }
        }
        if input.sums >= 0 {
            if input.sumBytes == 8 {
                try loadSums(input, record, log, &reader, as: Int64.self)
            } else {
                try loadSums(input, record, log, &reader, as: Int128.self)
            }
        }
        if input.givenUp >= 0 { try GivenUpValues(record, input, memory.arena.base).load(&reader, &memory) }
        if input.next >= 0 { link(record, log, input, memory.arena.base) }
    }

    @inline(__always)
    private func loadValues(
        _ input: InputCode, _ log: KeyLog, _ reader: inout ImageReader, _ memory: inout ShardMemory
    ) throws(ImageFault) {
        if input.form == .text {
            let numbers = log.column(input.values, as: UInt32.self)
            for position in log.head..<log.tail {
                let number = try reader.takeStoredText(&memory)
                if number == TextInterner.none && !input.mayBeNull { throw ImageFault("a text is NULL that cannot be") }
                numbers[position & log.mask] = number
            }
            return
        }
        try loadColumn(input.values, width: input.form.storedBytes, log, &reader)
        if input.form == .boolean {
            let greatest: UInt8 = input.mayBeNull ? StoredValue.nullBoolean : 1
            let values = log.column(input.values, as: UInt8.self)
            for position in log.head..<log.tail where values[position & log.mask] > greatest {
                throw ImageFault("a boolean is neither true nor false")
            }
        }
        if input.nulls >= 0 {
            let bits = try reader.takeBits(log.count)
            let nulls = log.column(input.nulls, as: UInt8.self)
            for position in log.head..<log.tail { nulls[position & log.mask] = bits[position &- log.head] ? 1 : 0 }
        }
    }

    /// A column of running counts whose steps follow from the row.
    @inline(__always)
    private func loadSteps(
        _ record: KeyRecord, _ log: KeyLog, total: Int, column: Int, _ reader: inout ImageReader, _ isStep: (Int) -> Bool
    ) throws(ImageFault) {
        let before = try reader.takeCount(max: ImageFormat.positionMax, "the number of values before the first row")
        record.field(total, as: Int64.self).pointee = Int64(before)
        for position in log.head..<log.tail {
            advance(record, log, total: total, column: column, by: isStep(position) ? 1 : 0, position)
        }
    }

    /// One whose steps the piece says.
    private func loadSteps(
        _ record: KeyRecord, _ log: KeyLog, total: Int, column: Int, _ reader: inout ImageReader
    ) throws(ImageFault) {
        let before = try reader.takeCount(max: ImageFormat.positionMax, "the number of values before the first row")
        record.field(total, as: Int64.self).pointee = Int64(before)
        let bits = try reader.takeBits(log.count)
        for position in log.head..<log.tail {
            advance(record, log, total: total, column: column, by: bits[position &- log.head] ? 1 : 0, position)
        }
    }

    private func loadSums<T: FixedWidthInteger>(
        _ input: InputCode, _ record: KeyRecord, _ log: KeyLog, _ reader: inout ImageReader, as: T.Type
    ) throws(ImageFault) {
        var total = T(truncatingIfNeeded: try reader.takeWide())
        let sums = log.column(input.sums, as: T.self)
        for position in log.head..<log.tail {
            let slot = position & log.mask
            sums[slot] = total
            if input.values < 0 {
                if input.form == .decimal {
                    total &+= T(truncatingIfNeeded: try reader.take(Int128.self))
                } else {
                    total &+= T(truncatingIfNeeded: try reader.take(Int64.self))
                }
            } else if !log.isNull(input, position) {
                if input.form == .decimal {
                    total &+= T(truncatingIfNeeded: log.column(input.values, as: Int128.self)[slot])
                } else {
                    total &+= T(truncatingIfNeeded: log.column(input.values, as: Int64.self)[slot])
                }
            }
        }
        record.field(input.sumTotal, as: T.self).pointee = total
    }

    // MARK: Folds

    private func load(
        _ fold: FoldCode, _ record: KeyRecord, _ log: KeyLog, _ reader: inout ImageReader, _ memory: inout ShardMemory
    ) throws(ImageFault) {
        if fold.kind == .lastPresent {
            let count = try PresentValues(record, fold).load(fold.form, &reader, &memory)
            if givenUpCount(record, log, fold) > count { throw ImageFault("values of rows given up are missing") }
            return
        }
        if !fold.isValue {
            let bytes = try reader.take(bytes: fold.bytes)
            return (record.raw + fold.offset).copyMemory(from: bytes, byteCount: fold.bytes)
        }
        let state = try reader.take(UInt8.self)
        record.field(fold.offset + 24, as: UInt8.self).pointee = state
        if state == 1 {
            try reader.takeStored(record.raw + fold.offset, fold.form, &memory)
            if fold.hasValue { try reader.takeStored(record.raw + fold.offset + FoldCode.valueOffset, fold.valueForm, &memory) }
        }
        // Answers take these values for granted where rows that have some were given up.
        let isTextExtreme = fold.form == .text && (fold.kind == .minimum || fold.kind == .maximum)
        let needed = fold.kind == .nthPresent ? fold.n : isTextExtreme ? 1 : .max
        if state > 2 || state != 1 && givenUpCount(record, log, fold) >= needed {
            throw ImageFault("a value of rows given up is missing")
        }
    }

    /// How many values unbounded frames hold that the log does not have.
    private func givenUpCount(_ record: KeyRecord, _ log: KeyLog, _ fold: FoldCode) -> Int {
        let (floor, input) = (record.floor, code.inputs[fold.input])
        if floor > 0 && floor >= log.head { return 0 }
        return input.counts >= 0 ? Int(presentCount(record, log, input).before(log.head)) : log.head &- floor
    }
}

extension ImageReader {
    /// The number of a text, with one use more; `TextInterner.none`: NULL.
    mutating func takeStoredText(_ memory: inout ShardMemory) throws(ImageFault) -> UInt32 {
        guard let text = try takeText() else { return TextInterner.none }
        guard memory.texts.reserve(1, in: &memory.arena), let number = memory.texts.intern(text, in: &memory.arena) else {
            throw .memoryFull
        }
        return number
    }

    /// A value, never NULL, as logs and records have it.
    mutating func takeStored(_ place: UnsafeMutableRawPointer, _ form: Form, _ memory: inout ShardMemory) throws(ImageFault) {
        if form == .text {
            let number = try takeStoredText(&memory)
            if number == TextInterner.none { throw ImageFault("a text is NULL that cannot be") }
            place.storeBytes(of: number, as: UInt32.self)
            return
        }
        let value = try take(bytes: form.storedBytes)
        if form == .boolean && value.load(as: UInt8.self) > 1 { throw ImageFault("a boolean is neither true nor false") }
        place.copyMemory(from: value, byteCount: form.storedBytes)
    }
}

extension ImageFault {
    static var memoryFull: ImageFault { ImageFault("the memory bound is too small for it: raise it") }
}
