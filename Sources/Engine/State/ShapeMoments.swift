/// Number of values, their mean, and the sums of the second, third and fourth powers of their distances from it; merged
/// after Pébay, so that nothing is ever subtracted.
struct ShapeMoments {
    var count = 0.0
    var mean = 0.0
    var squares = 0.0
    var cubes = 0.0
    var fourths = 0.0

    @inline(__always)
    func merged(_ other: ShapeMoments) -> ShapeMoments {
        if other.count == 0 { return self }
        if count == 0 { return other }
        let total = count + other.count
        let (share, otherShare) = (count / total, other.count / total)
        let delta = other.mean - mean
        let square = delta * delta
        // What the distance between the means adds, in terms of n·m / (n + m).
        let weight = count * otherShare
        var result = ShapeMoments(count: total, mean: mean + delta * otherShare)
        result.squares = squares + other.squares + square * weight
        result.cubes =
            cubes + other.cubes + square * delta * weight * (share - otherShare)
            + 3 * delta * (share * other.squares - otherShare * squares)
        result.fourths =
            fourths + other.fourths
            + square * square * weight * (share * share - share * otherShare + otherShare * otherShare)
            + 6 * square * (share * share * other.squares + otherShare * otherShare * squares)
            + 4 * delta * (share * other.cubes - otherShare * cubes)
        return result
    }
}

enum ShapeOfValues: BlockAggregate {
    @inline(__always) static var identity: ShapeMoments { ShapeMoments() }

    static func scan(_ log: KeyLog, _ input: InputCode, _ a: Int, _ b: Int, _ texts: TextTable, into partial: inout ShapeMoments)
    {
        // Two passes: the mean by distances from the first value, then the powers of the distances from the mean.
        var part = ShapeMoments()
        var (first, sum) = (0.0, 0.0)
        for position in a..<b where !log.isNull(input, position) {
            let value = log.number(input, position)
            if part.count == 0 { first = value }
            part.count += 1
            sum += value - first
        }
        if part.count == 0 { return }
        part.mean = first + sum / part.count
        for position in a..<b where !log.isNull(input, position) {
            let distance = log.number(input, position) - part.mean
            let square = distance * distance
            part.squares += square
            part.cubes += square * distance
            part.fourths += square * square
        }
        partial = partial.merged(part)
    }

    @inline(__always)
    static func combine(_ left: ShapeMoments, _ right: ShapeMoments, _ texts: TextTable) -> ShapeMoments { left.merged(right) }
}
