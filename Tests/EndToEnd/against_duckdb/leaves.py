"""Columns and constants, each written for Millrace and for DuckDB, and how larger expressions are put together."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Expression:
    """One value, as Millrace is asked for it and as DuckDB is."""

    kind: str
    millrace: str
    duckdb: str
    # Doubles that both compute to the last bit, that may therefore be compared and rounded.
    exact: bool = True
    # stddev and variance lose digits on both sides.
    loose: bool = False


NUMBERS = ("smallint", "integer", "bigint", "real", "double precision", "numeric(12,2)", "numeric(20,4)")
INTEGERS = NUMBERS[:3]
NUMERICS = NUMBERS[5:]
KINDS = (*NUMBERS, "boolean", "text", "date", "timestamp", "timestamptz", "interval")
RANK = {
    kind: rank
    for rank, kind in enumerate(("smallint", "integer", "bigint", "numeric(12,2)", "numeric(20,4)", "real", "double precision"))
}

ZONES = ("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe")
COLUMNS = {
    "k": "bigint",
    "g": "text",
    "h": "smallint",
    "b": "boolean",
    "x": "double precision",
    "w": "double precision",
    "r": "real",
    "i": "integer",
    "l": "bigint",
    "s": "smallint",
    "n": "numeric(12,2)",
    "m": "numeric(20,4)",
    "t": "text",
    "d": "date",
    "u": "timestamp",
    "z": "timestamptz",
}
# Sums of these are exact in any order (or not finite), so that nothing hides behind a tolerance.
TAME = ("x", "r", "i", "s", "n", "h", "m", "l", "k")


class Leaves:
    """What a definition draws from; all that is random about it follows from the seed."""

    def __init__(self, seed: str):
        self.random = random.Random(seed)
        self.time_kind = self.random.choice(("timestamp", "timestamptz", "date", "bigint", "integer", "timestamptz"))
        self.zone = "UTC"
        if self.time_kind == "timestamptz" and self.chance(0.5):
            self.zone = self.random.choice(ZONES)
        self.leaves: list[Expression] = []
        # Columns that an inner query computes.
        self.derived: dict[str, Expression] = {}
        self.calls: list[tuple[str, str]] = []

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    # MARK: Leaves

    def columns(self, kind: str) -> list[Expression]:
        found = [Expression(kind, name, name) for name, column in COLUMNS.items() if column == kind]
        if kind == self.time_kind:
            found.append(Expression(kind, "ts", "ts"))
        found += [Expression(kind, name, name) for name, made in self.derived.items() if made.kind == kind]
        return found + [leaf for leaf in self.leaves if leaf.kind == kind]

    def literal(self, kind: str) -> Expression:
        pick = self.random.choice
        if kind == "boolean":
            text = pick(("true", "false"))
        elif kind == "text":
            text = "'" + pick(("", "a", "ab", "naïve", "β", "😀x", "a_c", "it''s", "100%", "Zz")) + "'"
        elif kind == "interval":
            text = (
                f"INTERVAL '{pick(('1 day', '36 hours', '1 month', '1.5 seconds', '-2 hours', '1 year 2 days', '90 minutes'))}'"
            )
            return Expression(kind, text, text)
        elif kind in ("date", "timestamp", "timestamptz"):
            day = f"{pick((1969, 2023, 2024))}-{pick((1, 2, 3, 10, 12)):02}-{pick((1, 15, 28)):02}"
            text = day if kind == "date" else f"{day} {pick((0, 2, 13)):02}:30:00.25" + ("+00" if kind == "timestamptz" else "")
            return Expression(kind, f"{kind} '{text}'", f"'{text}'::{kind}")
        elif kind in INTEGERS:
            number = pick(
                (0, 1, 2, 3, 7, 100, -1, -5)
                + ((2**31 - 1,) if kind == "integer" else ())
                + ((2**62,) if kind == "bigint" else ())
            )
            if kind == "integer" and number >= 0:
                return Expression(kind, str(number), f"{number}::integer")
            text = f"({number})"
            return Expression(kind, f"{text}::{kind}", f"{text}::{kind}")
        elif kind in ("real", "double precision"):
            text = f"'{pick(('0', '1.5', '-0.125', '1000', 'NaN', 'Infinity', '-Infinity', '2'))}'"
        else:
            text = pick(("0.25", "1.50", "100.00", "-3.10", "0.00"))
            return Expression(kind, f"CAST({text} AS {kind})", f"CAST({text} AS {kind})")
        return Expression(kind, f"{text}::{kind}" if kind != "boolean" else text, f"{text}::{kind}")

    def leaf(self, kind: str) -> Expression:
        columns = self.columns(kind)
        if columns and not self.chance(0.2):
            return self.random.choice(columns)
        return Expression(kind, f"NULL::{kind}", f"NULL::{kind}") if self.chance(0.08) else self.literal(kind)

    # MARK: Values of any kind

    def value(self, kind: str, depth: int, exact: bool = False) -> Expression:
        for _ in range(20):
            made = self.leaf(kind) if depth <= 0 or self.chance(0.2) else self.composite(kind, depth - 1)
            if made.exact or not exact:
                return made
        return self.literal(kind)

    def build(self, kind: str, millrace: str, duck: str, *parts: Expression) -> Expression:
        """The templates' {0}, {1} … are the parts, in parentheses."""
        return Expression(
            kind,
            millrace.format(*(part.millrace for part in parts)),
            duck.format(*(part.duckdb for part in parts)),
            all(part.exact for part in parts),
            any(part.loose for part in parts),
        )
