import Plan
import Values

/// An associative aggregate that never subtracts: it is computed from the rows themselves, or from partial results of
/// blocks of 32 rows, of 32 blocks, and so on; so what has left a frame leaves no trace in it.
///
///     level 2     [               1024 rows              ][ …
///     level 1     [32 rows][32 rows] …                    [ …
///     rows        ························································
///     frame               a ······ | block | block | block ······ b      scan, combine whole blocks, scan
///
/// Kernels are concrete: every use is specialised for its aggregate.
protocol BlockAggregate {
    associatedtype Partial
    static var identity: Partial { get }
    /// Adds the rows at positions a ..< b. The result's last bit depends on the rows alone, not on where the ring wraps:
    /// a log's capacity follows from when it was swept, which other keys have a say in.
    static func scan(_ log: KeyLog, _ input: InputCode, _ a: Int, _ b: Int, _ texts: TextTable, into partial: inout Partial)
    static func combine(_ left: Partial, _ right: Partial, _ texts: TextTable) -> Partial
}

/// The partial results of one aggregate in one log.
struct BlockLevels<Aggregate: BlockAggregate> {
    let log: KeyLog
    let input: InputCode
    let base: UnsafeMutablePointer<Aggregate.Partial>
    let texts: TextTable

    @inline(__always)
    init(_ log: KeyLog, _ input: InputCode, offset: Int, texts: TextTable) {
        self.log = log
        self.input = input
        self.texts = texts
        base = (log.partials + offset &* StateLayout.partialEntries(capacity: log.capacity))
            .assumingMemoryBound(to: Aggregate.Partial.self)
    }

    @inline(__always) private var hasBlocks: Bool { log.capacity >= 64 }

    /// First entry of a level (1…4), and its ring mask.
    @inline(__always)
    private func level(_ number: Int) -> (entries: UnsafeMutablePointer<Aggregate.Partial>, mask: Int) {
        let capacity = log.capacity
        switch number {
        case 1: return (base, capacity >> 5 &- 1)
        case 2: return (base + capacity >> 5, capacity >> 10 &- 1)
        case 3: return (base + (capacity >> 5 &+ capacity >> 10), capacity >> 15 &- 1)
        default: return (base + (capacity >> 5 &+ capacity >> 10 &+ capacity >> 15), capacity >> 20 &- 1)
        }
    }

    /// The aggregate of the frame's rows that the log has.
    @inline(__always)
    func value(of frame: FramePositions) -> Aggregate.Partial {
        let result = value(frame.start, frame.end)
        if frame.apart < 0 { return result }
        var apart = Aggregate.identity
        scan(frame.apart, frame.apart &+ 1, into: &apart)
        return Aggregate.combine(result, apart, texts)
    }

    /// The aggregate of rows a ..< b; a ≤ b, both inside of the log.
    @inline(__always)
    func value(_ a: Int, _ b: Int) -> Aggregate.Partial {
        var result = Aggregate.identity
        if b &- a <= 64 || !hasBlocks {
            scan(a, b, into: &result)
            return result
        }
        let firstBlock = (a &+ 31) >> 5
        let endBlock = b >> 5
        scan(a, firstBlock << 5, into: &result)
        result = Aggregate.combine(result, blocks(firstBlock, endBlock, level: 1), texts)
        var end = Aggregate.identity
        if b == log.tail && b & 31 != 0 {
            // The newest block's entry holds exactly its rows so far.
            let (entries, mask) = level(1)
            end = entries[endBlock & mask]
        } else {
            scan(endBlock << 5, b, into: &end)
        }
        return Aggregate.combine(result, end, texts)
    }

    /// Whole blocks x ..< y of a level.
    private func blocks(_ x: Int, _ y: Int, level number: Int) -> Aggregate.Partial {
        var result = Aggregate.identity
        let (entries, mask) = level(number)
        if y &- x <= 64 || number == 4 || log.capacity >> (5 &* (number &+ 1)) < 2 {
            for block in x..<y { result = Aggregate.combine(result, entries[block & mask], texts) }
            return result
        }
        let first = (x &+ 31) >> 5
        let end = y >> 5
        for block in x..<first << 5 { result = Aggregate.combine(result, entries[block & mask], texts) }
        result = Aggregate.combine(result, blocks(first, end, level: number &+ 1), texts)
        var last = Aggregate.identity
        for block in end << 5..<y { last = Aggregate.combine(last, entries[block & mask], texts) }
        return Aggregate.combine(result, last, texts)
    }

    @inline(__always)
    private func scan(_ a: Int, _ b: Int, into partial: inout Aggregate.Partial) {
        if a < b { Aggregate.scan(log, input, a, b, texts, into: &partial) }
    }

    /// Takes in the row at `position`, the newest of `log`.
    @inline(__always)
    func append(_ position: Int) {
        if !hasBlocks { return }
        let (entries, mask) = level(1)
        let block = position >> 5
        var partial = position & 31 == 0 || position == log.head ? Aggregate.identity : entries[block & mask]
        scan(position, position &+ 1, into: &partial)
        entries[block & mask] = partial
        if position & 31 == 31 { complete(block, level: 1) }
    }

