import Language
import Plan
import Values

/// How a call is answered, by reference: a few words in a register instead of a copy for every row.
struct CallCode {
    let fields: UnsafePointer<CallFields>

    @inline(__always) var kind: CallFields.Kind { fields.pointee.kind }
    @inline(__always) var input: Int { fields.pointee.input }
    @inline(__always) var valueInput: Int { fields.pointee.valueInput }
    @inline(__always) var separator: UnsafeBufferPointer<UInt8> { fields.pointee.separator }
    @inline(__always) var window: Int { fields.pointee.window }
    @inline(__always) var result: Int { fields.pointee.result }
    @inline(__always) var resultForm: Form { fields.pointee.resultForm }
    @inline(__always) var otherwise: Int { fields.pointee.otherwise }
    @inline(__always) var n: Int { fields.pointee.n }
    @inline(__always) var distinct: Int { fields.pointee.distinct }
    @inline(__always) var fold: Int { fields.pointee.fold }
    @inline(__always) var partial: Int { fields.pointee.partial }
    @inline(__always) var partialNumber: Int { fields.pointee.partialNumber }
    @inline(__always) var frameState: Int { fields.pointee.frameState }
    @inline(__always) var fraction: QuantileFraction { fields.pointee.fraction }
}

struct CallFields {
    enum Kind: UInt8 {
        case rows, count, distinct
        case sumDouble, sumInteger, sumWide, averageDouble, averageInteger, averageWide
        case varianceSample, variancePopulation, deviationSample, deviationPopulation
        case minimum, maximum, booleanAnd, booleanOr
        case first, last, nth, lag, rowNumber, rank, denseRank
        case firstPresent, lastPresent, nthPresent, lagPresent
        case argumentMinimum, argumentMaximum, bitAnd, bitOr, bitXor, stringAggregate, arrayAggregate
        case quantileContinuous, quantileDiscrete
        case covarianceSample, covariancePopulation, correlation, regressionSlope, regressionIntercept, regressionR2
        case skewness, kurtosis, decayed
        case mode, distinctSum, distinctAverage
    }

    let kind: Kind
    let input: Int
    /// What arg_min and arg_max answer with.
    let valueInput: Int
    /// Of string_agg; its own memory.
    let separator: UnsafeBufferPointer<UInt8>
    let window: Int
    let result: Int
    let resultForm: Form
    let otherwise: Int
    let n: Int
    let distinct: Int
    let fold: Int
    /// Offset of the partials that answer the call, and their number among the partition's.
    let partial: Int
    let partialNumber: Int
    let frameState: Int
    let fraction: QuantileFraction

    init(_ call: CallPlan, _ place: StateLayout.Call, layout: StateLayout) {
        input = place.input ?? -1
        valueInput = place.valueInput ?? -1
        window = call.window
        result = call.result.index
        resultForm = call.result.type.form
        otherwise = call.second?.index ?? -1
        distinct = place.distinct ?? -1
        frameState = place.frameState ?? -1
        fold = place.fold ?? -1
        var n = 0
        var fraction = 0.0
        var separator: [UInt8] = []
        var partialKind: StateLayout.Partial.Kind?
        let form = call.argument?.type.form
        let isPresent = call.ignoresNulls && place.input.map { layout.inputs[$0].mayBeNull } == true
        let isWide = place.input.map { layout.inputs[$0].sumBytes == 16 } ?? false
        switch call.function {
        case .count:
            kind = call.isDistinct ? .distinct : place.input.map { layout.inputs[$0].counts != nil } ?? false ? .count : .rows
        case .sum where call.isDistinct: kind = .distinctSum
        case .average where call.isDistinct: kind = .distinctAverage
        case .mode: kind = .mode
        case .sum:
            kind = form == .double ? .sumDouble : isWide ? .sumWide : .sumInteger
        case .average:
            kind = form == .double ? .averageDouble : isWide ? .averageWide : .averageInteger
        case .varianceSample: (kind, partialKind) = (.varianceSample, .variance)
        case .variancePopulation: (kind, partialKind) = (.variancePopulation, .variance)
        case .deviationSample: (kind, partialKind) = (.deviationSample, .variance)
        case .deviationPopulation: (kind, partialKind) = (.deviationPopulation, .variance)
        case .minimum: (kind, partialKind) = (.minimum, .minimum)
        case .maximum: (kind, partialKind) = (.maximum, .maximum)
        case .booleanAnd: kind = .booleanAnd
        case .booleanOr: kind = .booleanOr
        case .argumentMinimum: (kind, partialKind) = (.argumentMinimum, .argumentMinimum)
        case .argumentMaximum: (kind, partialKind) = (.argumentMaximum, .argumentMaximum)
        case .stringAggregate(let text):
            kind = .stringAggregate
            separator = Array(text.utf8)
        case .arrayAggregate: kind = .arrayAggregate
        case .bitAnd: (kind, partialKind) = (.bitAnd, .bitAnd)
        case .bitOr: (kind, partialKind) = (.bitOr, .bitOr)
        case .bitXor: (kind, partialKind) = (.bitXor, .bitXor)
        case .firstValue:
            kind = isPresent ? .firstPresent : .first
            n = 1
        case .lastValue: kind = isPresent ? .lastPresent : .last
        case .nthValue(let position):
            kind = isPresent ? .nthPresent : .nth
            n = Int(min(position, 1 << 40))
        case .lag(let offset):
            kind = isPresent && offset > 0 ? .lagPresent : .lag
            n = Int(min(offset, 1 << 40))
        case .rowNumber: kind = .rowNumber
        case .rank: kind = .rank
        case .denseRank: kind = .denseRank
        case .quantileContinuous(let value): (kind, fraction) = (.quantileContinuous, value)
        case .quantileDiscrete(let value): (kind, fraction) = (.quantileDiscrete, value)
        case .covarianceSample: kind = .covarianceSample
        case .covariancePopulation: kind = .covariancePopulation
        case .correlation: kind = .correlation
        case .regressionSlope: kind = .regressionSlope
        case .regressionIntercept: kind = .regressionIntercept
        case .regressionR2: kind = .regressionR2
        case .skewness: (kind, partialKind) = (.skewness, .shape)
        case .kurtosis: (kind, partialKind) = (.kurtosis, .shape)
        case .decayedSum(let decay): (kind, partialKind) = (.decayed, .decay(decay, countsRows: false))
        case .decayedCount(let decay): (kind, partialKind) = (.decayed, .decay(decay, countsRows: true))
        case .approximateCountDistinct: kind = .distinct
        }
        if let second = place.second { partialKind = .pairs(second: second) }
        self.n = n
        self.fraction = QuantileFraction(fraction)
        self.separator = UnsafeBufferPointer(
            start: UnsafePointer(UnsafeMutablePointer.copy(of: separator)), count: separator.count)
        var wanted: (number: Int, offset: Int)?
        var number = 0
        for (index, input) in layout.inputs.enumerated() {
            for partial in input.partials {
                if index == place.input && partial.kind == partialKind { wanted = (number, partial.offset) }
                number += 1
            }
        }
        (partialNumber, partial) = wanted ?? (0, 0)
    }
}
