import Plan
import Storage

/// The plan whose state a snapshot holds: that of the first of its sets of definitions, changed to each of the others in turn, as
/// the server that wrote it had changed. A plan out of the last set alone would lay its state out otherwise, and would not
/// know which columns have begun later than the history that they stand on.
struct DefinitionsReplay {
    let catalog: Catalog
    let coverage: CoverageRecord

    init(_ sets: [SnapshotDefinitions], path: String, by compile: DefinitionsCompiler) throws(SnapshotError) {
        var coverage = CoverageRecord()
        var catalog: Catalog?
        do throws(StartError) {
            for set in sets {
                let logged = LogDefinitions(
                    version: set.version, sources: set.sources.map { .init(name: $0.name, text: $0.text) })
                guard let known = catalog else {
                    catalog = try Catalog(first: logged, by: compile)
                    continue
                }
                let (next, transition) = try Catalog.following(known, logged, by: compile)
                coverage.changed(by: transition, at: set.newestEventTimes)
                catalog = next
            }
        } catch {
            throw .refused(path, "\(error)")
        }
        guard let catalog else { throw .refused(path, "it has no definitions") }
        self.catalog = catalog
        self.coverage = coverage
    }
}

extension SnapshotDefinitions {
    init(_ catalog: Catalog, newestEventTimes: [String: Int64] = [:]) {
        self.init(
            version: catalog.version, sources: catalog.sources.map { Source(name: $0.name, text: $0.text) },
            newestEventTimes: newestEventTimes)
    }
}
