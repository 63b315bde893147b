import Engine
import SeededRuns
import Values

/// Makes a case from a seed: first its definition, then its events.
struct CaseGenerator {
    enum Size { case small, middle, large }

    var random: SeededRandom
    var made: SoakCase
    var size: Size
    /// How events lie in time, which the frames' lengths go by.
    var times: EventTimes
    let features: Set<Feature>

    init(seed: Int, isBrief: Bool = false) {
        random = SeededRandom(seed: seed)
        made = SoakCase(seed: seed)
        features = Feature.known
        let draw = random.integer(0..<10_000)
        size = draw < 4 && !isBrief ? .large : draw < 150 && !isBrief ? .middle : .small
        times = EventTimes(&random)
        made.timeType = times.type
        made.zone = times.zone
        definition()
        made.shardCount = random.pick([1, 1, 2, 4])
        if random.chance(10) { made.otherShardCount = random.pick([1, 2, 3, 4]) }
        events()
    }

    // MARK: Definition

    private mutating func definition() {
        if random.chance(75) {
            made.lateness = times.option(times.lateness)
        } else {
            times.lateness = times.latenessDefault
        }
        if random.chance(25) { made.idleAfter = times.option(times.step * Int64(random.integer(1...60))) }
        var terms = TermGenerator(columns: Column.all(times.type))
        made.isUnion = features.contains(.union) && random.chance(12)
        if size == .small { joins(&terms) }
        if random.chance(30) {
            let below = terms
            for index in 0..<random.integer(1...2) {
                let type = random.pick(TermGenerator.comparable)
                made.derived.append(("p\(index)", below.term(type, depth: 2, &random)))
                terms.columns.append(Column(name: "p\(index)", type: type))
            }
        }
        if random.chance(20) { made.innerWhere = terms.term(.boolean, depth: 2, &random) }
        let levelCount = size == .small && features.contains(.filteredByWindow) && random.chance(15) ? 2 : 1
        for level in 0..<levelCount {
            let calls = calls(terms, level: level, allowsWindowed: features.contains(.nested))
            made.levels.append(calls.map(\.spec))
            if level == 0, levelCount > 1, features.contains(.filteredByWindow), random.chance(40) {
                var all = terms
                all.columns += calls.filter(\.column.isExact).map(\.column)
                made.betweenWhere = all.term(.boolean, depth: 2, &random)
            }
            terms.columns += calls.map(\.column)
        }
        made.shape = random.pick(SoakCase.Shape.allCases)
        if random.chance(30) {
            for index in 0..<random.integer(1...3) {
                made.outputs.append(("e\(index)", terms.term(random.pick(TermGenerator.comparable), depth: 2, &random)))
            }
        }
        if size == .small, random.chance(15) { made.outerWhere = terms.term(.boolean, depth: 2, &random) }
        if size == .large { made.checkedPercent = 3 }
    }

    private mutating func joins(_ terms: inout TermGenerator) {
        let keys = ["k", "k", "k", "h", "l"]
        if features.contains(.referenceJoin), random.chance(12) {
            var join = SoakCase.JoinSpec(isAsOf: false, key: random.pick(keys), isInner: random.chance(30))
            if random.chance(20) { join.condition = "ref.a > 0" }
            made.joins.append(join)
            terms.columns += [Column(name: "ra", type: .double), Column(name: "rc", type: .text)]
        }
        if features.contains(.asOfJoin), random.chance(12) {
            var join = SoakCase.JoinSpec(isAsOf: true, key: random.pick(keys), isInner: random.chance(30))
            if random.chance(20) { join.condition = "hist.a > 0" }
            if random.chance(30) { join.comparison = "<" }
            made.joins.append(join)
            terms.columns += [Column(name: "qa", type: .double), Column(name: "qc", type: .text)]
        }
        if random.chance(50) { made.joins.reverse() }
    }

    private mutating func calls(_ terms: TermGenerator, level: Int, allowsWindowed: Bool) -> [(spec: CallSpec, column: Column)] {
        var terms = terms
        if level > 0 && !allowsWindowed { terms.columns.removeAll { $0.name.hasPrefix("f") } }
        // Few windows, many calls, as definitions are.
        let keys = (0..<random.integer(1...2)).map { _ in windowKeys(terms) }
        let frames = (0..<random.integer(1...3)).map { _ in frame(hasTies: false) }
        return (0..<random.integer(1...6)).map { index in
            let name = (level == 0 ? "f" : "g") + "\(index)"
            var calls = CallGenerator(terms: terms, features: features, times: times)
            var (spec, type, isExact) = calls.call(name, &random)
            spec.keys = random.pick(keys)
            spec.frame = random.pick(frames)
            if random.chance(6) {
                spec.ties = random.pick([["h"], ["k"], ["s"], ["x"], ["h", "s"]])
                spec.frame = frame(hasTies: true)
            }
            if !features.contains(.statisticsWithoutTies), spec.frame?.exclusion == "TIES",
                !CallGenerator.plain.contains(spec.function)
            {
                spec.frame?.exclusion = ""
            }
            if spec.function == "string_agg" || spec.function == "array_agg" { spec.frame = rowsFrame() }
            return (spec, Column(name: name, type: type, isExact: isExact))
        }
    }

    private mutating func windowKeys(_ terms: TermGenerator) -> [String] {
        switch random.integer(0...19) {
        case 0...1: return []
        case 2...10: return ["k"]
        case 11...12: return ["g"]
        case 13: return ["k", "g"]
        case 14: return ["x"]
        case 15: return ["k % 2", "b"]
        case 16: return ["n"]
        case 17: return ["u"]
        default: return [terms.term(random.pick(TermGenerator.comparable), depth: 1, &random)].filter { !$0.hasPrefix("NULL") }
        }
    }

    // MARK: Frames

    private mutating func rowsFrame() -> FrameSpec {
        let start = random.integer(0...(size == .small ? 12 : 200))
        var spec = FrameSpec(mode: "ROWS", start: .preceding(.count(Int64(start))))
        if random.chance(25) { spec.end = .preceding(.count(Int64(random.integer(0...start)))) }
        return spec
    }

    private mutating func frame(hasTies: Bool) -> FrameSpec? {
        if random.chance(8) { return nil }
        var exclusions = ["", "", "", "", "CURRENT ROW", "CURRENT ROW"]
        if features.contains(.excludeGroup) { exclusions.append("GROUP") }
        if features.contains(.excludeTies) { exclusions.append("TIES") }
        var modes = ["RANGE", "RANGE", "RANGE", "ROWS"]
        if features.contains(.groups) { modes.append("GROUPS") }
        var spec = FrameSpec(mode: random.pick(modes), start: .unbounded)
        spec.exclusion = random.pick(exclusions)
        if random.chance(12) { return spec }
        if random.chance(5) {
            spec.start = .currentRow
            return spec
        }
        if hasTies && spec.mode == "RANGE" { spec.mode = features.contains(.groups) && random.chance(50) ? "GROUPS" : "ROWS" }
        let span = size == .small ? 14 : 600
        func distance(_ generator: inout CaseGenerator) -> FrameSpec.Distance {
            let steps = generator.random.integer(0...span)
            if spec.mode != "RANGE" { return .count(Int64(steps)) }
            return generator.times.distance(steps, &generator.random)
        }
        if !random.chance(12) { spec.start = .preceding(distance(&self)) }
        if random.chance(25) { spec.end = .preceding(distance(&self)) }
        return spec
    }
}

extension SeededRandom {
    mutating func integer(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }
}
