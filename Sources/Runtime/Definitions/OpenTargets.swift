import Wire

/// What the channels of a core's connections are for under other definitions: found once for all that were opened alike.
struct OpenTargets {
    let catalog: Catalog
    private var known: [Open: Result<OpenTarget, ErrorMessage>] = [:]

    init(_ catalog: Catalog) { self.catalog = catalog }

    mutating func target(of open: Open) -> Result<OpenTarget, ErrorMessage> {
        if let known = known[open] { return known }
        let target: Result<OpenTarget, ErrorMessage>
        do throws(ErrorMessage) {
            target = .success(try catalog.target(of: open))
        } catch {
            target = .failure(error)
        }
        known[open] = target
        return target
    }
}
