import Plan
import Values

struct FoldCode {
    enum Kind: UInt8 {
        case sum, minimum, maximum, variance, nth, last, nthPresent, lastPresent, argumentMinimum, argumentMaximum
        case bitAnd, bitOr, bitXor
        case shape, pairs, decay
    }

    let kind: Kind
    let form: Form
    /// Of what arg_min and arg_max answer with; its value stands 32 bytes behind the one compared.
    let valueForm: Form
    let n: Int
    let input: Int
    let valueInput: Int
    let offset: Int

    static let valueOffset = 32

    var isGreatest: Bool { kind == .maximum || kind == .argumentMaximum }
    var hasValue: Bool { kind == .argumentMinimum || kind == .argumentMaximum }
    /// Whether its first bytes are a value of the log's.
    var isValue: Bool {
        switch kind {
        case .minimum, .maximum, .nth, .last, .nthPresent, .argumentMinimum, .argumentMaximum: true
        case .sum, .variance, .lastPresent, .bitAnd, .bitOr, .bitXor, .shape, .pairs, .decay: false
        }
    }

    /// Bytes in the record, but of the last n values.
    var bytes: Int { hasValue ? 64 : kind == .shape || kind == .pairs ? 48 : 32 }

    /// - Parameter input: as the fold reads it.
    init(_ fold: StateLayout.Fold, input: Int, inputs: [StateLayout.Input]) {
        var n: Int64 = 0
        switch fold.kind {
        case .sum: kind = .sum
        case .minimum: kind = .minimum
        case .maximum: kind = .maximum
        case .variance: kind = .variance
        case .nth(let row): (kind, n) = (.nth, row)
        case .last: kind = .last
        case .nthPresent(let row): (kind, n) = (.nthPresent, row)
        case .lastPresent(let rows): (kind, n) = (.lastPresent, rows)
        case .argumentMinimum: kind = .argumentMinimum
        case .argumentMaximum: kind = .argumentMaximum
        case .bitAnd: kind = .bitAnd
        case .bitOr: kind = .bitOr
        case .bitXor: kind = .bitXor
        case .shape: kind = .shape
        case .pairs: kind = .pairs
        case .decay: kind = .decay
        }
        self.n = Int(min(n, 1 << 40))
        form = inputs[fold.input].form
        valueForm = fold.valueInput.map { inputs[$0].argument!.type.form } ?? .boolean
        self.input = input
        valueInput = fold.valueInput ?? -1
        offset = fold.offset
    }
}
