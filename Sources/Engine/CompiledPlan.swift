import Bounds
import Language
import Plan
import Values

/// A plan made ready to run: immutable, made once for a set of definitions, shared by all cores and batches.
public final class CompiledPlan: Sendable {
    public let plan: Plan
    let streams: [CompiledStream]
    /// The session's, by which days and months are counted.
    let timeZone: ZoneRules

    /// Fails where the plan names a time zone that this machine does not know.
    public init(_ plan: Plan) throws(ZoneError) {
        self.plan = plan
        timeZone = try ZoneDatabase.rules(plan.definitions.timeZone)
        var streams: [CompiledStream] = []
        for stream in plan.streams {
            streams.append(
                try CompiledStream(
                    stream, columnCount: plan.definitions.tables[stream.table].columns.count,
                    timeZone: plan.definitions.timeZone))
        }
        self.streams = streams
    }
}

/// Where a register's rows are kept.
enum RegisterPlace: UInt8 {
    /// A column of the table: in the receive buffer where it has register form, else in the batch.
    case source
    /// One value a row of the batch.
    case column
    /// One value a row of a chunk, computed anew for every chunk.
    case scratch
    /// One value, repeated over a chunk; in the plan's own memory.
    case constant
}

/// One stream's programs, lowered to micro steps, and where their registers are kept.
///
/// `@unchecked`: the constants' memory is written by `init` alone.
final class CompiledStream: @unchecked Sendable {
    let plan: StreamPlan
    let columnCount: Int
    /// By register: the plan's, then scratch ones.
    let types: [ValueType]
    let places: [RegisterPlace]
    /// One a stage, then `finish`.
    let programs: [[MicroStep]]
    let objects: ProgramObjects
    let constants: ConstantPool
    /// Registers that window calls write.
    let results: [Register]
    /// By view: columns that are NULL where a row is late or refused.
    let windowed: [[Register]]

    /// By stage and partition: the table's columns that its keys are made of; nil where a window's result is among them.
    let keyColumns: [[Set<Int>?]]

    init(_ plan: StreamPlan, columnCount: Int, timeZone: String) throws(ZoneError) {
        self.plan = plan
        self.columnCount = columnCount
        let calls = plan.stages.flatMap(\.partitions).flatMap(\.calls)
        results = calls.map(\.result)
        windowed = plan.views.map { view in zip(view.registers, view.isWindowed).filter(\.1).map(\.0) }

        let columns = plan.sourceColumns(columnCount: columnCount)
        keyColumns = plan.stages.map { stage in
            stage.partitions.map { partition in
                partition.keys.reduce(Set<Int>()) { sofar, key in
                    columns[key.index].flatMap { sofar?.union($0) }
                }
            }
        }

        var compiler = ProgramCompiler(registers: plan.registers, isExposed: plan.exposedRegisters(), timeZone: timeZone)
        var programs: [[MicroStep]] = []
        for stage in plan.stages { programs.append(try compiler.compile(stage.program)) }
        programs.append(try compiler.compile(plan.finish))
        self.programs = programs
        types = compiler.types
        objects = compiler.objects

        let resultIndices = Set(results.map(\.index))
        places = compiler.types.indices.map { index in
            if index < columnCount { return .source }
            if compiler.isConstant[index] { return .constant }
            let isExposed = index < compiler.isExposed.count && compiler.isExposed[index]
            return isExposed || resultIndices.contains(index) ? .column : .scratch
        }
        constants = ConstantPool(compiler: compiler, places: places)
    }
}

extension StreamPlan {
    /// By register: read by something besides the steps of the one program that computes it.
    func exposedRegisters() -> [Bool] {
        var isExposed = Array(repeating: false, count: registers.count)
        func expose(_ register: Register?) { if let register { isExposed[register.index] = true } }
        for view in views {
            view.registers.forEach(expose)
            expose(view.filter)
        }
        for partition in stages.flatMap(\.partitions) {
            (partition.keys + partition.tieBreakers + [partition.time]).forEach(expose)
            expose(partition.entry)
            for call in partition.calls { [call.argument, call.second, call.filter].forEach(expose) }
        }
        // What one program computes and another reads outlives the chunk.
        var madeBy = Array(repeating: -1, count: registers.count)
        for (program, steps) in (stages.map(\.program) + [finish]).enumerated() {
            for step in steps.steps {
                for input in step.inputs where madeBy[input.index] >= 0 && madeBy[input.index] != program { expose(input) }
                if case .constant = step.operation { continue }
                madeBy[step.output.index] = program
            }
        }
        return isExposed
    }
}

extension StreamPlan {
    /// By register: the table's columns that it is made of; nil where a window's result is among them.
    func sourceColumns(columnCount: Int) -> [Set<Int>?] {
        var columns: [Set<Int>?] = registers.indices.map { $0 < columnCount ? [$0] : nil }
        for step in (stages.map(\.program) + [finish]).flatMap(\.steps) {
            columns[step.output.index] = step.inputs.reduce(Set<Int>()) { sofar, input in
                columns[input.index].flatMap { sofar?.union($0) }
            }
        }
        return columns
    }
}
