import CKernels
import Values

/// Columns that are not in canonical layout. A value that does not fit is an error that names its row, unless it stands in a
/// NULL's place, where anything may stand.
extension BatchSource {
    func convert(
        _ plan: ColumnPlan, into column: inout ColumnView, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) {
        switch plan.conversion {
        case .integer(let layout):
            let wide = try integers(plan, layout, column, scratch: &scratch)
            try narrow(wide, column, toWidth: plan.type.arrowWidth)
            column.values = UnsafeRawPointer(wide)
        case .integerToFloating(let layout):
            let wide = try integers(plan, layout, column, scratch: &scratch)
            try makeFloating(wide, column)
            column.values = UnsafeRawPointer(wide)
        case .integerToDecimal(let layout):
            let wide = try integers(plan, layout, column, scratch: &scratch)
            try makeDecimal(wide, into: &column, scratch: &scratch)
        case .halfToFloating: try widenHalf(plan, into: &column, scratch: &scratch)
        case .singleToDouble: try widenSingle(plan, into: &column, scratch: &scratch)
        case .decimal(let up, let down): try rescale(plan, up: up, down: down, into: &column, scratch: &scratch)
        case .millisecondsToDays: try makeDays(plan, into: &column, scratch: &scratch)
        case .timestamp(let multiplier, let divisor):
            let scaled = try microseconds(plan, column, multiplier: multiplier, divisor: divisor, scratch: &scratch)
            column.values = UnsafeRawPointer(scaled)
        default: try convertInterval(plan, into: &column, scratch: &scratch)
        }
    }

    // MARK: Integers

    /// Any integer layout as Int64, in scratch memory that the caller may overwrite.
    func integers(
        _ plan: ColumnPlan, _ layout: IntegerLayout, _ column: ColumnView, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) -> UnsafeMutablePointer<Int64> {
        let source = try bytes(plan.buffer + 1, atLeast: layout.width * rowCount, "values", scratch: &scratch)
            .baseAddress.unsafelyUnwrapped
        let wide = try scratch.take(max(8 * rowCount, 8)).assumingMemoryBound(to: Int64.self)
        switch layout {
        case .int8: widen(source, as: Int8.self, wide)
        case .int16: widen(source, as: Int16.self, wide)
        case .int32: widen(source, as: Int32.self, wide)
        case .int64: widen(source, as: Int64.self, wide)
        case .uint8: widen(source, as: UInt8.self, wide)
        case .uint16: widen(source, as: UInt16.self, wide)
        case .uint32: widen(source, as: UInt32.self, wide)
        case .uint64:
            widen(source, as: UInt64.self, wide)
            for row in 0..<rowCount where wide[row] < 0 && !column.isNull(row) {
                throw .value(row: row, why: "\(UInt64(bitPattern: wide[row])) is out of range")
            }
        }
        return wide
    }

    @inline(__always)
    private func widen<Source: FixedWidthInteger & BitwiseCopyable>(
        _ source: UnsafeRawPointer, as type: Source.Type, _ wide: UnsafeMutablePointer<Int64>
    ) {
        for row in 0..<rowCount {
            let value = source.loadUnaligned(fromByteOffset: row * MemoryLayout<Source>.size, as: Source.self)
            wide[row] = Int64(truncatingIfNeeded: value)
        }
    }

    /// In place: the narrow value's place is never behind the wide value's.
    private func narrow(
        _ wide: UnsafeMutablePointer<Int64>, _ column: ColumnView, toWidth width: Int
    ) throws(ColumnProblem) {
        let target = UnsafeMutableRawPointer(wide)
        switch width {
        case 2:
            for row in 0..<rowCount {
                let value = wide[row]
                if Int64(Int16(truncatingIfNeeded: value)) != value { try refuse(row, column, value, .smallint) }
                target.storeBytes(of: Int16(truncatingIfNeeded: value), toByteOffset: row * 2, as: Int16.self)
            }
        case 4:
            for row in 0..<rowCount {
                let value = wide[row]
                if Int64(Int32(truncatingIfNeeded: value)) != value { try refuse(row, column, value, .integer) }
                target.storeBytes(of: Int32(truncatingIfNeeded: value), toByteOffset: row * 4, as: Int32.self)
            }
        default: break
        }
    }

    private func refuse(
        _ row: Int, _ column: ColumnView, _ value: Int64, _ type: ValueType
    ) throws(ColumnProblem) {
        guard column.isNull(row) else { throw .value(row: row, why: "\(value) is out of range for \(type)") }
    }

    /// In place, as far as integers are exact: 2^53 in `double`, 2^24 in `real`.
    private func makeFloating(_ wide: UnsafeMutablePointer<Int64>, _ column: ColumnView) throws(ColumnProblem) {
        let target = UnsafeMutableRawPointer(wide)
        let exactMax: UInt64 = column.type == .real ? 1 << 24 : 1 << 53
        for row in 0..<rowCount where wide[row].magnitude > exactMax && !column.isNull(row) {
            throw .value(row: row, why: "\(wide[row]) has no exact value of type \(column.type)")
        }
        if column.type == .real {
            for row in 0..<rowCount { target.storeBytes(of: Float(wide[row]), toByteOffset: row * 4, as: Float.self) }
        } else {
            for row in 0..<rowCount { target.storeBytes(of: Double(wide[row]), toByteOffset: row * 8, as: Double.self) }
        }
    }

    // MARK: Floating point

