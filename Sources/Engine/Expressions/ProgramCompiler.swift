import Bounds
import Language
import Plan
import Values

/// Lowers the steps of a stream's programs to micro steps: every decision that depends on functions and types is taken
/// here, once per set of definitions.
///
/// Registers beyond the plan's are scratch, one chunk long. Registers that only depend on constants are computed here
/// too, one chunk long, and are read by every batch.
struct ProgramCompiler {
    /// Types of the plan's registers, then of scratch ones.
    var types: [ValueType]
    /// By register: it, or what it is made from, is a constant.
    var isConstant: [Bool]
    /// By register: some row may hold `NullByte.failure`.
    var mayFail: [Bool]
    /// Registers that something besides the programs' own steps reads.
    let isExposed: [Bool]
    var constants: [(register: Int32, value: Scalar)] = []
    /// Micro steps over constants only: run once.
    var folded: [MicroStep] = []
    /// Micro steps of the program under way.
    var steps: [MicroStep] = []
    var objects = ProgramObjects()
    let timeZone: String
    /// By exposed register that is a constant: the constant itself.
    private var constantTwins: [Int32: Int32] = [:]
    /// The step under way is over constants only.
    private var isFolding = false

    init(registers: [ValueType], isExposed: [Bool], timeZone: String) {
        types = registers
        isConstant = Array(repeating: false, count: registers.count)
        mayFail = isConstant
        self.isExposed = isExposed
        self.timeZone = timeZone
    }

    /// The micro steps of one program.
    mutating func compile(_ program: Program) throws(ZoneError) -> [MicroStep] {
        steps = []
        for step in program.steps { try compile(step) }
        return steps
    }

    private mutating func compile(_ step: Step) throws(ZoneError) {
        let output = Int32(step.output.index)
        // A constant that others read as a column is computed into a twin and copied for every batch.
        let operands = step.inputs.map { constantTwins[Int32($0.index)] ?? Int32($0.index) }
        isFolding = operands.allSatisfy { isConstant[Int($0)] }
        let target = isFolding && isExposed[Int(output)] ? scratch(step.output.type) : output
        if isFolding { isConstant[Int(target)] = true }
        switch step.operation {
        case .constant(let value): constants.append((target, value))
        case .call(let function): try lower(function, operands, into: target)
        case .choose: lowerChoose(operands, into: target)
        }
        if target != output {
            isFolding = false
            constantTwins[output] = target
            emit(.copy, into: output, target, immediate: width(output))
        }
        if isExposed[Int(output)] && mayFail[Int(output)] { emit(.settle, into: output, output) }
        isFolding = false
    }

    // MARK: What lowering is made of

    mutating func scratch(_ type: ValueType) -> Int32 {
        types.append(type)
        isConstant.append(isFolding)
        mayFail.append(false)
        return Int32(types.count - 1)
    }

    mutating func emit(
        _ opcode: Opcode, _ variant: UInt8 = 0, into output: Int32, _ a: Int32 = -1, _ b: Int32 = -1, _ c: Int32 = -1,
        immediate: Int64 = 0, limit: Int64 = 0
    ) {
        let step = MicroStep(
            opcode: opcode, variant: variant, output: output, a: a, b: b, c: c, immediate: immediate, limit: limit)
        let inheritsFailure = [a, b, c].contains { $0 >= 0 && mayFail[Int($0)] }
        mayFail[Int(output)] = mayFail[Int(output)] || opcode.canFail || inheritsFailure
        if isFolding { folded.append(step) } else { steps.append(step) }
    }

    func type(_ register: Int32) -> ValueType { types[Int(register)] }
    func width(_ register: Int32) -> Int64 { Int64(type(register).form.stride) }
    func constant(_ register: Int32) -> Scalar? { constants.first { $0.register == register }?.value }

    /// The unscaled constant integer in a register; the language lets nothing else through.
    func constantInteger(_ register: Int32) -> Int {
        guard case .integer(let value)? = constant(register) else { preconditionFailure("expected a constant integer") }
        return Int(clamping: value)
    }

    func constantText(_ register: Int32) -> String? {
        if case .text(let value)? = constant(register) { value } else { nil }
    }
}

extension Opcode {
    /// Whether a row without NULLs can become NULL by it, other than as SQL means it.
    var canFail: Bool {
        switch self {
        case .compareBoolean, .compareInteger, .compareDouble, .compareDecimal, .compareText, .compareInterval, .distinct,
            .isInStart, .isInStep, .and, .or, .not, .test, .copy, .choose, .coalesce, .nullIf, .extreme, .settle,
            .integerToDouble, .integerToBoolean, .booleanToInteger, .textLength, .octetLength:
            false
        default: true
        }
    }
}

extension ValueType {
    /// Values that an integer or date register of this type may hold.
    var integerRange: ClosedRange<Int64> {
        switch self {
        case .smallint: -32_768...32_767
        case .integer: -2_147_483_648...2_147_483_647
        // 4714-11-24 BC to 5874897-12-31.
        case .date: -2_440_588...2_145_031_948
        default: .min ... .max
        }
    }

    var decimalScale: Int { if case .numeric(_, let scale) = self { scale } else { 0 } }
    var decimalPrecision: Int { if case .numeric(let precision, _) = self { precision } else { 38 } }
}
