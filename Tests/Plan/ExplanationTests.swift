import Language
import Plan
import Testing

/// SQL → `explain`, as files that a person can read. `MILLRACE_ACCEPT_SNAPSHOTS=1 swift test --filter Explanation` writes
/// what is said now over what was expected.
@Suite struct `Explanation of a plan` {
    @Test(arguments: Snapshot.all) func `reads as its file says`(_ name: String) throws {
        let sql = try #require(Snapshot.read("\(name).sql"), "there is no \(name).sql")
        let (definitions, diagnostics) = Compiler.compile([SourceText(name: "\(name).sql", text: sql)])
        let compiled = try #require(definitions, "\(diagnostics.map(\.message))")
        let text = Planner.plan(compiled).explain(Load(keys: 1_000_000, eventsPerSecond: 1_000))
        if Snapshot.isAccepting { Snapshot.write("\(name).txt", text) }
        #expect(text == Snapshot.read("\(name).txt"))
    }
}