    private func widenHalf(
        _ plan: ColumnPlan, into column: inout ColumnView, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) {
        let source = try bytes(plan.buffer + 1, atLeast: 2 * rowCount, "values", scratch: &scratch)
            .baseAddress.unsafelyUnwrapped
        let target = try scratch.take(max(8 * rowCount, 8))
        for row in 0..<rowCount {
            let value = CKernels_halfToFloat(source.loadUnaligned(fromByteOffset: row * 2, as: UInt16.self))
            if plan.type == .real {
                target.storeBytes(of: value, toByteOffset: row * 4, as: Float.self)
            } else {
                target.storeBytes(of: Double(value), toByteOffset: row * 8, as: Double.self)
            }
        }
        column.values = UnsafeRawPointer(target)
    }

    private func widenSingle(
        _ plan: ColumnPlan, into column: inout ColumnView, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) {
        let source = try bytes(plan.buffer + 1, atLeast: 4 * rowCount, "values", scratch: &scratch)
            .baseAddress.unsafelyUnwrapped
        let target = try scratch.take(max(8 * rowCount, 8)).assumingMemoryBound(to: Double.self)
        for row in 0..<rowCount {
            target[row] = Double(source.loadUnaligned(fromByteOffset: row * 4, as: Float.self))
        }
        column.values = UnsafeRawPointer(target)
    }

    // MARK: Decimals

    private func makeDecimal(
        _ wide: UnsafeMutablePointer<Int64>, into column: inout ColumnView, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) {
        guard case .numeric(let precision, let scale) = column.type else { preconditionFailure("a numeric column") }
        let target = try scratch.take(max(16 * rowCount, 16)).assumingMemoryBound(to: Int128.self)
        let factor = powerOfTen(scale)
        let limit = powerOfTen(precision)
        for row in 0..<rowCount {
            let (value, isOverflow) = Int128(wide[row]).multipliedReportingOverflow(by: factor)
            if isOverflow || value <= -limit || value >= limit {
                guard column.isNull(row) else { throw .value(row: row, why: "\(wide[row]) is out of range for \(column.type)") }
            }
            target[row] = value
        }
        column.values = UnsafeRawPointer(target)
    }

    private func rescale(
        _ plan: ColumnPlan, up: Int, down: Int, into column: inout ColumnView, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) {
        guard case .numeric(let precision, _) = plan.type else { preconditionFailure("a numeric column") }
        let source = try aligned(plan.buffer + 1, width: 16, count: rowCount, "values", scratch: &scratch)
        let limit = powerOfTen(precision)
        column.values = source
        if up == 0 && down == 0 {
            for row in 0..<rowCount {
                let value = source.loadUnaligned(fromByteOffset: row * 16, as: Int128.self)
                if value <= -limit || value >= limit { try refuseDecimal(row, column) }
            }
            return
        }
        let target = try scratch.take(max(16 * rowCount, 16)).assumingMemoryBound(to: Int128.self)
        let factor = powerOfTen(up)
        let divisor = powerOfTen(down)
        for row in 0..<rowCount {
            let value = source.loadUnaligned(fromByteOffset: row * 16, as: Int128.self)
            let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
            let (scaled, isOverflow) = quotient.multipliedReportingOverflow(by: factor)
            if remainder != 0 || isOverflow || scaled <= -limit || scaled >= limit { try refuseDecimal(row, column) }
            target[row] = scaled
        }
        column.values = UnsafeRawPointer(target)
    }

    private func refuseDecimal(_ row: Int, _ column: ColumnView) throws(ColumnProblem) {
        guard column.isNull(row) else { throw .value(row: row, why: "the value does not fit \(column.type) exactly") }
    }

    // MARK: Time

    /// Int64 values scaled to microseconds, in scratch memory.
    func microseconds(
        _ plan: ColumnPlan, _ column: ColumnView, multiplier: Int64, divisor: Int64, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) -> UnsafeMutablePointer<Int64> {
        let values = try integers(plan, .int64, column, scratch: &scratch)
        if multiplier > 1 {
            for row in 0..<rowCount {
                let (scaled, isOverflow) = values[row].multipliedReportingOverflow(by: multiplier)
                if isOverflow && !column.isNull(row) {
                    throw .value(row: row, why: "\(values[row]) is out of range for \(column.type)")
                }
                values[row] = scaled
            }
        }
        if divisor > 1 {
            for row in 0..<rowCount {
                let (scaled, rest) = values[row].quotientAndRemainder(dividingBy: divisor)
                if rest != 0 && !column.isNull(row) {
                    throw .value(row: row, why: "\(values[row]) ns is finer than a microsecond; round before sending")
                }
                values[row] = scaled
            }
        }
        return values
    }

    private func makeDays(
        _ plan: ColumnPlan, into column: inout ColumnView, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) {
        let values = try integers(plan, .int64, column, scratch: &scratch)
        let dayMilliseconds: Int64 = 86_400_000
        for row in 0..<rowCount {
            let (days, rest) = values[row].quotientAndRemainder(dividingBy: dayMilliseconds)
            if rest != 0 && !column.isNull(row) {
                throw .value(row: row, why: "\(values[row]) ms is not a whole day")
            }
            values[row] = days
        }
        try narrow(values, column, toWidth: 4)
        column.values = UnsafeRawPointer(values)
    }
}

/// 10^exponent for 0…38, all of which Int128 holds.
func powerOfTen(_ exponent: Int) -> Int128 {
    var power: Int128 = 1
    for _ in 0..<exponent { power *= 10 }
    return power
}
