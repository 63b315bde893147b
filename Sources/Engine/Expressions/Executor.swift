import Bounds
import Values

/// Runs micro steps over rows, a chunk at a time: all steps over one chunk, so that its columns stay in the caches.
struct Executor {
    /// By register.
    let vectors: UnsafeMutablePointer<Vector>
    /// By register: bytes from one row to the next, or 0 where the register is one chunk long.
    let strides: UnsafePointer<Int>
    let objects: ProgramObjects
    let arena: UnsafeMutablePointer<TextArena>
    /// Failed cells that reached a register which is read.
    private(set) var failures = 0

    init(
        vectors: UnsafeMutablePointer<Vector>, strides: UnsafePointer<Int>, objects: ProgramObjects,
        arena: UnsafeMutablePointer<TextArena>
    ) {
        self.vectors = vectors
        self.strides = strides
        self.objects = objects
        self.arena = arena
    }

    mutating func run(_ steps: [MicroStep], rowCount: Int) {
        if steps.isEmpty { return }
        steps.withUnsafeBufferPointer { steps in
            for start in stride(from: 0, to: rowCount, by: Bounds.chunkRows) {
                let count = min(Bounds.chunkRows, rowCount - start)
                for step in steps { run(step, start: start, count: count) }
            }
        }
    }

    @inline(__always) private func vector(_ register: Int32, _ start: Int) -> Vector {
        let index = Int(max(0, register))
        let vector = vectors[index]
        if start == 0 { return vector }
        let stride = strides[index]
        return Vector(values: vector.values + start * stride, nulls: vector.nulls + (stride == 0 ? 0 : start))
    }

    private mutating func run(_ step: MicroStep, start: Int, count: Int) {
        let frame = KernelFrame(
            step: step, count: count, output: vector(step.output, start), a: vector(step.a, start),
            b: vector(step.b, start), c: vector(step.c, start))
        switch step.opcode {
        case .integerArithmetic: frame.integerArithmetic()
        case .doubleArithmetic: frame.doubleArithmetic()
        case .decimalArithmetic: frame.decimalArithmetic()
        case .decimalRangeCheck: frame.decimalRangeCheck()
        case .roundToReal: frame.roundToReal()
        case .integerUnary: frame.integerUnary()
        case .doubleUnary: frame.doubleUnary()
        case .decimalUnary: frame.decimalUnary()
        case .intervalUnary: frame.intervalUnary()
        case .doubleFunction: frame.doubleFunction()
        case .doubleRoundDigits: frame.doubleRoundDigits()
        case .decimalRound: frame.decimalRound()
        case .compareBoolean: frame.compareBoolean()
        case .compareInteger: frame.compareInteger()
        case .compareDouble: frame.compareDouble()
        case .compareDecimal: frame.compareDecimal()
        case .compareText: frame.compareText()
        case .compareInterval: frame.compareInterval()
        case .distinct: frame.distinct()
        case .isInStart: frame.isInStart()
        case .isInStep: frame.isInStep()
        case .and: frame.and()
        case .or: frame.or()
        case .not: frame.not()
        case .test: frame.test()
        case .copy: frame.copy()
        case .choose: frame.choose()
        case .coalesce: frame.coalesce()
        case .nullIf: frame.nullIf()
        case .extreme: frame.extreme()
        case .settle: failures += frame.settle()
        default: runConversion(frame)
        }
    }

    private func runConversion(_ frame: KernelFrame) {
        switch frame.step.opcode {
        case .integerRangeCheck: frame.integerRangeCheck()
        case .integerToDouble: frame.integerToDouble()
        case .integerToDecimal: frame.integerToDecimal()
        case .integerToBoolean: frame.integerToBoolean()
        case .booleanToInteger: frame.booleanToInteger()
        case .doubleToInteger: frame.doubleToInteger()
        case .doubleToDecimal: frame.doubleToDecimal()
        case .decimalToInteger: frame.decimalToInteger()
        case .decimalToDouble: frame.decimalToDouble()
        case .dateToTimestamp: frame.dateToTimestamp()
        case .timestampToDate: frame.timestampToDate()
        case .timestampPlusInterval: frame.timestampPlusInterval()
        case .momentPlusInterval: frame.momentPlusInterval(objects.zones[Int(frame.step.immediate)])
        case .timestampDifference: frame.timestampDifference()
        case .intervalArithmetic: frame.intervalArithmetic()
        case .intervalScale: frame.intervalScale()
        case .extractTimestamp: frame.extractTimestamp()
        case .extractInterval: frame.extractInterval()
        case .truncateTimestamp: frame.truncateTimestamp()
        case .truncateInterval: frame.truncateInterval()
        case .shiftZone: frame.shiftZone(objects.zones[Int(frame.step.immediate)])
        case .age: frame.age()
        case .toText: frame.toText(objects, &arena.pointee)
        case .fromText: frame.fromText(objects)
        default: runText(frame)
        }
    }

    private func runText(_ frame: KernelFrame) {
        switch frame.step.opcode {
        case .like: frame.like(objects)
        case .textLength: frame.textLength()
        case .octetLength: frame.octetLength()
        case .lower: frame.lower(&arena.pointee)
        case .upper: frame.upper(&arena.pointee)
        case .substring: frame.substring()
        case .concatenate: frame.concatenate(&arena.pointee)
        case .concatenateIgnoringNulls: frame.concatenateIgnoringNulls(&arena.pointee)
        case .splitPart: frame.splitPart()
        case .position: frame.position()
        case .replace: frame.replace(&arena.pointee)
        case .trim: frame.trim()
        case .left: frame.left()
        case .right: frame.right()
        case .startsWith: frame.startsWith()
        default: preconditionFailure("\(frame.step.opcode) has no kernel")
        }
    }
}

extension KernelFrame {
    /// Null bytes become 0 or 1; the number of failures among them.
    func settle() -> Int {
        var failures = 0
        for row in 0..<count {
            let byte = output.nulls[row]
            failures += Int(byte >> 1)
            output.nulls[row] = byte & 1
        }
        return failures
    }
}
