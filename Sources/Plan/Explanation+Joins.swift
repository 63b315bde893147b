import Bounds
import Language
import Values

/// What `explain` says of tables that are joined.
struct JoinExplanation {
    let plan: Plan

    /// The joins of a stream's stage.
    func write(_ stage: Stage, number: Int, names: RegisterNames, to page: inout Page) {
        for join in stage.joins {
            let joined = plan.joinTables[join.table]
            let table = plan.definitions.tables[joined.table]
            page.line("")
            page.line("join with \(table.name)" + (number > 0 ? " (stage \(number))" : ""))
            page.depth += 1
            let keys = zip(joined.keys, join.keys).map { "\(table.columns[$0].name) = \(names[$1])" }
            if !keys.isEmpty { page.entry("on", keys.joined(separator: " and ")) }
            if let column = joined.time, let time = join.time {
                let comparison = join.includesEqual ? "<=" : "<"
                page.entry("latest row with", "\(table.columns[column].name) \(comparison) \(names[time])")
            }
            if !join.columns.isEmpty {
                page.entry("columns", join.columns.map { table.columns[$0.column].name }.joined(separator: ", "))
            }
            page.depth -= 1
        }
    }

    /// A table in its role as one that others are joined with.
    func write(table index: Int, to page: inout Page) {
        let table = plan.definitions.tables[index]
        for joined in plan.joinTables where joined.table == index {
            page.line(
                "\(joined.isHistory ? "history" : "reference") table \(table.name)"
                    + (joined.stage > 0 ? " (stage \(joined.stage))" : ""))
            page.depth += 1
            let key = joined.keys.map { table.columns[$0].name }.joined(separator: ", ")
            if let time = joined.time {
                page.entry("rows", "in order of \(table.columns[time].name)" + (key.isEmpty ? "" : ", by \(key)"))
                page.entry("history", history(joined))
                if joined.condition != nil { page.entry("only rows where", "the join's condition on them is true") }
            } else {
                page.entry("rows", "the last one sent, by \(key)")
            }
            page.entry("columns kept", joined.columns.map { table.columns[$0].name }.joined(separator: ", "))
            page.entry("state", "about \(count(bytesPerRow(joined, table), "byte")) a row and its texts, on every shard")
            page.depth -= 1
        }
    }

    private func history(_ joined: JoinTablePlan) -> String {
        guard let streams = joined.askedBy else { return "all rows" }
        let names = streams.map { plan.definitions.tables[plan.streams[$0].table].name }
        return "of every key the last row and those that events of \(names.joined(separator: " and ")) can still ask for"
    }

    /// The block of a row, without texts, and its place in the index or among its key's rows.
    private func bytesPerRow(_ joined: JoinTablePlan, _ table: Table) -> Int {
        func bytes(_ column: Int) -> Int { table.columns[column].type.form == .text ? 8 : table.columns[column].type.form.stride }
        let row = 16 + joined.columns.reduce(0) { $0 + bytes($1) + 1 }
        let key = joined.keys.reduce(0) { $0 + bytes($1) }
        return joined.isHistory ? row + 16 : row + key + StateLayout.indexSlotBytes
    }
}
