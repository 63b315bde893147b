import SeededRuns
import Values

/// Row expressions over columns: each is one that the plain evaluator knows, and exact.
struct TermGenerator {
    var columns: [Column]

    static let comparable: [ValueType] = [
        .bigint, .integer, .double, .text, .numeric(precision: 12, scale: 2), .timestamp, .date, .interval, .boolean,
    ]

    func column(_ type: ValueType, _ random: inout SeededRandom) -> String? {
        let found = columns.filter { $0.type == type && $0.isExact }
        return found.isEmpty ? nil : random.pick(found).name
    }

    func term(_ type: ValueType, depth: Int, _ random: inout SeededRandom) -> String {
        if depth > 0 && random.chance(40) { return composite(type, depth: depth - 1, &random) }
        if let column = column(type, &random), !random.chance(12) { return column }
        return literal(type, &random)
    }

    func literal(_ type: ValueType, _ random: inout SeededRandom) -> String {
        if random.chance(6) { return "NULL::\(type)" }
        switch type {
        case .boolean: return random.pick(["true", "false"])
        case .smallint: return "\(random.integer(0...3))::smallint"
        case .integer: return "\(random.integer(0...9))"
        case .bigint: return "\(random.pick([0, 1, 2, 7, 4_611_686_018_427_387_904]))::bigint"
        case .real: return "'\(random.pick(["0", "1.5", "-0.25"]))'::real"
        case .double: return "'\(random.pick(["0", "1.5", "-0.125", "8", "NaN", "Infinity"]))'::double precision"
        case .numeric: return "CAST(\(random.pick(["0.25", "1.50", "-3.10", "0.00"])) AS \(type))"
        case .text: return random.pick(["'a'", "''", "'b'", "'ab'"])
        case .date: return "date '\(random.pick(["2023-02-28", "2024-02-29", "2023-11-05"]))'"
        case .timestamp, .timestamptz:
            return "\(type) '\(random.pick(["2023-02-28 12:00:00", "2024-03-10 07:30:00"]))\(type == .timestamptz ? "+00" : "")'"
        default: return "INTERVAL '\(random.pick(["1 day", "2 hours", "1 month", "-90 minutes"]))'"
        }
    }

    private func composite(_ type: ValueType, depth: Int, _ random: inout SeededRandom) -> String {
        func term(_ type: ValueType, _ random: inout SeededRandom) -> String { self.term(type, depth: depth, &random) }
        switch random.integer(0...9) {
        case 0: return "CASE WHEN \(term(.boolean, &random)) THEN \(term(type, &random)) ELSE \(term(type, &random)) END"
        case 1: return "coalesce(\(term(type, &random)), \(literal(type, &random)))"
        case 2 where type != .boolean: return "nullif(\(term(type, &random)), \(term(type, &random)))"
        case 3 where type != .boolean:
            return "\(random.pick(["greatest", "least"]))(\(term(type, &random)), \(term(type, &random)))"
        default: break
        }
        switch type {
        case .boolean: return truth(depth: depth, &random)
        case .bigint, .integer:
            let (left, right) = (term(type, &random), term(random.chance(30) ? .smallint : type, &random))
            let forms = [
                "(\(left) + \(right))", "(\(left) - \(right))", "(\(left) * \(right))", "(\(left) / \(right))",
                "(\(left) % \(random.integer(2...4)))", "(- \(left))", "abs(\(left))",
                "CAST(\(term(.integer, &random)) AS \(type))",
                "CAST(\(term(.numeric(precision: 12, scale: 2), &random)) AS \(type))",
                "CAST(length(\(term(.text, &random))) AS \(type))", "CAST((\(term(.boolean, &random)))::integer AS \(type))",
            ]
            return random.pick(forms)
        case .double:
            let (left, right) = (term(type, &random), term(type, &random))
            return random.pick([
                "(\(left) + \(right))", "(\(left) - \(right))", "(\(left) * \(right))", "(\(left) / \(right))", "(- \(left))",
                "abs(\(left))", "CAST(\(term(.integer, &random)) AS double precision)",
                "CAST(\(term(.real, &random)) AS double precision)",
                "CAST(\(term(.numeric(precision: 12, scale: 2), &random)) AS double precision)",
                "extract(epoch FROM \(term(.interval, &random)))",
            ])
        case .numeric(let precision, _) where precision == 20:
            let narrow = ValueType.numeric(precision: 12, scale: 2)
            let sign = random.pick(["+", "-", "*"])
            return "CAST(\(term(narrow, &random)) \(sign) \(term(narrow, &random)) AS \(type))"
        case .numeric(let precision, _) where precision == 12:
            return "CAST(\(term(.integer, &random)) AS \(type))"
        case .text: return "(\(term(type, &random)) || \(term(type, &random)))"
        case .date: return "(\(term(type, &random)) + \(random.integer(0...40)))"
        case .timestamp, .timestamptz: return "(\(term(type, &random)) \(random.pick(["+", "-"])) \(literal(.interval, &random)))"
        case .interval: return "(\(term(.timestamp, &random)) - \(term(.timestamp, &random)))"
        default: return self.term(type, depth: 0, &random)
        }
    }

    private func truth(depth: Int, _ random: inout SeededRandom) -> String {
        func term(_ type: ValueType, _ random: inout SeededRandom) -> String { self.term(type, depth: depth, &random) }
        let type = random.pick(Self.comparable)
        switch random.integer(0...9) {
        case 0: return "(\(term(.boolean, &random)) AND \(term(.boolean, &random)))"
        case 1: return "(\(term(.boolean, &random)) OR \(term(.boolean, &random)))"
        case 2: return "(NOT \(term(.boolean, &random)))"
        case 3: return "(\(term(type, &random)) IS \(random.pick(["NULL", "NOT NULL"])))"
        case 4: return "(\(term(type, &random)) IS \(random.pick(["", "NOT "]))DISTINCT FROM \(term(type, &random)))"
        case 5: return "(\(term(type, &random)) IN (\(literal(type, &random)), \(literal(type, &random))))"
        case 6: return "(\(term(.boolean, &random)) IS \(random.pick(["TRUE", "NOT TRUE", "FALSE", "NOT FALSE"])))"
        default:
            let sign = random.pick(["=", "<>", "<", "<=", ">", ">="])
            return "(\(term(type, &random)) \(sign) \(term(type, &random)))"
        }
    }
}
