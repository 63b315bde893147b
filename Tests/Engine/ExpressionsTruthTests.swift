import Language
import Testing
import Values

@testable import Engine

/// Three-valued logic and comparison, exhaustively over their small tables.
@Suite struct `Truth of row expressions` {
    private static let truths: [Bool?] = [true, false, nil]

    private func boolean(_ value: Bool?) -> Expression { .constant(value.map(Scalar.boolean) ?? .null, .boolean) }
    private func scalar(_ value: Bool?) -> Scalar { value.map(Scalar.boolean) ?? .null }

    @Test(arguments: truths, truths)
    func `AND and OR follow three-valued logic`(_ left: Bool?, _ right: Bool?) throws {
        let and: Bool? = left == false || right == false ? false : left == nil || right == nil ? nil : true
        let or: Bool? = left == true || right == true ? true : left == nil || right == nil ? nil : false
        let arguments = [boolean(left), boolean(right)]
        #expect(try value(.call(.and, arguments, .boolean))?.cell == scalar(and))
        #expect(try value(.call(.or, arguments, .boolean))?.cell == scalar(or))
    }

    @Test(arguments: truths)
    func `NOT and the tests of truth know NULL`(_ truth: Bool?) throws {
        func result(_ function: Function) throws -> Scalar? { try value(.call(function, [boolean(truth)], .boolean))?.cell }
        #expect(try result(.not) == scalar(truth.map { !$0 }))
        #expect(try result(.isNull) == .boolean(truth == nil))
        #expect(try result(.isNotNull) == .boolean(truth != nil))
        #expect(try result(.isTrue) == .boolean(truth == true))
        #expect(try result(.isNotTrue) == .boolean(truth != true))
        #expect(try result(.isFalse) == .boolean(truth == false))
        #expect(try result(.isNotFalse) == .boolean(truth != false))
    }

    /// In PostgreSQL's order; NULL last.
    private static let ordered: [(ValueType, [Scalar])] = [
        (.boolean, [.boolean(false), .boolean(true), .null]),
        (.bigint, [.integer(.min), .integer(-1), .integer(0), .integer(.max), .null]),
        (.double, [.double(-.infinity), .double(-1), .double(0), .double(.infinity), .double(.nan), .null]),
        (.numeric(precision: 5, scale: 2), [.decimal(-100), .decimal(0), .decimal(1), .null]),
        (.text, [.text(""), .text("Z"), .text("a"), .text("ab"), .text("é"), .text("😀"), .null]),
        (
            .interval,
            [
                .interval(Interval(days: -1)), .interval(Interval(microseconds: 86_399_999_999)), .interval(Interval(days: 29)),
                .interval(Interval(months: 1)), .interval(Interval(months: 1, microseconds: 1)), .null,
            ]
        ),
    ]

    @Test(arguments: ordered.indices)
    func `comparison is a total order and NULL is unknown`(_ index: Int) throws {
        let (type, values) = Self.ordered[index]
        for (i, left) in values.enumerated() {
            for (j, right) in values.enumerated() {
                let arguments: [Expression] = [.constant(left, type), .constant(right, type)]
                func result(_ function: Function) throws -> Scalar? { try value(.call(function, arguments, .boolean))?.cell }
                func known(_ truth: Bool) -> Scalar { left == .null || right == .null ? .null : .boolean(truth) }
                #expect(try result(.equal) == known(i == j))
                #expect(try result(.notEqual) == known(i != j))
                #expect(try result(.less) == known(i < j))
                #expect(try result(.lessOrEqual) == known(i <= j))
                #expect(try result(.greater) == known(i > j))
                #expect(try result(.greaterOrEqual) == known(i >= j))
                #expect(try result(.isDistinctFrom) == .boolean(i != j))
                #expect(try result(.isNotDistinctFrom) == .boolean(i == j))
                let isLeftGreatest = right == .null || (left != .null && i >= j)
                let greatest = try value(.call(.greatest, arguments, type))?.cell
                #expect(greatest?.isSame(as: isLeftGreatest ? left : right) == true)
                let isLeftLeast = right == .null || (left != .null && i <= j)
                let least = try value(.call(.least, arguments, type))?.cell
                #expect(least?.isSame(as: isLeftLeast ? left : right) == true)
                let nullIf = try value(.call(.nullIf, arguments, type))?.cell
                #expect(nullIf?.isSame(as: i == j ? .null : left) == true)
                let coalesce = try value(.call(.coalesce, arguments, type))?.cell
                #expect(coalesce?.isSame(as: left == .null ? right : left) == true)
            }
        }
    }

    @Test func `IN is unknown where only a NULL could have matched`() throws {
        func isIn(_ value: Int64?, _ list: [Int64?]) throws -> Scalar? {
            let operands: [Expression] = ([value] + list).map { .constant($0.map(Scalar.integer) ?? .null, .integer) }
            return try cellOnly(.call(.isIn, operands, .boolean))
        }
        #expect(try isIn(1, [2, 1]) == .boolean(true))
        #expect(try isIn(1, [2, 3]) == .boolean(false))
        #expect(try isIn(1, [nil, 1]) == .boolean(true))
        #expect(try isIn(1, [1, nil]) == .boolean(true))
        #expect(try isIn(1, [2, nil]) == .null)
        #expect(try isIn(nil, [1]) == .null)
    }

    private func cellOnly(_ expression: Expression) throws -> Scalar? { try value(expression)?.cell }

    @Test func `CASE takes the first branch that is true`() throws {
        func branch(_ condition: Bool?, _ value: Int64) -> Expression.Branch {
            .init(condition: boolean(condition), value: .constant(.integer(value), .integer))
        }
        let otherwise = Expression.constant(.integer(9), .integer)
        let first = Expression.choose([branch(nil, 1), branch(true, 2), branch(true, 3)], otherwise: otherwise, .integer)
        #expect(try value(first)?.cell == .integer(2))
        let none = Expression.choose([branch(nil, 1), branch(false, 2)], otherwise: otherwise, .integer)
        #expect(try value(none)?.cell == .integer(9))
    }
}
