import Engine
import Language
import Plan
import Storage
import Values

/// Definitions that the log has, compiled again by this release.
extension Catalog {
    /// As the log has them.
    var logged: LogDefinitions {
        LogDefinitions(version: version, sources: sources.map { .init(name: $0.name, text: $0.text) })
    }

    /// The first that the log has.
    convenience init(first logged: LogDefinitions, by compile: DefinitionsCompiler) throws(StartError) {
        let (definitions, sources) = try Self.compile(logged, by: compile)
        self.init(try Self.compiled(Planner.plan(definitions), logged), version: logged.version, sources: sources)
    }

    /// Those that follow others: the same change as when they were applied.
    static func following(
        _ former: Catalog, _ logged: LogDefinitions, by compile: DefinitionsCompiler
    ) throws(StartError) -> (Catalog, Transition) {
        guard logged.version == former.version + 1 else {
            throw StartError(
                "the log goes over from definitions version \(former.version) to \(logged.version); expected \(former.version + 1)"
            )
        }
        let (definitions, sources) = try Self.compile(logged, by: compile)
        let transition = Transition(from: former.plan, to: Planner.plan(definitions))
        let catalog = Catalog(try compiled(transition.plan, logged), version: logged.version, sources: sources)
        return (catalog, transition)
    }

    private static func compile(
        _ logged: LogDefinitions, by compile: DefinitionsCompiler
    ) throws(StartError) -> (Definitions, [SourceText]) {
        let sources = logged.sources.map { SourceText(name: $0.name, text: $0.text) }
        let (definitions, diagnostics) = compile(sources)
        guard let definitions else {
            let errors = diagnostics.filter { $0.severity == .error }.map { $0.rendered(sources: sources) }
            throw notTaken(logged, errors.joined(separator: "\n"))
        }
        return (definitions, sources)
    }

    private static func compiled(_ plan: Plan, _ logged: LogDefinitions) throws(StartError) -> CompiledPlan {
        do throws(ZoneError) {
            return try CompiledPlan(plan)
        } catch {
            throw notTaken(logged, "\(error)")
        }
    }

    private static func notTaken(_ logged: LogDefinitions, _ why: String) -> StartError {
        StartError(
            """
            the log has definitions (version \(logged.version)) that this release, \(Release.version), cannot compile; start the \
            release that wrote them, or begin with a new data directory
            \(why)
            """)
    }
}
