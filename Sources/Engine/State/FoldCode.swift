import Plan
import Values

struct FoldCode {
    enum Kind: UInt8 { case sum, minimum, maximum, variance, nth, last }

    let kind: Kind
    let form: Form
    let n: Int
    let input: Int
    let offset: Int

    init(_ fold: StateLayout.Fold, form: Form) {
        var n = 0
        switch fold.kind {
        case .sum: kind = .sum
        case .minimum: kind = .minimum
        case .maximum: kind = .maximum
        case .variance: kind = .variance
        case .nth(let row):
            kind = .nth
            n = Int(min(row, 1 << 40))
        case .last: kind = .last
        }
        self.n = n
        self.form = form
        input = fold.input
        offset = fold.offset
    }
}
