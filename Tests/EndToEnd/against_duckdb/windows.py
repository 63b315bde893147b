"""Frames, keys and window calls."""

from __future__ import annotations

from dataclasses import replace

from against_duckdb.leaves import COLUMNS, INTEGERS, KINDS, TAME, Expression
from against_duckdb.statistics import STATISTICS, Statistics


AGGREGATES = ("count(*)", "count", "distinct", "sum", "sum", "avg", "min", "max", "spread", "bool_and", "bool_or")
AGGREGATES += ("bits", "argument", "any_value", "list")
VALUES = ("first_value", "last_value", "nth_value", "lag", "row_number()", "rank()", "dense_rank()")
# What is not here sums to double precision.
SUMS = {
    "smallint": "bigint",
    "integer": "bigint",
    "bigint": "numeric(38,0)",
    "numeric(12,2)": "numeric(38,2)",
    "numeric(20,4)": "numeric(38,4)",
}
UNITS_OF_DATES = ("0 days", "1 day", "7 days", "1 month", "3 months", "1 year", "1 month 3 days", "40 days")
UNITS_OF_TIME = ("1 microsecond", "0.5 seconds", "10 minutes", "1 hour", "23:59:59.999999", "24 hours", "1 day 2 hours")
COMPUTED_KEYS = (
    Expression("text", "left(g, 1)", "left(g, 1)"),
    Expression("bigint", "k % 2", "k % 2"),
    Expression("boolean", "(i > 0)", "(i > 0)"),
    Expression("double precision", "floor(x / 500)", "floor(x / 500)"),
    Expression("text", "g || h", "g || h"),
    Expression("text", "coalesce(g, 'none')", "coalesce(g, 'none')"),
    Expression("text", "concat(g, h)", "concat(g, h)"),
)


