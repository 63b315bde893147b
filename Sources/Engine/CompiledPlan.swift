import Bounds
import Language
import Plan
import Values
import Wire

/// A plan made ready to run: immutable, made once for a set of definitions, shared by all cores and batches.
public final class CompiledPlan: Sendable {
    public let plan: Plan
    let streams: [CompiledStream]
    /// By join table; nil where nothing is derived from its rows alone.
    let derivations: [JoinDerivation?]
    /// The session's, by which days and months are counted.
    let timeZone: ZoneRules

    /// Fails where the plan names a time zone that this machine does not know.
    public init(_ plan: Plan) throws(ZoneError) {
        self.plan = plan
        timeZone = try ZoneDatabase.rules(plan.definitions.timeZone)
        let derived = DerivedColumns(plan)
        var streams: [CompiledStream] = []
        for stream in derived.streams { streams.append(try CompiledStream(stream, in: plan)) }
        self.streams = streams
        var derivations: [JoinDerivation?] = []
        for (table, expressions) in zip(plan.joinTables, derived.expressions) {
            derivations.append(
                expressions.isEmpty
                    ? nil
                    : try JoinDerivation(
                        expressions, of: plan.definitions.tables[table.table], kept: table.columns,
                        timeZone: plan.definitions.timeZone))
        }
        self.derivations = derivations
    }
}

/// Where a register's rows are kept.
enum RegisterPlace: UInt8 {
    /// A column of the table: in the receive buffer where it has register form, else in the batch.
    case source
    /// One value a row of the batch.
    case column
    /// Stands where another register stands.
    case link
    /// One value a row of a chunk, computed anew for every chunk.
    case scratch
    /// One value, repeated over a chunk; in the plan's own memory.
    case constant
}

/// One stream's programs, lowered to micro steps, and where their registers are kept.
///
/// `@unchecked`: the constants' memory is written by `init` alone.
final class CompiledStream: @unchecked Sendable {
    /// With what is derived from joined rows as columns of the join (`DerivedColumns`).
    let plan: StreamPlan
    let columnCount: Int
    /// By column of the table.
    let layouts: [ColumnLayout]
    /// By register: the plan's, then scratch ones.
    let types: [ValueType]
    let places: [RegisterPlace]
    /// One a stage, then `finish`.
    let programs: [[MicroStep]]
    let objects: ProgramObjects
    let constants: ConstantPool
    /// Registers that window calls and joins write.
    let results: [Register]
    /// By view: columns that are NULL where a row is late or refused.
    let windowed: [[Register]]
    /// By stage.
    let joins: [[JoinCode]]
    let intakes: [[IntakeCode]]
    var hasIntakes: Bool { intakes.contains { !$0.isEmpty } }
    /// Rows that are too late have no answer: windows are computed, or the past that can be asked for is bounded.
    let hasLateRows: Bool

    /// By stage and partition: which rows it takes, and to which shard each of them belongs.
    let sharing: [[Sharing]]

    /// By reference, since a batch of one row looks at each of them too.
    final class Sharing: Sendable {
        let keys: [Register]
        /// Of the condition that a row must meet; -1 where there is none.
        let entry: Int
        /// The table's columns that the keys are made of; nil where a window's result is among them.
        let keyColumns: Set<Int>?

        init(_ partition: PartitionPlan, keyColumns: Set<Int>?) {
            keys = partition.keys
            entry = partition.entry?.index ?? -1
            self.keyColumns = keyColumns
        }
    }

    /// By stage and join, as `Sharing.keyColumns`.
    let joinKeyColumns: [[Set<Int>?]]

    init(_ plan: StreamPlan, in whole: Plan) throws(ZoneError) {
        let tableColumns = whole.definitions.tables[plan.table].columns
        let columnCount = tableColumns.count
        layouts = tableColumns.map { ColumnLayout($0.type) }
        self.plan = plan
        self.columnCount = columnCount
        let calls = plan.stages.flatMap(\.partitions).flatMap(\.calls)
        let joinPlans = plan.stages.flatMap(\.joins)
        results = calls.map(\.result) + joinPlans.flatMap { $0.columns.map(\.result) + [$0.isMatched] }
        joins = plan.stages.map { stage in
            stage.joins.map { join in
                let table = whole.joinTables[join.table]
                return JoinCode(join, table, columnCount: whole.definitions.tables[table.table].columns.count)
            }
        }
        intakes = plan.stages.map { stage in
            stage.intakes.map { IntakeCode($0, whole.joinTables[$0.table], columns: tableColumns) }
        }
        let asksHistory = joinPlans.contains { $0.time != nil && whole.joinTables[$0.table].askedBy != nil }
        hasLateRows = plan.eventTime != nil && (!calls.isEmpty || asksHistory)
        windowed = plan.views.map { view in zip(view.registers, view.isWindowed).filter(\.1).map(\.0) }

        let columns = plan.sourceColumns(columnCount: columnCount)
        func sources(_ keys: [Register]) -> Set<Int>? {
            keys.reduce(Set<Int>()) { sofar, key in columns[key.index].flatMap { sofar?.union($0) } }
        }
        sharing = plan.stages.map { stage in stage.partitions.map { Sharing($0, keyColumns: sources($0.keys)) } }
        joinKeyColumns = plan.stages.map { stage in stage.joins.map { sources($0.keys) } }

        var compiler = ProgramCompiler(
            registers: plan.registers, isExposed: plan.exposedRegisters(), timeZone: whole.definitions.timeZone)
        var programs: [[MicroStep]] = []
        for stage in plan.stages { programs.append(try compiler.compile(stage.program)) }
        programs.append(try compiler.compile(plan.finish))
        self.programs = programs
        types = compiler.types
        objects = compiler.objects

        let resultIndices = Set(results.map(\.index))
        let links = Set(plan.links.map(\.to.index))
        places = compiler.types.indices.map { index in
            if index < columnCount { return .source }
            if links.contains(index) { return .link }
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
        for join in stages.flatMap(\.joins) {
            join.keys.forEach(expose)
            expose(join.time)
        }
        for intake in stages.flatMap(\.intakes) { expose(intake.condition) }
        for link in links { expose(link.from) }
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
    /// By register: the table's columns that it is made of; nil where a window's result is among them. What a join brings is
    /// made of its keys.
    func sourceColumns(columnCount: Int) -> [Set<Int>?] {
        var makers: [Int: [Register]] = [:]
        for step in (stages.map(\.program) + [finish]).flatMap(\.steps) { makers[step.output.index] = step.inputs }
        for link in links { makers[link.to.index] = [link.from] }
        for join in stages.flatMap(\.joins) {
            for result in join.columns.map(\.result) + [join.isMatched] { makers[result.index] = join.keys }
        }
        // A register is made from registers with smaller numbers.
        var columns: [Set<Int>?] = []
        for index in registers.indices {
            columns.append(
                index < columnCount
                    ? [index]
                    : makers[index]?.reduce(Set<Int>()) { sofar, input in columns[input.index].flatMap { sofar?.union($0) } })
        }
        return columns
    }
}