    /// Adds block `block` of a level, now complete, to the level above.
    private func complete(_ block: Int, level number: Int) {
        guard number < 4, log.capacity >> (5 &* (number &+ 1)) > 0 else { return }
        let (entries, mask) = level(number)
        let (above, aboveMask) = level(number &+ 1)
        let parent = block >> 5
        let isFirst = block & 31 == 0 || block == log.head >> (5 &* number)
        let partial = entries[block & mask]
        above[parent & aboveMask] = isFirst ? partial : Aggregate.combine(above[parent & aboveMask], partial, texts)
        if block & 31 == 31 { complete(parent, level: number &+ 1) }
    }

    /// Makes all entries right that hold rows from `position` on.
    func rebuild(from position: Int) {
        if !hasBlocks || position >= log.tail { return }
        // From the start of the topmost block that holds the position, so that every level starts afresh.
        var number = 4
        while number > 1 && log.capacity >> (5 &* number) == 0 { number &-= 1 }
        let start = max(log.head, (position >> (5 &* number)) << (5 &* number))
        var block = start >> 5
        while block << 5 < log.tail {
            let (entries, mask) = level(1)
            let from = max(log.head, block << 5)
            let to = min(log.tail, (block &+ 1) << 5)
            if to > position {
                // Row by row, as `append` does: the same rows make the same partial to the last bit.
                var partial = Aggregate.identity
                for row in from..<to { scan(row, row &+ 1, into: &partial) }
                entries[block & mask] = partial
            }
            if to & 31 == 0 { complete(block, level: 1) }
            block &+= 1
        }
    }
}

enum SumOfDoubles: BlockAggregate {
    @inline(__always) static var identity: Double { 0 }

    @inline(__always)
    static func scan(_ log: KeyLog, _ input: InputCode, _ a: Int, _ b: Int, _ texts: TextTable, into partial: inout Double) {
        let values = log.column(input.values, as: Double.self)
        let mask = log.mask
        if input.mayBeNull {
            var sum = 0.0
            for position in a..<b {
                let value = values[position & mask]
                sum += value.bitPattern == StoredValue.nullDoubleBits ? 0 : value
            }
            partial += sum
            return
        }
        // Four sums side by side: they do not wait for one another, and their error is smaller than one long chain's.
        var sums = SIMD4<Double>(repeating: 0)
        var position = a
        while position &+ 4 <= b {
            let slot = position & mask
            if slot &+ 3 <= mask {
                sums += UnsafeRawPointer(values + slot).loadUnaligned(as: SIMD4<Double>.self)
            } else {
                sums += SIMD4(
                    values[slot], values[(position &+ 1) & mask], values[(position &+ 2) & mask], values[(position &+ 3) & mask])
            }
            position &+= 4
        }
        var sum = (sums[0] + sums[1]) + (sums[2] + sums[3])
        while position < b {
            sum += values[position & mask]
            position &+= 1
        }
        partial += sum
    }

    @inline(__always)
    static func combine(_ left: Double, _ right: Double, _ texts: TextTable) -> Double { left + right }
}

/// Number of values, their mean, and the sum of squared distances from it; merged after Chan, Golub and LeVeque, so that
/// equal values have exactly no variance.
struct Moments {
    var count = 0.0
    var mean = 0.0
    var squares = 0.0

    @inline(__always)
    func merged(_ other: Moments) -> Moments {
        if other.count == 0 { return self }
        if count == 0 { return other }
        let total = count + other.count
        let delta = other.mean - mean
        return Moments(
            count: total, mean: mean + delta * (other.count / total),
            squares: squares + other.squares + delta * delta * (count * other.count / total))
    }
}

enum VarianceOfValues: BlockAggregate {
    @inline(__always) static var identity: Moments { Moments() }

    static func scan(_ log: KeyLog, _ input: InputCode, _ a: Int, _ b: Int, _ texts: TextTable, into partial: inout Moments) {
        var part = Moments()
        let mask = log.mask
        switch input.form {
        case .double:
            let values = log.column(input.values, as: Double.self)
            part = moments(a, b) { values[$0 & mask].bitPattern == StoredValue.nullDoubleBits ? nil : values[$0 & mask] }
        case .integer:
            let values = log.column(input.values, as: Int64.self)
            if input.mayBeNull {
                let nulls = log.column(input.nulls, as: UInt8.self)
                part = moments(a, b) { nulls[$0 & mask] != 0 ? nil : Double(values[$0 & mask]) }
            } else {
                part = moments(a, b) { Double(values[$0 & mask]) }
            }
        case .decimal:
            let values = log.column(input.values, as: Int128.self)
            part = moments(a, b) { values[$0 & mask] == StoredValue.nullDecimal ? nil : Double(values[$0 & mask]) / input.unit }
        case .boolean, .text, .interval:
            preconditionFailure("variance of a type that is no number")
        }
        partial = partial.merged(part)
    }

    /// Two passes: the mean by distances from the first value, then the squares of the distances from the mean.
    @inline(__always)
    private static func moments(_ a: Int, _ b: Int, _ value: (Int) -> Double?) -> Moments {
        var first = 0.0
        var sum = 0.0
        var present = 0.0
        for position in a..<b {
            guard let value = value(position) else { continue }
            if present == 0 { first = value }
            present += 1
            sum += value - first
        }
        if present == 0 { return Moments() }
        let mean = first + sum / present
        var squares = 0.0
        for position in a..<b {
            guard let value = value(position) else { continue }
            let distance = value - mean
            squares += distance * distance
        }
        return Moments(count: present, mean: mean, squares: squares)
    }

    @inline(__always)
    static func combine(_ left: Moments, _ right: Moments, _ texts: TextTable) -> Moments { left.merged(right) }
}
