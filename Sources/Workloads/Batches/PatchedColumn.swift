import Values
import Wire

/// A column whose values are written into encoded batches: event times and numbers of a sequence.
struct PatchedColumn {
    let column: Int
    private let changing: ColumnGenerator.Changing
    /// Bytes of a value.
    private let width: Int
    private let unitMicroseconds: Int64
    private let countsEvents: Bool

    init(_ changing: ColumnGenerator.Changing, column: Int, type: ValueType, timeUnit: IntegerTimeUnit?) {
        self.changing = changing
        self.column = column
        width = type.arrowWidth
        let unit = timeUnit ?? .standard(for: type)
        countsEvents = type.isInteger && unit == .event
        unitMicroseconds = type.isInteger ? unit.microseconds : type == .date ? 86_400_000_000 : 1
    }

    /// - Parameters:
    ///   - sources: by row, the row whose value it has; nil: its own.
    ///   - behind: by row, by how much its time is earlier; nil: not at all.
    ///   - place: where the column's values stand, aligned to 8.
    func write(
        _ span: EventSpan, rows: Int, sources: UnsafePointer<Int32>?, behind: UnsafePointer<Int64>?,
        to place: UnsafeMutableRawPointer
    ) {
        switch changing {
        case .sequence(let first, let step):
            store(rows, place) { row in
                first &+ (span.firstEvent + (sources.map { Int64($0[row]) } ?? Int64(row))) &* step
            }
        case .time where countsEvents:
            store(rows, place) { row in
                let source = sources.map { Int($0[row]) } ?? row
                return span.firstEvent + Int64(source) - (behind.map { $0[source] / 1_000_000 } ?? 0)
            }
        case .time:
            let step = Double(span.end - span.start) / Double(rows)
            if unitMicroseconds == 1, sources == nil, behind == nil {
                store(rows, place) { row in span.start &+ Int64(step * Double(row + 1)) }
            } else {
                store(rows, place) { row in
                    let source = sources.map { Int($0[row]) } ?? row
                    let time = span.start &+ Int64(step * Double(source + 1)) &- (behind?[source] ?? 0)
                    return floorDivide(time, unitMicroseconds)
                }
            }
        }
    }

    @inline(__always)
    private func store(_ rows: Int, _ place: UnsafeMutableRawPointer, _ value: (Int) -> Int64) {
        switch width {
        case 8: for row in 0..<rows { place.storeBytes(of: value(row), toByteOffset: row * 8, as: Int64.self) }
        case 4:
            for row in 0..<rows {
                place.storeBytes(of: Int32(truncatingIfNeeded: value(row)), toByteOffset: row * 4, as: Int32.self)
            }
        default:
            for row in 0..<rows {
                place.storeBytes(of: Int16(truncatingIfNeeded: value(row)), toByteOffset: row * 2, as: Int16.self)
            }
        }
    }
}
