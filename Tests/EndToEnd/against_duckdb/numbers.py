"""Expressions with a number as result."""

from __future__ import annotations

from against_duckdb.leaves import INTEGERS, NUMBERS, Expression, Leaves


class Numbers(Leaves):
    def integer(self, kind: str, depth: int) -> Expression:
        form = self.random.choice(
            ("+", "-", "*", "/", "%", "mod", "abs", "negative", "cast", "length", "boolean", "date", "strpos")
        )
        if form == "abs":
            return self.build(kind, "abs({0})", "TRY(abs({0}))", self.value(kind, depth))
        if form == "negative":
            return self.build(kind, "(- {0})", "TRY(- {0})", self.value(kind, depth))
        if form == "cast":
            source = self.random.choice(NUMBERS)
            part = self.value(source, depth, exact=True)
            return self.build(kind, f"CAST({{0}} AS {kind})", f"TRY_CAST({{0}} AS {kind})", part)
        if kind == "integer" and form in ("length", "strpos"):
            if form == "length":
                return self.build(kind, "length({0})", "length({0})::integer", self.value("text", depth))
            return self.build(
                kind, "strpos({0}, {1})", "strpos({0}, {1})::integer", self.value("text", depth), self.value("text", 0)
            )
        if kind == "integer" and form == "boolean":
            return self.build(kind, "({0})::integer", "({0})::integer", self.value("boolean", depth))
        if kind == "integer" and form == "date":
            return self.build(kind, "({0} - {1})", "({0} - {1})::integer", self.value("date", 0), self.value("date", 0))
        if form not in ("+", "-", "*", "/", "%", "mod"):
            form = "+"
        other = self.random.choice(INTEGERS[: INTEGERS.index(kind) + 1])
        one, two = self.value(kind, depth), self.value(other, depth)
        if form != "/" and self.chance(0.5):
            one, two = two, one
        if form in ("%", "mod"):
            duck = f"remainder(({{0}})::{kind}, ({{1}})::{kind})"
        else:
            duck = f"TRY(({{0}})::{kind} {'//' if form == '/' else form} ({{1}})::{kind})"
        return self.build(kind, "mod({0}, {1})" if form == "mod" else f"({{0}} {form} {{1}})", duck, one, two)

    def floating(self, kind: str, depth: int) -> Expression:
        names = {"+": "sum_of", "-": "difference", "*": "product_of", "/": "quotient"}
        forms = ["+", "-", "*", "/", "abs", "negative", "cast"]
        if kind == "double precision":
            forms += [
                "log",
                "cbrt",
                "ln",
                "sqrt",
                "exp",
                "power",
                "round",
                "floor",
                "ceil",
                "trunc",
                "sign",
                "extract",
                "mixed",
                "mixed",
                "epoch",
                "numericdiv",
            ]
        form = self.random.choice(forms)
        if form in names:
            return self.build(
                kind, f"({{0}} {form} {{1}})", f"{names[form]}({{0}}, {{1}})", self.value(kind, depth), self.value(kind, depth)
            )
        if form == "mixed":
            form = self.random.choice("+-*/")
            other = self.random.choice(("smallint", "integer", "bigint", "real", "numeric(12,2)"))
            one, two = self.value(kind, depth), self.value(other, depth)
            if self.chance(0.5):
                one, two = two, one
            return self.build(kind, f"({{0}} {form} {{1}})", f"{names[form]}(({{0}})::double, ({{1}})::double)", one, two)
        if form == "numericdiv":
            return self.build(
                kind,
                "({0} / {1})",
                "quotient(({0})::double, ({1})::double)",
                self.value("numeric(12,2)", depth),
                self.value("numeric(12,2)", depth),
            )
        if form == "abs":
            return self.build(kind, "abs({0})", "abs({0})", self.value(kind, depth))
        if form == "negative":
            return self.build(kind, "(- {0})", "(- {0})", self.value(kind, depth))
        if form == "cast":
            source = self.random.choice([name for name in NUMBERS if name != "double precision" or kind != "real"])
            part = self.value(source, depth)
            return self.build(kind, f"CAST({{0}} AS {kind})", f"TRY_CAST({{0}} AS {kind})", part)
        if form in ("log", "cbrt", "ln", "sqrt", "exp"):
            name = {"ln": "logarithm", "log": "decimal_logarithm", "cbrt": "cbrt", "sqrt": "root", "exp": "exponential"}[form]
            made = self.build(kind, f"{form}({{0}})", f"{name}({{0}})", self.value(kind, depth))
            return Expression(kind, made.millrace, made.duckdb, False, made.loose)
        if form == "power":
            made = self.build(kind, "power({0}, {1})", "raised({0}, {1})", self.value(kind, depth), self.value(kind, 0))
            return Expression(kind, made.millrace, made.duckdb, False, made.loose)
        if form in ("round", "floor", "ceil", "trunc", "sign"):
            duck = {
                "round": "round_even({0}, 0)",
                "sign": "CASE WHEN isnan({0}) THEN 'NaN'::double ELSE sign({0})::double END",
            }.get(form, f"{form}({{0}})")
            return self.build(kind, f"{form}({{0}})", duck, self.value(kind, depth, exact=True))
        if form == "epoch":
            return self.build(
                kind,
                "extract(epoch FROM {0} - {1})",
                "extract(epoch FROM {0} - {1})::double",
                self.value("timestamp", 0),
                self.value("timestamp", 0),
            )
        return self.extracted(depth)

    def extracted(self, depth: int) -> Expression:
        source = self.random.choice(("date", "timestamp", "timestamptz", "interval"))
        fields = ["year", "month", "day", "quarter", "decade", "century", "millennium"]
        if source != "date":
            fields += ["hour", "minute", "second", "milliseconds", "microseconds"]
        if source != "interval":
            fields += ["dow", "isodow", "doy", "week", "isoyear", "epoch"]
        field = self.random.choice(fields)
        duck = f"extract({field} FROM {{0}})::double"
        if field in ("second", "milliseconds"):
            duck = f"(extract(microseconds FROM {{0}}) / {1e6 if field == 'second' else 1e3})::double"
        return self.build("double precision", f"extract({field} FROM {{0}})", duck, self.value(source, depth))

    def numeric(self, kind: str, depth: int) -> Expression:
        if kind == "numeric(12,2)":
            form = self.random.choice(("abs", "negative", "cast", "round"))
            if form == "abs":
                return self.build(kind, "abs({0})", "abs({0})", self.value(kind, depth))
            if form == "negative":
                return self.build(kind, "(- {0})", "(- {0})", self.value(kind, depth))
            if form == "round":
                return self.build(
                    kind,
                    "CAST(round({0}, 2) AS numeric(12,2))",
                    "TRY_CAST(round({0}, 2) AS numeric(12,2))",
                    self.value("numeric(20,4)", depth),
                )
            source = self.random.choice(("smallint", "integer", "bigint", "numeric(20,4)", "numeric(12,2)"))
            return self.build(kind, f"CAST({{0}} AS {kind})", f"TRY_CAST({{0}} AS {kind})", self.value(source, depth))
        form = self.random.choice(("*", "+", "-", "%", "floor", "mixed"))
        narrow, other = self.value("numeric(12,2)", depth), self.value("numeric(12,2)", depth)
        if form == "floor":
            name = self.random.choice(("floor", "ceil", "round", "trunc", "sign"))
            return self.build(kind, f"CAST({name}({{0}}) AS {kind})", f"CAST({name}({{0}}) AS {kind})", narrow)
        if form == "mixed":
            form, other = "+", self.value(self.random.choice(("smallint", "integer")), depth)
        duck = f"TRY(CAST({{0}} AS decimal(18,2)) {form} CAST({{1}} AS decimal(18,2)))"
        return self.build(kind, f"CAST({{0}} {form} {{1}} AS {kind})", f"TRY_CAST({duck} AS {kind})", narrow, other)
