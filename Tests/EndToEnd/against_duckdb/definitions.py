"""Whole definitions in both languages."""

from __future__ import annotations

from against_duckdb.events import Events
from against_duckdb.leaves import COLUMNS, INTEGERS, KINDS, Expression

# What PostgreSQL calls an error is the NULL of one cell.
MACROS = """
CREATE MACRO remainder(a, b) AS CASE WHEN b = -1 THEN a - a ELSE TRY(a % b) END;
CREATE MACRO quotient(a, b) AS CASE WHEN b = 0 AND NOT isnan(a) THEN NULL WHEN isinf(a / b) AND NOT isinf(a) THEN NULL
    WHEN a / b = 0 AND a <> 0 AND NOT isinf(b) THEN NULL ELSE a / b END;
CREATE MACRO product_of(a, b) AS CASE WHEN isinf(a * b) AND NOT isinf(a) AND NOT isinf(b) THEN NULL
    WHEN a * b = 0 AND a <> 0 AND b <> 0 THEN NULL ELSE a * b END;
CREATE MACRO sum_of(a, b) AS CASE WHEN isinf(a + b) AND NOT isinf(a) AND NOT isinf(b) THEN NULL ELSE a + b END;
CREATE MACRO difference(a, b) AS CASE WHEN isinf(a - b) AND NOT isinf(a) AND NOT isinf(b) THEN NULL ELSE a - b END;
CREATE MACRO logarithm(a) AS CASE WHEN a <= 0 THEN NULL ELSE ln(a) END;
CREATE MACRO decimal_logarithm(a) AS CASE WHEN a <= 0 THEN NULL ELSE log10(a) END;
CREATE MACRO root(a) AS CASE WHEN a < 0 THEN NULL ELSE sqrt(a) END;
CREATE MACRO exponential(a) AS CASE WHEN isinf(a) OR isnan(a) THEN exp(a) WHEN isinf(exp(a)) OR exp(a) = 0 THEN NULL ELSE exp(a) END;
CREATE MACRO raised(a, b) AS CASE WHEN a = 0 AND b < 0 THEN NULL WHEN a < 0 AND floor(b) <> b THEN NULL
    WHEN isinf(a) OR isinf(b) OR isnan(a) OR isnan(b) THEN pow(a, b)
    WHEN isinf(pow(a, b)) OR (pow(a, b) = 0 AND a <> 0) THEN NULL ELSE pow(a, b) END;
"""


class Definitions(Events):
    def definition(self) -> tuple[str, str, dict[str, Expression]]:
        """Millrace's text, DuckDB's query over `t`, the outputs by name."""
        extra = " WITH (event_time = ts)" if self.time_kind in INTEGERS else ""
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        create = f"CREATE TABLE t (event_id bigint NOT NULL, ts {self.time_kind} NOT NULL, {columns}){extra};\n"
        if self.zone != "UTC":
            create = f"SET TimeZone = '{self.zone}';\n" + create
        innermost = self.value("boolean", 1) if self.chance(0.2) else None
        count = self.random.choice((0, 0, 0, 1, 2))
        self.derived = {f"p{index}": self.value(self.random.choice(KINDS), 2, exact=True) for index in range(count)}
        below = self.value("boolean", 2) if self.chance(0.35) else None
        windows = self.windows()
        calls = [self.call(windows, index) for index in range(self.random.randint(2, 7))]
        self.leaves = [call for call in calls if call.kind in KINDS]
        outputs = {f"f{index}": call for index, call in enumerate(calls)}
        for index in range(self.random.randint(1, 5)):
            outputs[f"e{index}"] = self.value(self.random.choice(KINDS), self.random.randint(1, 3))
        above = self.value("boolean", 2) if self.chance(0.25) else None
        where = f"\nWHERE {below.millrace}" if below else ""
        named = ",\n       ".join(f"{name} AS {clause}" for name, clause, _ in windows)
        selected = ",\n       ".join(f"{output.millrace} AS {name}" for name, output in outputs.items())
        shape = self.random.choice(("plain", "cte", "subquery", "view"))
        source = duck_source = "t"
        if self.derived:
            condition = f" WHERE {innermost.millrace}" if innermost else ""
            duck_condition = f" WHERE {innermost.duckdb}" if innermost else ""
            columns = "".join(f", {made.millrace} AS {name}" for name, made in self.derived.items())
            duck_columns = "".join(f", CAST({made.duckdb} AS {made.kind}) AS {name}" for name, made in self.derived.items())
            source, duck_source = (
                f"(SELECT *{columns} FROM t{condition}) AS t",
                f"(SELECT *{duck_columns} FROM t{duck_condition})",
            )
        if below and shape == "subquery":
            source, where = f"(SELECT * FROM {source}{where}) AS t", ""
        select = f"SELECT event_id, {selected}\nFROM {source}{where}\nWINDOW {named}"
        duck_where = f" WHERE {below.duckdb}" if below else ""
        duck_calls = "".join(f", {call} AS {name}" for name, call in self.calls)
        duck_outputs = ", ".join(f"CAST({output.duckdb} AS {output.kind}) AS {name}" for name, output in outputs.items())
        inner = f"SELECT *{duck_calls} FROM {duck_source}{duck_where}"
        duck = f"SELECT event_id, {duck_outputs} FROM ({inner})"
        if above:
            select = select.replace("SELECT event_id, ", f"SELECT event_id, {above.millrace} AS is_chosen, ", 1)
            duck += f" WHERE {above.duckdb}"
        names = ", ".join(["event_id", *outputs])
        if shape == "view":
            text = f"CREATE VIEW inner_view AS {select};\nSELECT {names} FROM inner_view" + (
                " WHERE is_chosen" if above else ""
            )
        elif shape == "cte":
            text = f"WITH f AS ({select})\nSELECT {names} FROM f" + (" WHERE is_chosen" if above else "")
        else:
            text = f"SELECT {names} FROM ({select}) AS f WHERE is_chosen" if above else select
        return create + text + ";\n", duck, outputs
