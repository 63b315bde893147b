import Bytes

/// sum and avg of doubles: the exact sum of a window's frame, moved along with it, rounded when it is read. So what has left
/// the frame leaves no trace, and a sum does not depend on how the frame came to where it is.
///
///     0   16  sum             of the values of ordinary size, in units of 2^-75, modulo 2^128
///     16  8   start, end      low halves of the positions summed up
///     24  4   granule         of an `ExactSum` of all other values, and behind it how many there are; 0: there are none
///     28  4   carries         what the sum lacks, in units of 2^128
///
/// Ordinary is a value that a sum of 16 bytes takes whole: 2^-23 ≤ |value| < 2^41, and 0.
struct RunningSum {
    let raw: UnsafeMutableRawPointer
    let log: KeyLog
    let values: UnsafeMutablePointer<UInt64>

    static let bytes = 32
    private static let blockBytes = ExactSum.bytes + 8

    @inline(__always)
    init(_ raw: UnsafeMutableRawPointer, _ input: InputCode, _ log: KeyLog) {
        self.raw = raw
        self.log = log
        values = log.column(input.values, as: UInt64.self)
    }

    private var fields: UnsafeMutablePointer<UInt32> {
        @inline(__always) get { (raw + 16).assumingMemoryBound(to: UInt32.self) }
    }
    private var sum: Int128 {
        @inline(__always) get { raw.load(as: Int128.self) }
        @inline(__always) nonmutating set { raw.storeBytes(of: newValue, as: Int128.self) }
    }
    private var carries: Int32 {
        get { raw.load(fromByteOffset: 28, as: Int32.self) }
        nonmutating set { raw.storeBytes(of: newValue, toByteOffset: 28, as: Int32.self) }
    }
    /// The sum's 16 bytes are all of it.
    @inline(__always) private var isWhole: Bool { raw.load(fromByteOffset: 24, as: UInt64.self) == 0 }

    @inline(__always) private var start: Int {
        get { log.absolute(fields[0]) }
        nonmutating set { fields[0] = UInt32(truncatingIfNeeded: newValue) }
    }
    @inline(__always) private var end: Int {
        get { log.absolute(fields[1]) }
        nonmutating set { fields[1] = UInt32(truncatingIfNeeded: newValue) }
    }

    // MARK: Answers

    /// The sum of rows a ..< b, where the frame asked for last lies before them and all values that come and go are ordinary;
    /// nil: `value` is to be asked. O(rows that have come and gone).
    @inline(__always)
    func advanced(to a: Int, _ b: Int) -> Double? {
        var (start, end) = (start, end)
        var sum = sum
        // Where more leaves than stays it is summed up anew.
        if start <= a && a <= end && end <= b && a &- start <= 16 &+ (b &- a) && isWhole {
            let mask = log.mask
            var isOrdinary = true
            while end < b && isOrdinary {
                isOrdinary = FixedPoint.add(values[end & mask], to: &sum)
                end &+= 1
            }
            while start < a && isOrdinary {
                isOrdinary = FixedPoint.take(values[start & mask], from: &sum)
                start &+= 1
            }
            if isOrdinary {
                self.sum = sum
                (self.start, self.end) = (start, end)
                return FixedPoint.double(sum)
            }
        }
        return nil
    }

    /// The sum of rows a ..< b, and of the row `apart` where that is not negative. O(distance from the frame asked for
    /// last), at most O(b - a).
    ///
    /// - Parameter isLasting: whether frames to come will be near this one. What is asked of the past moves nothing.
    @inline(never)
    func value(_ a: Int, _ b: Int, apart: Int, isLasting: Bool, _ arena: inout Arena) -> Double {
        if !isLasting { return passing(a, b, apart) }
        if !move(to: a, b, &arena) { return scanned(a, b, apart) }
        if isWhole {
            var sum = sum
            if apart < 0 || FixedPoint.add(values[apart & log.mask], to: &sum) { return FixedPoint.double(sum) }
        }
        return withExactSum { exact in
            if fields[2] != 0 { exact.add(block(arena.base)) }
            addOrdinary(to: exact)
            if apart >= 0 { add(apart, to: exact) }
            return exact.value
        }
    }

    /// From what is summed up now, unless the frame's own rows are fewer.
    private func passing(_ a: Int, _ b: Int, _ apart: Int) -> Double {
        let (start, end) = (start, end)
        if !isWhole || apart >= 0 || abs(a &- start) &+ abs(b &- end) > b &- a { return scanned(a, b, apart) }
        var sum = sum
        let isOrdinary =
            add(rows: end, b, to: &sum) && add(rows: a, start, to: &sum) && take(rows: start, a, from: &sum)
            && take(rows: b, end, from: &sum)
        return isOrdinary ? FixedPoint.double(sum) : scanned(a, b, apart)
    }

    private func add(rows a: Int, _ b: Int, to sum: inout Int128) -> Bool {
        for position in a..<max(a, b) where !FixedPoint.add(values[position & log.mask], to: &sum) { return false }
        return true
    }

