import Language
import Testing
import Values

@testable import Engine

private func int(_ value: Int64?) -> Expression { .constant(value.map(Scalar.integer) ?? .null, .integer) }
private func big(_ value: Int64?) -> Expression { .constant(value.map(Scalar.integer) ?? .null, .bigint) }
private func small(_ value: Int64?) -> Expression { .constant(value.map(Scalar.integer) ?? .null, .smallint) }
private func double(_ value: Double?) -> Expression { .constant(value.map(Scalar.double) ?? .null, .double) }
private func real(_ value: Double?) -> Expression { .constant(value.map(Scalar.double) ?? .null, .real) }
private func decimal(_ unscaled: Int128, _ precision: Int, _ scale: Int) -> Expression {
    .constant(.decimal(unscaled), .numeric(precision: precision, scale: scale))
}

@Suite struct `Arithmetic of row expressions` {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var expression: Expression
        var expected: Scalar
        var errors = 0

        init(
            _ sql: String, _ function: Function, _ arguments: [Expression], _ type: ValueType, _ expected: Scalar, errors: Int = 0
        ) {
            testDescription = sql
            expression = .call(function, arguments, type)
            self.expected = expected
            self.errors = errors
        }
    }

    static let integers: [Case] = [
        Case("7 / 2", .divide, [int(7), int(2)], .integer, .integer(3)),
        Case("-7 / 2", .divide, [int(-7), int(2)], .integer, .integer(-3)),
        Case("-7 % 2", .modulo, [int(-7), int(2)], .integer, .integer(-1)),
        Case("1 / 0", .divide, [int(1), int(0)], .integer, .null, errors: 1),
        Case("1 % 0", .modulo, [int(1), int(0)], .integer, .null, errors: 1),
        Case("NULL / 0", .divide, [int(nil), int(0)], .integer, .null),
        Case("2147483647 + 1", .add, [int(2_147_483_647), int(1)], .integer, .null, errors: 1),
        Case("2147483647::bigint + 1", .add, [big(2_147_483_647), big(1)], .bigint, .integer(2_147_483_648)),
        Case("bigint max + 1", .add, [big(.max), big(1)], .bigint, .null, errors: 1),
        Case("bigint min - 1", .subtract, [big(.min), big(1)], .bigint, .null, errors: 1),
        Case("bigint max * 2", .multiply, [big(.max), big(2)], .bigint, .null, errors: 1),
        Case("bigint min / -1", .divide, [big(.min), big(-1)], .bigint, .null, errors: 1),
        Case("bigint min % -1", .modulo, [big(.min), big(-1)], .bigint, .integer(0)),
        Case("300::smallint * 300::smallint", .multiply, [small(300), small(300)], .smallint, .null, errors: 1),
        Case("-32768::smallint / -1", .divide, [small(-32_768), small(-1)], .smallint, .null, errors: 1),
        Case("abs(-5)", .absolute, [int(-5)], .integer, .integer(5)),
        Case("abs(integer min)", .absolute, [int(-2_147_483_648)], .integer, .null, errors: 1),
        Case("-(bigint min)", .negate, [big(.min)], .bigint, .null, errors: 1),
        Case("-(-32768::smallint)", .negate, [small(-32_768)], .smallint, .null, errors: 1),
        Case("-(5)", .negate, [int(5)], .integer, .integer(-5)),
    ]

    static let doubles: [Case] = [
        Case("0.1 + 0.2", .add, [double(0.1), double(0.2)], .double, .double(0.30000000000000004)),
        Case("1 / 0", .divide, [double(1), double(0)], .double, .null, errors: 1),
        Case("0 / 0", .divide, [double(0), double(0)], .double, .null, errors: 1),
        Case("NaN / 0", .divide, [double(.nan), double(0)], .double, .double(.nan)),
        Case("Infinity / 0", .divide, [double(.infinity), double(0)], .double, .null, errors: 1),
        Case("1e308 * 10", .multiply, [double(1e308), double(10)], .double, .null, errors: 1),
        Case("Infinity * 10", .multiply, [double(.infinity), double(10)], .double, .double(.infinity)),
        Case("1e-300 * 1e-300", .multiply, [double(1e-300), double(1e-300)], .double, .null, errors: 1),
        Case("1 / Infinity", .divide, [double(1), double(.infinity)], .double, .double(0)),
        Case("Infinity - Infinity", .subtract, [double(.infinity), double(.infinity)], .double, .double(.nan)),
        Case("real 16777216 + 1", .add, [real(16_777_216), real(1)], .real, .double(16_777_216)),
        Case("real 3e38 * 10", .multiply, [real(Double(Float(3e38))), real(10)], .real, .null, errors: 1),
        Case("round(2.5)", .round, [double(2.5)], .double, .double(2)),
        Case("round(-2.5)", .round, [double(-2.5)], .double, .double(-2)),
        Case("round(3.5)", .round, [double(3.5)], .double, .double(4)),
        Case("ceil(-0.5)", .ceiling, [double(-0.5)], .double, .double(-0.0)),
        Case("floor(-0.5)", .floor, [double(-0.5)], .double, .double(-1)),
        Case("trunc(-1.9)", .truncate, [double(-1.9)], .double, .double(-1)),
        Case("sign(-3)", .sign, [double(-3)], .double, .double(-1)),
        Case("sqrt(2)", .squareRoot, [double(2)], .double, .double(2.0.squareRoot())),
        Case("sqrt(-1)", .squareRoot, [double(-1)], .double, .null, errors: 1),
        Case("cbrt(8)", .cubeRoot, [double(8)], .double, .double(2)),
        Case("ln(0)", .naturalLogarithm, [double(0)], .double, .null, errors: 1),
        Case("log(1000)", .logarithm10, [double(1_000)], .double, .double(3)),
        Case("exp(0)", .exponential, [double(0)], .double, .double(1)),
        Case("exp(1000)", .exponential, [double(1_000)], .double, .null, errors: 1),
        Case("exp(-Infinity)", .exponential, [double(-.infinity)], .double, .double(0)),
        Case("power(2, 10)", .power, [double(2), double(10)], .double, .double(1_024)),
        Case("power(-8, 1/3)", .power, [double(-8), double(1.0 / 3)], .double, .null, errors: 1),
        Case("power(0, -1)", .power, [double(0), double(-1)], .double, .null, errors: 1),
        Case("power(0, 0)", .power, [double(0), double(0)], .double, .double(1)),
        Case("power(1, NaN)", .power, [double(1), double(.nan)], .double, .double(1)),
        Case("power(10, 400)", .power, [double(10), double(400)], .double, .null, errors: 1),
    ]

    static let numerics: [Case] = [
        Case("1.10 + 2.2", .add, [decimal(110, 3, 2), decimal(22, 2, 1)], .numeric(precision: 4, scale: 2), .decimal(330)),
        Case("1.1 - 2.25", .subtract, [decimal(11, 2, 1), decimal(225, 3, 2)], .numeric(precision: 4, scale: 2), .decimal(-115)),
        Case(
            "1.5 * 2.25", .multiply, [decimal(15, 2, 1), decimal(225, 3, 2)], .numeric(precision: 5, scale: 3), .decimal(3_375)),
        Case(
            "9.9 + 0.1 as numeric(2,1)", .add, [decimal(99, 2, 1), decimal(1, 2, 1)], .numeric(precision: 2, scale: 1), .null,
            errors: 1),
        Case("-7.5 % 2", .modulo, [decimal(-75, 2, 1), decimal(2, 1, 0)], .numeric(precision: 2, scale: 1), .decimal(-15)),
        Case("1.0 % 0", .modulo, [decimal(10, 2, 1), decimal(0, 1, 0)], .numeric(precision: 2, scale: 1), .null, errors: 1),
        Case(
            "1 / 3 to 4 digits", .divide, [decimal(1, 1, 0), decimal(3, 1, 0)], .numeric(precision: 10, scale: 4), .decimal(3_333)
        ),
        Case(
            "2 / 3 to 4 digits", .divide, [decimal(-2, 1, 0), decimal(3, 1, 0)], .numeric(precision: 10, scale: 4),
            .decimal(-6_667)),
        Case("1.0 / 4.0 as double", .divide, [decimal(10, 2, 1), decimal(40, 2, 1)], .double, .double(0.25)),
        Case("round(2.5)", .round, [decimal(25, 2, 1)], .numeric(precision: 2, scale: 0), .decimal(3)),
        Case("round(-2.5)", .round, [decimal(-25, 2, 1)], .numeric(precision: 2, scale: 0), .decimal(-3)),
        Case("round(2.345, 2)", .round, [decimal(2_345, 4, 3), int(2)], .numeric(precision: 4, scale: 2), .decimal(235)),
        Case("round(1234, -2)", .round, [decimal(1_250, 4, 0), int(-2)], .numeric(precision: 4, scale: 0), .decimal(1_300)),
        Case("trunc(-2.39, 1)", .truncate, [decimal(-239, 3, 2), int(1)], .numeric(precision: 3, scale: 1), .decimal(-23)),
        Case("ceil(-1.5)", .ceiling, [decimal(-15, 2, 1)], .numeric(precision: 2, scale: 0), .decimal(-1)),
        Case("floor(-1.5)", .floor, [decimal(-15, 2, 1)], .numeric(precision: 2, scale: 0), .decimal(-2)),
        Case("abs(-1.5)", .absolute, [decimal(-15, 2, 1)], .numeric(precision: 2, scale: 1), .decimal(15)),
        Case("sign(-1.5)", .sign, [decimal(-15, 2, 1)], .numeric(precision: 2, scale: 1), .decimal(-10)),
        Case(
            "18 digits times 18 digits, back to scale 0", .multiply,
            [decimal(999_999_999_999_999_999, 18, 9), decimal(999_999_999_999_999_999, 18, 9)],
            .numeric(precision: 38, scale: 0), .decimal(999_999_999_999_999_998)),
        Case(
            "10^19 squared is beyond 38 digits", .multiply,
            [decimal(10_000_000_000_000_000_000, 20, 0), decimal(10_000_000_000_000_000_000, 20, 0)],
            .numeric(precision: 38, scale: 0), .null, errors: 1),
    ]

    @Test(arguments: integers + doubles + numerics)
    func `gives PostgreSQL's result, folded and by row`(_ sample: Case) throws {
        let result = try #require(try value(sample.expression), "folded and computed by row differ")
        #expect(result.cell.isSame(as: sample.expected), "\(result.cell)")
        #expect(result.errors == sample.errors)
    }

    @Test func `an error that CASE does not choose is none`() throws {
        let quotient = Expression.call(.divide, [.column(0, .integer), .column(1, .integer)], .integer)
        let isZero = Expression.call(.equal, [.column(1, .integer), int(0)], .boolean)
        let guarded = Expression.choose([.init(condition: isZero, value: int(-1))], otherwise: quotient, .integer)
        let result = try evaluate(
            [guarded], over: [([.integer(6), .integer(1)], .integer), ([.integer(0), .integer(2)], .integer)])
        #expect(result.cells == [[.integer(-1), .integer(0)]])
        #expect(result.errors == 0)
    }

    @Test func `chunks join without a seam`() throws {
        let rows = 2_000
        let column: [Scalar] = (0..<rows).map { $0 % 7 == 0 ? .null : .integer(Int64($0)) }
        let sum = Expression.call(.add, [.column(0, .bigint), .constant(.integer(1), .bigint)], .bigint)
        let result = try evaluate([.call(.multiply, [sum, sum], .bigint)], over: [(column, .bigint)])
        func square(_ row: Int) -> Scalar { row % 7 == 0 ? .null : .integer(Int64((row + 1) * (row + 1))) }
        let expected = (0..<rows).map(square)
        #expect(result.cells[0] == expected)
    }
}
