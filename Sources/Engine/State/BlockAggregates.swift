import Plan
import Values

/// An associative aggregate that never subtracts: it is computed from the rows themselves, or from partial results of
/// blocks of rows (`BlockLevels`); so what has left a frame leaves no trace in it.
///
/// Kernels are concrete: every use is specialised for its aggregate.
protocol BlockAggregate {
    associatedtype Partial
    static var identity: Partial { get }
    /// Adds the rows at positions a ..< b. The result's last bit depends on the rows alone, not on where the ring wraps:
    /// a log's capacity follows from when it was swept, which other keys have a say in.
    static func scan(_ log: KeyLog, _ input: InputCode, _ a: Int, _ b: Int, _ texts: TextTable, into partial: inout Partial)
    /// Adds one row, as `scan` does.
    static func add(_ log: KeyLog, _ input: InputCode, _ position: Int, _ texts: TextTable, into partial: inout Partial)
    static func combine(_ left: Partial, _ right: Partial, _ texts: TextTable) -> Partial
}

extension BlockAggregate {
    @inline(__always)
    static func add(_ log: KeyLog, _ input: InputCode, _ position: Int, _ texts: TextTable, into partial: inout Partial) {
        scan(log, input, position, position &+ 1, texts, into: &partial)
    }
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
            part = moments(a, b) {
                values[$0 & mask] == StoredValue.nullDecimal ? nil : Double(nearest: values[$0 & mask]) / input.unit
            }
        case .boolean, .text, .interval, .array:
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
