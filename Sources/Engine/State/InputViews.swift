import Language
import Plan
import Values

/// A partition's inputs, and behind them the same ones as single aggregates read them: with a second one beside, or with
/// how its values decay. Those store nothing.
struct InputViews {
    private struct View: Hashable {
        let input: Int
        let kind: StateLayout.Partial.Kind
    }

    private(set) var fields: [InputFields] = []
    private var views: [View: Int] = [:]
    private var seconds: [(number: Int, second: Int)] = []
    private let timeType: ValueType

    init(_ inputs: [StateLayout.Input], timeType: ValueType) {
        self.timeType = timeType
        fields = inputs.map { InputFields($0, isTime: $0.values == 0) }
    }

    /// The number of the input as the aggregate reads it.
    mutating func number(of input: Int, for kind: StateLayout.Partial.Kind) -> Int {
        if let known = views[View(input: input, kind: kind)] { return known }
        var view = fields[input]
        let number = fields.count
        switch kind {
        case .pairs(let second): seconds.append((number, second))
        case .decay(let distance, let countsRows):
            view.decay = distance.units(of: timeType)
            view.countsRows = countsRows
        default: return input
        }
        fields.append(view)
        views[View(input: input, kind: kind)] = number
        return number
    }

    mutating func number(of fold: StateLayout.Fold) -> Int {
        switch fold.kind {
        case .pairs(let second): number(of: fold.input, for: .pairs(second: second))
        case .decay(let distance, let countsRows): number(of: fold.input, for: .decay(distance, countsRows: countsRows))
        default: fold.input
        }
    }

    /// To be deallocated by the caller.
    func placed() -> UnsafeMutablePointer<InputFields> {
        let place = UnsafeMutablePointer<InputFields>.copy(of: fields)
        for pair in seconds { place[pair.number].second = UnsafePointer(place + pair.second) }
        return place
    }
}

extension Frame.Distance {
    /// Months have 30 days.
    fileprivate func units(of type: ValueType) -> Double {
        switch self {
        case .integer(let units): Double(units)
        case .interval(let interval):
            Double(nearest: interval.normalizedMicroseconds) / (type == .date ? Double(Timestamps.dayMicroseconds) : 1)
        }
    }
}
