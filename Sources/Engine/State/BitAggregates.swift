/// bit_and, bit_or, bit_xor of integers. NULL leaves the bits as they are: whether there was a value is known by counting.
protocol BitAggregate: BlockAggregate where Partial == Int64 {
    static func combine(_ left: Int64, _ right: Int64) -> Int64
}

extension BitAggregate {
    @inline(__always)
    static func combine(_ left: Int64, _ right: Int64, _ texts: TextTable) -> Int64 { combine(left, right) }

    @inline(__always)
    static func scan(_ log: KeyLog, _ input: InputCode, _ a: Int, _ b: Int, _ texts: TextTable, into partial: inout Int64) {
        let values = log.column(input.values, as: Int64.self)
        var result = partial
        for position in a..<b where !log.isNull(input, position) { result = combine(result, values[position & log.mask]) }
        partial = result
    }
}

enum BitAnd: BitAggregate {
    @inline(__always) static var identity: Int64 { -1 }
    @inline(__always) static func combine(_ left: Int64, _ right: Int64) -> Int64 { left & right }
}

enum BitOr: BitAggregate {
    @inline(__always) static var identity: Int64 { 0 }
    @inline(__always) static func combine(_ left: Int64, _ right: Int64) -> Int64 { left | right }
}

enum BitXor: BitAggregate {
    @inline(__always) static var identity: Int64 { 0 }
    @inline(__always) static func combine(_ left: Int64, _ right: Int64) -> Int64 { left ^ right }
}
