import Language
import Values

/// Row expressions as a list of steps over registers; each step is one tight loop over a chunk of rows.
public struct Program: Hashable, Sendable {
    public var steps: [Step]

    public init(steps: [Step] = []) {
        self.steps = steps
    }
}

/// `output = function(inputs)`, column at a time. The arguments' and the result's types are their registers'.
public struct Step: Hashable, Sendable {
    public enum Operation: Hashable, Sendable {
        case constant(Scalar)
        case call(Function)
        /// Inputs: condition, value, condition, value, …, otherwise.
        case choose
    }

    public var operation: Operation
    public var inputs: [Register]
    public var output: Register

    public init(operation: Operation, inputs: [Register], output: Register) {
        self.operation = operation
        self.inputs = inputs
        self.output = output
    }
}