class Windows(Statistics):
    def frame(self) -> str:
        """A frame clause, which both languages share."""
        if self.chance(0.12):
            return ""
        if self.chance(0.3):
            distances = [str(self.random.choice((0, 1, 2, 5, 17, 100))) for _ in range(2)]
            mode = self.random.choice(("ROWS", "ROWS", "GROUPS"))
        elif self.time_kind in INTEGERS:
            distances = [str(self.random.choice((0, 1, 7, 60, 1000, 100000))) for _ in range(2)]
            mode = "RANGE"
        else:
            units = UNITS_OF_DATES if self.time_kind == "date" else UNITS_OF_DATES + UNITS_OF_TIME
            distances = [f"INTERVAL '{self.random.choice(units)}'" for _ in range(2)]
            mode = "RANGE"
        start = "UNBOUNDED" if self.chance(0.15) else distances[0]
        end = f"{distances[1]} PRECEDING" if self.chance(0.3) else "CURRENT ROW"
        exclude = self.random.choice(
            (" EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES", " EXCLUDE NO OTHERS", "", "", "", "", "")
        )
        if end == "CURRENT ROW" and self.chance(0.2):
            return f"{mode} {start} PRECEDING{exclude}"
        return f"{mode} BETWEEN {start} PRECEDING AND {end}{exclude}"

    def keys(self) -> list[Expression]:
        kinds = self.random.choices(("column", "expression"), (4, 1), k=self.random.choice((0, 1, 1, 1, 1, 2, 2, 3)))
        plain = ("k", "g", "h", "b", "r", "n", "d")
        keys = []
        for kind in kinds:
            if self.derived and self.chance(0.3):
                name, made = self.random.choice(list(self.derived.items()))
                keys.append(Expression(made.kind, name, name))
            elif kind == "column":
                name = self.random.choice(plain)
                keys.append(Expression(COLUMNS[name], name, name))
            else:
                keys.append(self.random.choice(COMPUTED_KEYS))
        return keys

    def windows(self) -> list[tuple[str, str, str]]:
        """(name, the WINDOW clause's text for Millrace, DuckDB's specification)."""
        made: list[tuple[str, str, str]] = []
        for index in range(self.random.randint(1, 4)):
            frame = self.frame()
            bases = [window for window in made if window[0].startswith("base")]
            if bases and self.chance(0.6):
                name, _, base = self.random.choice(bases)
                made.append((f"win{index}", f"({name} {frame})", f"{base} {frame}"))
                continue
            keys = self.keys()
            over = ("PARTITION BY " + ", ".join(key.millrace for key in keys) if keys else "") + " ORDER BY ts"
            if self.chance(0.4):
                made.append((f"base{index}", f"({over})", over))
                made.append((f"win{index}", f"(base{index} {frame})", f"{over} {frame}"))
            else:
                made.append((f"win{index}", f"({over} {frame})", f"{over} {frame}"))
        return made

    def call(self, windows: list[tuple[str, str, str]], index: int) -> Expression:
        """One window call; DuckDB's stands in an inner SELECT as c{index}."""
        name, clause, specification = self.random.choice(windows)
        function = self.random.choice(AGGREGATES + VALUES + STATISTICS)
        over = name if self.chance(0.7) else clause
        if function in STATISTICS:
            made, duck = self.statistic(function, specification, SUMS)
            self.calls.append((f"c{index}", duck))
            return replace(made, millrace=f"({made.millrace} OVER {over})", duckdb=f"CAST(c{index} AS {made.kind})")
        if function in ("count", "distinct"):
            made = self.counted(function == "distinct")
        elif function in ("sum", "avg", "spread"):
            made = self.summed(function)
        elif function in ("bool_and", "bool_or"):
            made = self.build("boolean", f"{function}({{0}})", f"{function}({{0}})", self.value("boolean", 1))
        elif function in ("min", "max"):
            kind = self.random.choice([kind for kind in KINDS if kind != "boolean"])
            made = self.build(kind, f"{function}({{0}})", f"{function}({{0}})", self.value(kind, 1, exact=True))
        elif function == "bits":
            made = self.of_bits()
        elif function == "list":
            made = self.listed()
        elif function == "argument":
            made = self.row_of_extreme()
        elif function in ("count(*)", "row_number()", "rank()", "dense_rank()"):
            made = Expression("bigint", function, function)
        else:
            made = self.picked(function)
        if function in AGGREGATES and self.chance(0.25):
            text = "{0} FILTER (WHERE {1})"
            made = replace(
                self.build(made.kind, text, text, made, self.value("boolean", 1)), exact=made.exact, loose=made.loose
            )
        self.calls.append((f"c{index}", f"{made.duckdb} OVER ({specification})"))
        return replace(made, millrace=f"({made.millrace} OVER {over})", duckdb=f"CAST(c{index} AS {made.kind})")

    def counted(self, is_distinct: bool) -> Expression:
        kind = self.random.choice([kind for kind in KINDS if kind != "interval"])
        text = "count(DISTINCT {0})" if is_distinct else "count({0})"
        return self.build("bigint", text, text, self.value(kind, 1, exact=True))

    def summed(self, function: str) -> Expression:
        column = self.random.choice(TAME)
        part = Expression(COLUMNS[column], column, column)
        if self.chance(0.2) and part.kind == "double precision":
            part = self.build(part.kind, "(x * i)", "product_of(x, i::double)")
        if self.chance(0.2) and part.kind in INTEGERS:
            part = self.value(part.kind, 1)
        if function == "sum":
            kind = SUMS.get(part.kind, "double precision")
            return self.build(kind, "sum({0})", "sum(({0})::double)" if kind == "double precision" else "sum({0})", part)
        if function == "spread":
            function = self.random.choice(("stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop"))
        if function.endswith("_pop") and part.kind == "double precision":
            # One NaN or infinity alone has variance NaN, and 0 in DuckDB.
            finite = "CASE WHEN {0} BETWEEN -1000000 AND 1000000 THEN {0} END"
            part = self.build(part.kind, finite, finite, part)
        made = self.build("double precision", f"{function}({{0}})", f"{function}({{0}})", part)
        return replace(made, exact=False, loose=function != "avg")

    def of_bits(self) -> Expression:
        kind = self.random.choice(INTEGERS)
        text = self.random.choice(("bit_and({0})", "bit_or({0})", "bit_xor({0})"))
        return self.build(kind, text, text, self.value(kind, 1))

    def listed(self) -> Expression:
        if self.chance(0.5):
            return self.build("text", "string_agg({0}, ', ')", "string_agg({0}, ', ')", self.value("text", 1))
        kind = self.random.choice([kind for kind in KINDS if kind != "interval"])
        return self.build(f"{kind}[]", "array_agg({0})", "array_agg({0})", self.value(kind, 1, exact=True))

    def row_of_extreme(self) -> Expression:
        """x of the row with the least or greatest y."""
        kind = self.random.choice(KINDS)
        compared = self.random.choice([kind for kind in KINDS if kind != "boolean"])
        text = self.random.choice(("arg_min({0}, {1})", "arg_max({0}, {1})", "max_by({0}, {1})"))
        return self.build(kind, text, text, self.value(kind, 1), self.value(compared, 1, exact=True))

    def picked(self, function: str) -> Expression:
        """One row's value."""
        kind = self.random.choice(KINDS)
        text = f"{function}({{0}})"
        default = self.literal(kind)
        if function == "nth_value":
            text = f"nth_value({{0}}, {self.random.choice((1, 2, 3, 10))})"
        elif function == "lag" and self.chance(0.6):
            more = ", {1}" if self.chance(0.5) else ""
            text = f"lag({{0}}, {self.random.choice((0, 1, 2, 5, 30))}{more})"
        duck = text
        if function != "any_value" and self.chance(0.4):
            text, duck = text + " IGNORE NULLS", text[:-1] + " IGNORE NULLS)"
        return self.build(kind, text, duck, self.value(kind, 1), default)