    private func take(rows a: Int, _ b: Int, from sum: inout Int128) -> Bool {
        for position in a..<max(a, b) where !FixedPoint.take(values[position & log.mask], from: &sum) { return false }
        return true
    }

    private func scanned(_ a: Int, _ b: Int, _ apart: Int) -> Double {
        withExactSum { exact in
            for position in a..<b { add(position, to: exact) }
            if apart >= 0 { add(apart, to: exact) }
            return exact.value
        }
    }

    private func add(_ position: Int, to exact: ExactSum) {
        let bits = values[position & log.mask]
        if bits != StoredValue.nullDoubleBits { exact.add(Double(bitPattern: bits), sign: 1) }
    }

    private func withExactSum(_ body: (ExactSum) -> Double) -> Double {
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: ExactSum.words) { room in
            let exact = ExactSum(digits: room.baseAddress!)
            exact.clear()
            return body(exact)
        }
    }

    /// What the record itself holds.
    private func addOrdinary(to exact: ExactSum) {
        // As a number without sign, of which negative ones have 2^128 too much.
        var low = UInt128(truncatingIfNeeded: sum)
        let high = Int64(carries) - (sum < 0 ? 1 : 0)
        // The least bit is worth 2^-75, 999 above an exact sum's: 31 digits and 7 bits.
        for digit in 31..<35 {
            exact.digits[digit] &+= Int64(low & 0xFFFF_FFFF) << 7
            low >>= 32
        }
        exact.digits[35] &+= high << 7
    }

    // MARK: The frame moves

    /// False: there is no memory for what is not ordinary, and nothing is summed up.
    private func move(to a: Int, _ b: Int, _ arena: inout Arena) -> Bool {
        if a >= end || b <= start || abs(a &- start) &+ abs(b &- end) > 16 &+ (b &- a) {
            drop(&arena)
            (start, end) = (a, a)
        }
        var (start, end) = (start, end)
        // Growing first: the frame stays a frame in between.
        while end < b {
            if !take(end, 1, &arena) { return false }
            end &+= 1
        }
        while start > a {
            start &-= 1
            if !take(start, 1, &arena) { return false }
        }
        while start < a {
            if !take(start, -1, &arena) { return false }
            start &+= 1
        }
        while end > b {
            end &-= 1
            if !take(end, -1, &arena) { return false }
        }
        (self.start, self.end) = (start, end)
        return true
    }

    /// - Parameter sign: 1 to add, -1 to take.
    private func take(_ position: Int, _ sign: Int64, _ arena: inout Arena) -> Bool {
        let bits = values[position & log.mask]
        if let units = FixedPoint.units(bits) {
            let (result, overflow) =
                sign > 0 ? sum.addingReportingOverflow(units) : sum.subtractingReportingOverflow(units)
            // Past the greatest it goes on at the least, 2^128 too low.
            if overflow { carries += result < 0 ? 1 : -1 }
            sum = result
            return true
        }
        if bits == StoredValue.nullDoubleBits { return true }
        if fields[2] == 0 {
            let granule = arena.allocate(Self.blockBytes)
            if granule == 0 {
                drop(&arena)
                return false
            }
            fields[2] = granule
            block(arena.base).clear()
            block(arena.base).digits[ExactSum.words] = 0
        }
        let exact = block(arena.base)
        exact.add(Double(bitPattern: bits), sign: sign)
        exact.digits[ExactSum.words] += sign
        if exact.digits[ExactSum.words] == 0 { freeBlock(&arena) }
        return true
    }

    // MARK: The log changes

    /// After a row that is not the newest has been stored at `position`.
    func inserted(_ position: Int, _ arena: inout Arena) {
        if position > start && position < end {
            if take(position, 1, &arena) { fields[1] &+= 1 }
        } else if position <= start {
            fields[0] &+= 1
            fields[1] &+= 1
        }
    }

    /// Before the row at `position` is taken back.
    func willRemove(_ position: Int, _ arena: inout Arena) {
        if position >= end { return }
        if position >= start && !take(position, -1, &arena) { return }
        if position < start { fields[0] &-= 1 }
        fields[1] &-= 1
    }

    /// Before the rows before `head` are given up.
    @inline(__always)
    func willGiveUp(before head: Int, _ arena: inout Arena) {
        if start < head { giveUp(before: head, &arena) }
    }

    @inline(never)
    private func giveUp(before head: Int, _ arena: inout Arena) {
        _ = move(to: head, max(head, end), &arena)
    }

    /// Nothing is summed up.
    func drop(_ arena: inout Arena) {
        if fields[2] != 0 { freeBlock(&arena) }
        fields[0] = UInt32(truncatingIfNeeded: log.head)
        fields[1] = fields[0]
        carries = 0
        sum = 0
    }

    private func freeBlock(_ arena: inout Arena) {
        arena.free(fields[2], bytes: Self.blockBytes)
        fields[2] = 0
    }

    private func block(_ base: UnsafeMutableRawPointer) -> ExactSum {
        ExactSum(digits: (base + Int(fields[2]) &* Arena.granuleBytes).assumingMemoryBound(to: Int64.self))
    }
}
