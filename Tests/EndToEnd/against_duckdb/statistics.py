"""Window calls that are more than sums and extremes; what DuckDB calls or computes otherwise is written out."""

from __future__ import annotations

from dataclasses import replace

from against_duckdb.leaves import COLUMNS, INTEGERS, KINDS, TAME, Expression
from against_duckdb.values import Values

STATISTICS = ("quantile", "quantile", "mode", "sum distinct", "approximate", "pair", "shape", "decayed")
PAIRS = ("corr", "covar_samp", "covar_pop", "regr_slope", "regr_intercept", "regr_r2")
# Values near enough to one another that neither side loses many digits of their powers.
NEAR = "CASE WHEN {0} BETWEEN -10000 AND 10000 THEN {0} END"
NEAR_COLUMNS = ("x", "i", "h", "r", "n")
ORDERED = KINDS[:7]


class Statistics(Values):
    def statistic(self, function: str, specification: str, sums: dict[str, str]) -> tuple[Expression, str]:
        """The call as Millrace is asked for it, without OVER; and DuckDB's with it."""
        over = f" OVER ({specification})"
        if function == "quantile":
            return self.quantile(over)
        if function == "mode":
            made = self.value(self.random.choice([kind for kind in KINDS if kind != "interval"]), 1, exact=True)
            return self.build(made.kind, "mode({0})", "", made), f"mode({made.duckdb}){over}"
        if function == "approximate":
            made = self.value(self.random.choice([kind for kind in KINDS if kind != "interval"]), 1, exact=True)
            return self.build("bigint", "approx_count_distinct({0})", "", made), f"count(DISTINCT {made.duckdb}){over}"
        if function == "sum distinct":
            return self.distinct_sum(over, sums)
        if function == "pair":
            return self.pair(over)
        return self.shape(over) if function == "shape" else self.decayed(over)

    def quantile(self, over: str) -> tuple[Expression, str]:
        fraction = self.random.choice(("0", "0.05", "0.25", "0.28", "0.5", "0.9", "0.99", "1"))
        if self.chance(0.5):
            kind = self.random.choice(ORDERED)
            made = self.ordered(self.value(kind, 1, exact=True))
            text = self.random.choice((f"quantile_disc({{0}}, {fraction})", f"percentile_disc({fraction}) WITHIN GROUP (ORDER BY {{0}})"))
            return self.build(kind, text, "", made), f"quantile_disc({made.duckdb}, {fraction}){over}"
        column = self.random.choice(TAME)
        part = self.ordered(Expression(COLUMNS[column], column, column))
        text = f"quantile_cont({{0}}, {fraction})" if fraction != "0.5" else "median({0})"
        made = replace(self.build("double precision", text, "", part), exact=False)
        return made, f"quantile_cont(({part.duckdb})::double, {fraction}){over}"

    def ordered(self, made: Expression) -> Expression:
        """DuckDB cannot slide a frame's quantile over NaN."""
        if made.kind not in ("real", "double precision"):
            return made
        text = "CASE WHEN {0} <= 'Infinity'::double precision THEN {0} END"
        return self.build(made.kind, text, text, made)

    def distinct_sum(self, over: str, sums: dict[str, str]) -> tuple[Expression, str]:
        column = self.random.choice(TAME)
        part = Expression(COLUMNS[column], column, column)
        if self.chance(0.4):
            made = replace(self.build("double precision", "avg(DISTINCT {0})", "", part), exact=False)
            return made, f"avg(DISTINCT {column}){over}"
        kind = sums.get(part.kind, "double precision")
        cast = "::double" if kind == "double precision" else ""
        return self.build(kind, "sum(DISTINCT {0})", "", part), f"sum(DISTINCT ({column}){cast}){over}"

    def pair(self, over: str) -> tuple[Expression, str]:
        """corr and regr_slope of a degenerate frame are NaN in DuckDB."""
        function = self.random.choice(PAIRS)
        y, x = (NEAR.format(self.random.choice(NEAR_COLUMNS)) for _ in range(2))
        made = Expression("double precision", f"{function}({y}, {x})", "", exact=False, loose=True)
        call = f"{function}(({y})::double, ({x})::double){over}"
        return made, f"CASE WHEN isnan({call}) THEN NULL ELSE {call} END"

    def shape(self, over: str) -> tuple[Expression, str]:
        """DuckDB divides what rounding leaves of equal values' variance."""
        function = self.random.choice(("skewness", "kurtosis"))
        value = NEAR.format(self.random.choice(NEAR_COLUMNS))
        made = Expression("double precision", f"{function}({value})", "", exact=False, loose=True)
        call = f"{function}(({value})::double){over}"
        return made, f"CASE WHEN min({value}){over} = max({value}){over} THEN NULL ELSE {call} END"

    def decayed(self, over: str) -> tuple[Expression, str]:
        """DuckDB has no such thing: a list of the frame's rows, each weighed."""
        value = NEAR.format(self.random.choice(NEAR_COLUMNS))
        if self.time_kind in INTEGERS:
            decay = self.random.choice((1, 7, 60, 100000))
            span, distance = str(decay), f"(ts - e.t) / {decay}"
        elif self.time_kind == "date":
            decay = self.random.choice((1, 7, 100))
            span, distance = f"INTERVAL '{decay} days'", f"(ts - e.t) / {decay}"
        else:
            decay = self.random.choice((1, 60, 86400))
            span, distance = f"INTERVAL '{decay} seconds'", f"(epoch_us(ts) - epoch_us(e.t)) / {decay}e6"
        is_count = self.chance(0.3)
        text = f"decayed_count({value}, {span})" if is_count else f"decayed_sum({value}, {span})"
        made = Expression("double precision", text, "", exact=False, loose=True)
        weight = f"exp(-({distance}))"
        each = weight if is_count else f"(e.v)::double * {weight}"
        listed = f"list({{'v': {value}, 't': ts}}){over}"
        return made, f"list_sum([{each} for e in {listed} if e.v IS NOT NULL])"
