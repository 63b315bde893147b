/// Answers from moments of pairs and values, and from decayed sums.
extension PartitionKernel {
    /// The aggregate of a pending row's frame, given-up rows included.
    @inline(__always)
    private func value<Aggregate: BlockAggregate>(
        _ aggregate: Aggregate.Type, _ call: CallCode, _ frame: FramePositions, _ index: Int, hasBlocks: Bool
    ) -> Aggregate.Partial {
        let input = code.inputs[code.partials[call.partialNumber].input]
        let value = BlockLevels<Aggregate>(pending[index].log, input, offset: call.partial, texts: .nothing).value(
            of: frame, newest: newest(aggregate, call, index, frame, hasBlocks: hasBlocks))
        if !frame.isWhole || call.fold < 0 { return value }
        let before = pending[index].record.field(code.folds[call.fold].offset, as: Aggregate.Partial.self).pointee
        return Aggregate.combine(before, value, .nothing)
    }

    /// Covariance, correlation and regression; NULL of a degenerate frame, as PostgreSQL has it.
    func pairs(
        _ call: CallCode, _ frames: UnsafePointer<FramePositions>, _ result: Vector, _ count: Int, hasBlocks: Bool
    ) {
        for index in 0..<count {
            let moments = value(MomentsOfPairs.self, call, frames[index], index, hasBlocks: hasBlocks)
            let answer = moments.answer(call.kind)
            result.nulls[pending[index].row] = answer == nil ? 1 : 0
            result.doubles[pending[index].row] = answer ?? 0
        }
    }

    func shapes(
        _ call: CallCode, _ frames: UnsafePointer<FramePositions>, _ result: Vector, _ count: Int, hasBlocks: Bool
    ) {
        for index in 0..<count {
            let moments = value(ShapeOfValues.self, call, frames[index], index, hasBlocks: hasBlocks)
            let answer = call.kind == .skewness ? moments.skewness : moments.kurtosis
            result.nulls[pending[index].row] = answer == nil ? 1 : 0
            result.doubles[pending[index].row] = answer ?? 0
        }
    }

    /// decayed_sum and decayed_count, as of the row's time.
    func decays(
        _ call: CallCode, _ frames: UnsafePointer<FramePositions>, _ result: Vector, _ count: Int, hasBlocks: Bool
    ) {
        for index in 0..<count {
            let decayed = value(DecayedValues.self, call, frames[index], index, hasBlocks: hasBlocks)
            result.nulls[pending[index].row] = decayed.isEmpty ? 1 : 0
            result.doubles[pending[index].row] = decayed.sum(at: pending[index].time)
        }
    }
}

extension PairMoments {
    @inline(__always)
    fileprivate func answer(_ kind: CallFields.Kind) -> Double? {
        switch kind {
        case .covarianceSample: return count < 2 ? nil : products / (count - 1)
        case .covariancePopulation: return count < 1 ? nil : products / count
        case .correlation:
            if count < 1 || squaresY == 0 || squaresX == 0 { return nil }
            let correlation = products / (squaresY.squareRoot() * squaresX.squareRoot())
            return correlation > 1 ? 1 : correlation < -1 ? -1 : correlation
        case .regressionSlope: return count < 1 || squaresX == 0 ? nil : products / squaresX
        case .regressionIntercept: return count < 1 || squaresX == 0 ? nil : meanY - meanX * (products / squaresX)
        default:
            if count < 1 || squaresX == 0 { return nil }
            return squaresY == 0 ? 1 : products / squaresX * (products / squaresY)
        }
    }
}

extension ShapeMoments {
    /// G1, corrected for bias.
    @inline(__always)
    fileprivate var skewness: Double? {
        if count < 3 || squares == 0 { return nil }
        let variance = squares / count
        return (count * (count - 1)).squareRoot() / (count - 2) * (cubes / count / (variance * variance.squareRoot()))
    }

    /// G2: excess kurtosis, corrected for bias.
    @inline(__always)
    fileprivate var kurtosis: Double? {
        if count < 4 || squares == 0 { return nil }
        let variance = squares / count
        let ratio = fourths / count / (variance * variance)
        return (count - 1) / ((count - 2) * (count - 3)) * ((count + 1) * ratio - 3 * (count - 1))
    }
}
