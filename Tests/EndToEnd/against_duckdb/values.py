"""Expressions of every type: truth, text, moments, and what chooses between values."""

from __future__ import annotations

from against_duckdb.leaves import INTEGERS, KINDS, NUMBERS, NUMERICS, RANK, ZONES, Expression
from against_duckdb.numbers import Numbers


class Values(Numbers):
    def composite(self, kind: str, depth: int) -> Expression:
        if self.chance(0.25):
            return self.choosing(kind, depth)
        if kind in INTEGERS:
            return self.integer(kind, depth)
        if kind in ("real", "double precision"):
            return self.floating(kind, depth)
        if kind in NUMERICS:
            return self.numeric(kind, depth)
        return {"boolean": self.boolean, "text": self.text, "interval": self.interval}.get(kind, self.moment)(kind, depth)

    def choosing(self, kind: str, depth: int) -> Expression:
        form = self.random.choice(("case", "coalesce", "nullif", "greatest", "least", "simple"))
        one, two = self.value(kind, depth), self.value(kind, depth)
        if form == "case":
            return self.build(
                kind,
                "CASE WHEN {0} THEN {1} WHEN {2} THEN {3} END",
                "CASE WHEN {0} THEN {1} WHEN {2} THEN {3} END",
                self.value("boolean", depth),
                one,
                self.value("boolean", 0),
                two,
            )
        if form == "simple":
            return self.build(
                kind,
                "CASE {0} WHEN 1 THEN {1} ELSE {2} END",
                "CASE {0} WHEN 1 THEN {1} ELSE {2} END",
                self.value("integer", 0),
                one,
                two,
            )
        if form == "coalesce":
            return self.build(kind, "coalesce({0}, {1})", "coalesce({0}, {1})", one, two)
        if kind == "interval" and form != "nullif":
            # DuckDB compares intervals field by field there.
            form = "nullif"
        one, two = self.value(kind, depth, exact=True), self.value(kind, depth, exact=True)
        return self.build(kind, f"{form}({{0}}, {{1}})", f"{form}({{0}}, {{1}})", one, two)

    def boolean(self, kind: str, depth: int) -> Expression:
        form = self.random.choice(
            ("compare", "compare", "and", "or", "not", "null", "in", "between", "like", "distinct", "is", "starts", "mixed")
        )
        any_kind = self.random.choice(KINDS)
        if form in ("compare", "distinct"):
            operator = (
                self.random.choice(("=", "<>", "<", "<=", ">", ">="))
                if form == "compare"
                else self.random.choice(("IS DISTINCT FROM", "IS NOT DISTINCT FROM"))
            )
            text = f"({{0}} {operator} {{1}})"
            return self.build(
                kind, text, text, self.value(any_kind, depth, exact=True), self.value(any_kind, depth, exact=True)
            )
        if form == "mixed":
            operator = self.random.choice(("=", "<", ">="))
            one, two = (self.value(self.random.choice(NUMBERS), depth, exact=True) for _ in range(2))
            wide = (
                "double precision"
                if "real" in (one.kind, two.kind) and one.kind != two.kind
                else max(one.kind, two.kind, key=RANK.get)
            )
            if wide in NUMERICS:
                wide = "decimal(38,4)"
            return self.build(kind, f"({{0}} {operator} {{1}})", f"(({{0}})::{wide} {operator} ({{1}})::{wide})", one, two)
        if form in ("and", "or"):
            text = f"({{0}} {form.upper()} {{1}})"
            return self.build(kind, text, text, self.value(kind, depth), self.value(kind, depth))
        if form == "not":
            return self.build(kind, "(NOT {0})", "(NOT {0})", self.value(kind, depth))
        if form == "is":
            text = "({0} IS " + self.random.choice(("TRUE", "NOT TRUE", "FALSE", "NOT FALSE", "NULL")) + ")"
            return self.build(kind, text, text, self.value(kind, depth))
        if form == "null":
            text = "({0} IS " + self.random.choice(("NULL", "NOT NULL")) + ")"
            return self.build(kind, text, text, self.value(any_kind, depth))
        if form == "in":
            text = "({0} " + self.random.choice(("", "NOT ")) + "IN ({1}, {2}))"
            return self.build(
                kind,
                text,
                text,
                self.value(any_kind, depth, exact=True),
                self.value(any_kind, 0, exact=True),
                self.literal(any_kind),
            )
        if form == "between":
            text = "({0} " + self.random.choice(("", "NOT ")) + "BETWEEN {1} AND {2})"
            return self.build(kind, text, text, *(self.value(any_kind, depth, exact=True) for _ in range(3)))
        if form == "like":
            pattern = self.random.choice(
                ("'%a%'", "'_'", "'a%'", "'%😀%'", "'%'", "''", "'%ï_%'", "'a\\_c'", "'__%'", "'%\\%'")
            )
            negated = self.random.choice(("", "NOT "))
            return self.build(
                kind,
                f"({{0}} {negated}LIKE {pattern})",
                f"({{0}} {negated}LIKE {pattern} ESCAPE '\\')",
                self.value("text", depth),
            )
        return self.build(
            kind, "starts_with({0}, {1})", "starts_with({0}, {1})", self.value("text", depth), self.value("text", 0)
        )

    def text(self, kind: str, depth: int) -> Expression:
        form = self.random.choice(
            ("||", "concat", "lower", "upper", "substring", "split_part", "left", "right", "replace", "trim", "cast")
        )
        inner = self.value(kind, depth)
        if form == "||":
            return self.build(kind, "({0} || {1})", "({0} || {1})", inner, self.value(kind, depth))
        if form == "concat":
            return self.build(
                kind, "concat({0}, {1}, {2})", "concat({0}, {1}, {2})", inner, self.value("integer", depth), self.value(kind, 0)
            )
        if form in ("lower", "upper"):
            # Letters beyond ASCII change their case by each one's own tables.
            return self.build(
                kind,
                f"{form}(left({{0}}, 1) || CAST({{1}} AS text))",
                f"{form}(left({{0}}, 1) || CAST({{1}} AS text))",
                self.ascii(),
                self.value("boolean", depth),
            )
        if form == "substring":
            start, count = self.random.choice((1, 2, 3, 9)), self.random.choice((0, 1, 2, 50))
            if self.chance(0.3):
                return self.build(kind, f"substring({{0}} FROM {start})", f"substring({{0}}, {start})", inner)
            return self.build(kind, f"substring({{0}}, {start}, {count})", f"substring({{0}}, {start}, {count})", inner)
        if form == "split_part":
            text = f"split_part({{0}}, '{self.random.choice(('a', '/', 'ï', ',', '😀'))}', {self.random.choice((1, 2, 3, -1, -2))})"
            return self.build(kind, text, text, inner)
        if form in ("left", "right"):
            text = f"{form}({{0}}, {self.random.choice((0, 1, 2, -1, -3, 40))})"
            return self.build(kind, text, text, inner)
        if form == "replace":
            text = (
                f"replace({{0}}, '{self.random.choice(('a', 'ï', '😀', 'ab', 'zz'))}', '{self.random.choice(('', 'Q', 'éé'))}')"
            )
            return self.build(kind, text, text, inner)
        if form == "trim":
            name = self.random.choice(("ltrim", "rtrim", "btrim"))
            return self.build(kind, f"{name}({{0}}, 'a')", f"{name.replace('btrim', 'trim')}({{0}}, 'a')", inner)
        source = self.random.choice(
            ("smallint", "integer", "bigint", "numeric(12,2)", "boolean", "date", "timestamp", "timestamptz")
        )
        return self.build(kind, "CAST({0} AS text)", "CAST({0} AS text)", self.value(source, depth))

    def ascii(self) -> Expression:
        return self.build("text", "CASE WHEN {0} THEN 'aZ' END", "CASE WHEN {0} THEN 'aZ' END", self.value("boolean", 0))

    def moment(self, kind: str, depth: int) -> Expression:
        if kind == "date":
            form = self.random.choice(("+", "-", "cast"))
            if form == "cast":
                source = self.random.choice(("timestamp", "timestamptz"))
                return self.build(kind, "CAST({0} AS date)", "CAST({0} AS date)", self.value(source, depth))
            days = self.random.choice((0, 1, 30, 400))
            return self.build(kind, f"({{0}} {form} {days})", f"({{0}} {form} {days})", self.value(kind, depth))
        form = self.random.choice(("+", "-", "trunc", "cast", "zone"))
        if form == "zone":
            source = "timestamp" if kind == "timestamptz" else "timestamptz"
            text = f"({{0}} AT TIME ZONE '{self.random.choice(ZONES)}')"
            return self.build(kind, text, text, self.value(source, depth))
        if form == "trunc":
            text = f"date_trunc('{self.random.choice(('minute', 'hour', 'day', 'week', 'month', 'quarter', 'year', 'second'))}', {{0}})"
            return self.build(kind, text, text, self.value(kind, depth))
        if form == "cast":
            source = self.random.choice(("date", "timestamp" if kind == "timestamptz" else "timestamptz"))
            return self.build(kind, f"CAST({{0}} AS {kind})", f"CAST({{0}} AS {kind})", self.value(source, depth))
        text = f"({{0}} {form} {{1}})"
        return self.build(kind, text, text, self.value(kind, depth), self.value("interval", 0))

    def interval(self, kind: str, depth: int) -> Expression:
        if self.chance(0.2):
            text = f"({{0}} * {self.random.choice((0, 2, -3))})"
            return self.build(kind, text, text, self.value(kind, 0))
        if self.chance(0.6):
            return self.build(
                kind, "({0} - {1})", "({0} - {1})", self.value("timestamp", depth), self.value("timestamp", depth)
            )
        text = f"({{0}} {self.random.choice('+-')} {{1}})"
        return self.build(kind, text, text, self.value(kind, depth), self.value(kind, 0))
