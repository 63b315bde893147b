import Values

/// What kernels need besides numbers; immutable once the plan is compiled.
struct ProgramObjects: Sendable {
    var patterns: [TextPattern] = []
    var zones: [ZoneRules] = []

    /// Index of a zone by name.
    mutating func zone(_ name: String) throws(ZoneError) -> Int {
        let rules = try ZoneDatabase.rules(name)
        if let known = zones.firstIndex(of: rules) { return known }
        zones.append(rules)
        return zones.count - 1
    }

    mutating func pattern(_ pattern: TextPattern) -> Int {
        patterns.append(pattern)
        return patterns.count - 1
    }
}
