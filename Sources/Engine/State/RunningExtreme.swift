import Bytes

/// min and max over frames that only move forward: the extreme of the frame asked for last, and from where on a value may
/// equal it. Only when such a row has left the frame is the extreme worked out anew, from block partials.
///
///     0     …  value          8 or 16 bytes
///     8/16  4  bound          low half of a position: no row of the frame before it equals the value
///           4  end            behind the last row taken in; at the bound: nothing is known
///
/// Of values that are equal but not the same (zeros of both signs, intervals) the frame's first is the extreme, as it is of
/// block partials.
struct RunningExtreme<E: Extreme> {
    let raw: UnsafeMutableRawPointer
    let log: KeyLog

    @inline(__always)
    init(_ raw: UnsafeMutableRawPointer, _ log: KeyLog) {
        self.raw = raw
        self.log = log
    }

    @inline(__always) private var fields: UnsafeMutablePointer<UInt32> {
        (raw + max(8, MemoryLayout<E.Partial>.size)).assumingMemoryBound(to: UInt32.self)
    }

    /// The extreme of rows a ..< b; frames to come start no earlier. O(rows that have come and gone), O(log n) where the
    /// extreme has gone.
    ///
    /// - Parameter anew: what block partials say of these rows.
    @inline(__always)
    func advanced(to a: Int, _ b: Int, _ input: InputCode, _ texts: TextTable, anew: () -> E.Partial) -> E.Partial {
        var (bound, end) = (log.absolute(fields[0]), log.absolute(fields[1]))
        let place = raw.assumingMemoryBound(to: E.Partial.self)
        var value = place.pointee
        var isKnown = bound < end && a < end && end <= b
        while bound < a && isKnown {
            isKnown = E.picks(value, over: E.load(log, input, slot: bound & log.mask), texts)
            bound &+= 1
        }
        if isKnown {
            while end < b {
                let candidate = E.load(log, input, slot: end & log.mask)
                if !E.picks(value, over: candidate, texts)
                    && (E.picks(candidate, over: value, texts) || E.isSame(candidate, value))
                {
                    value = candidate
                    bound = end
                }
                end &+= 1
            }
        } else {
            value = anew()
            (bound, end) = (a, b)
        }
        place.pointee = value
        fields[0] = UInt32(truncatingIfNeeded: bound)
        fields[1] = UInt32(truncatingIfNeeded: end)
        return value
    }
}

/// What a running extreme knows, whatever its values are.
struct RunningExtremeFields {
    let fields: UnsafeMutablePointer<UInt32>

    /// - Parameter width: bytes of a value.
    @inline(__always)
    init(_ raw: UnsafeMutableRawPointer, width: Int) { fields = (raw + max(8, width)).assumingMemoryBound(to: UInt32.self) }

    @inline(__always)
    func forget() { fields[1] = fields[0] }

    /// Before the rows before `head` are given up.
    @inline(__always)
    func willGiveUp(before head: Int, _ log: KeyLog) {
        if log.absolute(fields[0]) < head { forget() }
    }
}
