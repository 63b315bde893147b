import Testing
import Workloads

@Suite struct RuleParsingTests {
    @Test(arguments: [
        ("time", ColumnRule(.time)),
        ("zipf(1000)", ColumnRule(.zipf(keys: 1_000, exponent: 1))),
        (" zipf( 1000 , 0.8 ) as card-#", ColumnRule(.zipf(keys: 1_000, exponent: 0.8), pattern: "card-#")),
        ("uniform(1, 6)", ColumnRule(.uniform(.number(1), .number(6)))),
        (
            "uniform(2024-01-01, 2024-01-02 12:00:00)",
            ColumnRule(.uniform(.moment(1_704_067_200_000_000), .moment(1_704_196_800_000_000)))
        ),
        ("normal(21.5, 4) nulls 10%", ColumnRule(.normal(mean: 21.5, deviation: 4), nullShare: 0.1)),
        ("sequence", ColumnRule(.sequence(first: 1, step: 1))),
        ("sequence(10, -2)", ColumnRule(.sequence(first: 10, step: -2))),
    ])
    func `a rule is read`(text: String, rule: ColumnRule) throws {
        #expect(try ColumnRule(parsing: text) == rule)
        // What is printed is read as the same rule.
        #expect(try ColumnRule(parsing: rule.description) == rule)
    }

    @Test func `a category has values and weights`() throws {
        let rule = try ColumnRule(parsing: "category(SPY*3, AAPL, *2)")
        guard case .category(let choices) = rule.draw else {
            Issue.record("not a category")
            return
        }
        #expect(choices.map(\.text) == ["SPY", "AAPL", ""])
        #expect(choices.map(\.weight) == [3, 1, 2])
    }

    @Test(arguments: [
        ("zapf(10)", "none of time, zipf"), ("zipf()", "argument 1 is missing"), ("zipf(0)", "from 1 to 2^40"),
        ("zipf(10", "not closed"), ("uniform(5, 1)", "the lower end comes first"), ("uniform(1, 2024-01-01)", "both moments"),
        ("uniform(a, b)", "neither a number nor a moment"), ("normal(1, -1)", "negative"),
        ("zipf(10, 1, 1)", "at most 2 arguments"),
        ("category()", "no value"), ("category(a*x)", "weight"), ("category(a*0)", "every weight is 0"),
        ("zipf(10) as card", "no #"), ("zipf(10) nulls 110%", "no share"), ("sequence(1.5)", "no whole number"),
    ])
    func `a wrong rule says what is wrong`(text: String, why: String) {
        let error = #expect(throws: RuleError.self) { try ColumnRule(parsing: text) }
        #expect(error?.description.contains(why) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains(text) == true)
    }

    @Test func `a file of rules has comments and names its lines`() throws {
        let rules = try NamedRule.parse(
            """
            -- hot cards
            payments.card_id = zipf(100)   -- per card

            amount = normal(1, 2)
            """, name: "rules.txt")
        #expect(rules.map(\.table) == ["payments", nil])
        #expect(rules.map(\.column) == ["card_id", "amount"])
        let error = #expect(throws: RuleError.self) { try NamedRule.parse("a = time\nb zipf(3)\n", name: "rules.txt") }
        #expect(error?.description == "rules.txt:2: \"b zipf(3)\" is no rule: write TABLE.COLUMN = RULE")
    }
}
