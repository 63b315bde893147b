/// arg_min and arg_max: the extreme value and where it stands, of equal ones the first. A row counts where both arguments are
/// there. Positions in partials stay right: a row in the middle has all later entries made anew.
enum Argument<E: Extreme>: BlockAggregate {
    struct Partial {
        /// -1: no row.
        var position: Int
        var value: E.Partial
    }

    @inline(__always) static var identity: Partial { Partial(position: -1, value: E.identity) }

    @inline(__always)
    static func scan(_ log: KeyLog, _ input: InputCode, _ a: Int, _ b: Int, _ texts: TextTable, into partial: inout Partial) {
        var result = partial
        for position in a..<b where !log.isNull(input, position) {
            let value = E.load(log, input, slot: position & log.mask)
            if result.position < 0 || E.picks(value, over: result.value, texts) {
                result = Partial(position: position, value: value)
            }
        }
        partial = result
    }

    @inline(__always)
    static func combine(_ left: Partial, _ right: Partial, _ texts: TextTable) -> Partial {
        if right.position < 0 { return left }
        return left.position < 0 || E.picks(right.value, over: left.value, texts) ? right : left
    }
}

/// false comes before true; only what arg_min and arg_max compare.
enum LeastBoolean: Extreme {
    @inline(__always) static var identity: UInt8 { StoredValue.nullBoolean }
    @inline(__always) static func picks(_ x: UInt8, over y: UInt8, _ texts: TextTable) -> Bool { x < y }
    @inline(__always) static func isSame(_ x: UInt8, _ y: UInt8) -> Bool { x == y }
    @inline(__always) static func load(_ log: KeyLog, _ input: InputCode, slot: Int) -> UInt8 {
        log.column(input.values, as: UInt8.self)[slot]
    }
}

enum GreatestBoolean: Extreme {
    @inline(__always) static var identity: UInt8 { 0 }
    @inline(__always) static func picks(_ x: UInt8, over y: UInt8, _ texts: TextTable) -> Bool { x > y }
    @inline(__always) static func isSame(_ x: UInt8, _ y: UInt8) -> Bool { x == y }
    @inline(__always) static func load(_ log: KeyLog, _ input: InputCode, slot: Int) -> UInt8 {
        log.column(input.values, as: UInt8.self)[slot]
    }
}
