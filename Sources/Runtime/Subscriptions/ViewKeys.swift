import Plan

/// Which columns of a view are the keys of its windows: what tells keys apart when rows are conflated.
struct ViewKeys: Hashable, Sendable {
    /// Indices into the view's columns: all partition keys that it shows as they are. Empty where its windows have no
    /// PARTITION BY, so that all rows are of one key; nil where it has no windows or shows none of their keys.
    var columns: [Int]?
    /// Columns that windows or joins fill.
    var windowed: [Int]
    /// Indices into the columns of the table `stream` is of, one for each of `columns`; nil where a key cannot be asked for:
    /// it is not shown, or is no column of the table.
    var tableColumns: [Int]?

    init(view: ViewPlan, of stream: StreamPlan, tableColumnCount: Int) {
        let keys = stream.partitionKeys(of: view.registers)
        windowed = view.isWindowed.indices.filter { view.isWindowed[$0] }
        guard let keys else {
            columns = nil
            tableColumns = nil
            return
        }
        let shown = keys.map { key in view.registers.firstIndex { $0.index == key } }
        let columns = Array(Set(shown.compactMap { $0 })).sorted()
        self.columns = columns.isEmpty && !keys.isEmpty ? nil : columns
        let sources = Dictionary(stream.links.map { ($0.to.index, $0.from.index) }) { first, _ in first }
        let origins = columns.map { column in
            var register = view.registers[column].index
            while let source = sources[register] { register = source }
            return register
        }
        let isWhole = !keys.isEmpty && !shown.contains(nil) && origins.allSatisfy { $0 < tableColumnCount }
        tableColumns = isWhole ? origins : nil
    }
}

extension StreamPlan {
    /// Register indices of the keys of all partitions that these registers are computed from; nil where there is no
    /// partition.
    fileprivate func partitionKeys(of registers: [Register]) -> Set<Int>? {
        var inputs: [Int: [Register]] = [:]
        for step in (stages.map(\.program) + [finish]).flatMap(\.steps) { inputs[step.output.index] = step.inputs }
        for link in links { inputs[link.to.index] = [link.from] }
        for join in stages.flatMap(\.joins) {
            for result in join.columns.map(\.result) + [join.isMatched] { inputs[result.index] = join.keys }
        }
        var keysOfCall: [Int: [Register]] = [:]
        for partition in stages.flatMap(\.partitions) {
            for call in partition.calls {
                keysOfCall[call.result.index] = partition.keys
                inputs[call.result.index] = partition.keys + [call.argument, call.second, call.filter].compactMap { $0 }
            }
        }
        var keys: Set<Int>?
        var seen: Set<Int> = []
        var open = registers.map(\.index)
        while let register = open.popLast() {
            guard seen.insert(register).inserted else { continue }
            if let found = keysOfCall[register] { keys = (keys ?? []).union(found.map(\.index)) }
            open += (inputs[register] ?? []).map(\.index)
        }
        return keys
    }
}
