import Language
import Values

extension TransitionBuilder {
    func columnChanges() -> [ColumnChange] {
        struct Place { var view: String; var column: String }
        var oldPlaces: [Int: [Place]] = [:]
        for (number, stream) in old.streams.enumerated() {
            for view in stream.views {
                for (field, register) in zip(view.columns, view.registers) {
                    oldPlaces[oldMeanings.registers[number][register.index], default: []].append(
                        Place(view: view.name, column: field.name))
                }
            }
        }
        var changes: [ColumnChange] = []
        var seen: Set<[String]> = []
        for (number, stream) in plan.streams.enumerated() {
            let sources = ColumnSources(plan, stream: number)
            for view in stream.views {
                for (field, register) in zip(view.columns, view.registers) where seen.insert([view.name, field.name]).inserted {
                    let places = oldPlaces[newMeanings.registers[number][register.index]] ?? []
                    let source = sources.source(of: register)
                    var change = ColumnChange(
                        view: view.name, column: field.name, outcome: .added, coverage: source.coverage, stream: number)
                    let isAfresh =
                        !source.calls.isDisjoint(with: afreshCalls) || source.joinTables.contains { joinTables[$0] == .fresh }
                    if isAfresh && !isNew(stream: number) {
                        change.outcome = .afresh
                    } else if let place = places.first(where: { $0.view == view.name && $0.column == field.name }) ?? places.first
                    {
                        change.outcome = .kept
                        if place.view != view.name || place.column != field.name {
                            (change.originView, change.originColumn) = (place.view, place.column)
                        }
                    }
                    changes.append(change)
                }
            }
        }
        let kept = Set(
            changes.filter { $0.outcome == .kept }.map {
                [$0.originView ?? $0.view, $0.originView == nil ? $0.column : $0.originColumn]
            })
        for (number, stream) in old.streams.enumerated() {
            for view in stream.views {
                for field in view.columns where !kept.contains([view.name, field.name]) {
                    if !seen.insert([view.name, field.name]).inserted { continue }
                    changes.append(
                        ColumnChange(view: view.name, column: field.name, outcome: .dropped, coverage: .complete, stream: number))
                }
            }
        }
        return changes
    }
}

/// What a stream's registers are computed from.
struct ColumnSources {
    struct Source {
        var coverage = Coverage.complete
        var calls: Set<CallPlace> = []
        var joinTables: Set<Int> = []

        mutating func add(_ other: Source) {
            coverage.add(other.coverage)
            calls.formUnion(other.calls)
            joinTables.formUnion(other.joinTables)
        }
    }

    /// By register.
    private var sources: [Source]

    init(_ plan: Plan, stream: Int) {
        let stream = plan.streams[stream]
        var inputs: [[Register]] = Array(repeating: [], count: stream.registers.count)
        sources = Array(repeating: Source(), count: stream.registers.count)
        for step in (stream.stages.map(\.program) + [stream.finish]).flatMap(\.steps) { inputs[step.output.index] = step.inputs }
        for link in stream.links { inputs[link.to.index] = [link.from] }
        for partition in stream.stages.flatMap(\.partitions) {
            for (number, call) in partition.calls.enumerated() {
                sources[call.result.index].calls = [CallPlace(state: partition.state, number: number)]
                sources[call.result.index].coverage = call.coverage
            }
        }
        for join in stream.stages.flatMap(\.joins) {
            for result in join.columns.map(\.result) + [join.isMatched] {
                sources[result.index].joinTables = [join.table]
                sources[result.index].coverage = plan.joinTables[join.table].coverage
                inputs[result.index] = join.inputs
            }
        }
        // A register is made from registers with smaller numbers.
        for register in sources.indices {
            for input in inputs[register] { sources[register].add(sources[input.index]) }
        }
    }

    func source(of register: Register) -> Source { sources[register.index] }
}
