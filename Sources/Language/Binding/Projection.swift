import Bounds

/// Projections over projections become one, so that equal computations of different views look equal.
enum Projection {
    static func over(_ input: Relation, _ outputs: [Expression], columnCount: Int) -> Relation {
        // `SELECT *` and its kind change nothing.
        let isIdentity =
            outputs.count == columnCount
            && outputs.enumerated().allSatisfy { index, output in
                if case .column(index, _) = output { true } else { false }
            }
        if isIdentity { return input }
        guard case .project(let inner, let computed) = input, let composed = composed(outputs, computed) else {
            return .project(input, outputs)
        }
        return .project(inner, composed)
    }

    /// `outputs` with the columns replaced by what computes them; nil where that would compute something twice, or nest
    /// too deep.
    private static func composed(_ outputs: [Expression], _ computed: [Expression]) -> [Expression]? {
        var uses = Array(repeating: 0, count: computed.count)
        for output in outputs { count(output, &uses) }
        for (expression, uses) in zip(computed, uses) where uses > 1 {
            switch expression {
            case .column, .constant: continue
            case .call, .choose: return nil
            }
        }
        let replaced = outputs.map { replace($0, computed) }
        return replaced.allSatisfy { depth($0) <= Bounds.expressionDepthMax } ? replaced : nil
    }

    private static func count(_ expression: Expression, _ uses: inout [Int]) {
        if case .column(let index, _) = expression { uses[index] += 1 }
        for child in expression.children { count(child, &uses) }
    }

    private static func depth(_ expression: Expression) -> Int {
        1 + (expression.children.map(depth).max() ?? 0)
    }

    private static func replace(_ expression: Expression, _ computed: [Expression]) -> Expression {
        switch expression {
        case .column(let index, _): computed[index]
        case .constant: expression
        case .call(let function, let arguments, let type): .call(function, arguments.map { replace($0, computed) }, type)
        case .choose(let branches, let otherwise, let type):
            .choose(
                branches.map { .init(condition: replace($0.condition, computed), value: replace($0.value, computed)) },
                otherwise: replace(otherwise, computed), type)
        }
    }
}

extension Expression {
    var children: [Expression] {
        switch self {
        case .column, .constant: []
        case .call(_, let arguments, _): arguments
        case .choose(let branches, let otherwise, _): branches.flatMap { [$0.condition, $0.value] } + [otherwise]
        }
    }
}
