"""Rows for a definition: NULLs, NaN, infinities, the ends of integers, texts beyond ASCII."""

from __future__ import annotations

import datetime
import decimal
import math

import pyarrow as pa

from against_duckdb.leaves import COLUMNS, INTEGERS
from against_duckdb.windows import Windows


class Events(Windows):
    def events(self) -> pa.Table:
        count = self.random.choice((1, 5, 60, 200, 400, 400, 2000))
        nulls = self.random.choice((0, 0.1, 0.5))
        pick, between = self.random.choice, self.random.randint

        def sometimes(value):
            return None if self.chance(nulls) else value

        keys = self.random.choice((1, 3, 20))
        texts = ["", "a", "b", "ab", "naïve", "βeta", "😀", "x😀y", "a_c", "a/b/c", "Z", "z", "a,b", "aaa"]
        special = [math.nan, math.inf, -math.inf, -0.0] if self.chance(0.5) else [0.5]
        wild = [1e308, -1e308, 5e-324, 1e-300, math.nan, math.inf, -math.inf, -0.0, 0.0, 1.0, 1e16, 3.3]
        big = [2**63 - 1, -(2**63) + 1, 2**53 + 1, 0, 5, -7]
        epoch = datetime.datetime(2024, 1, 1)

        def moment():
            return epoch + datetime.timedelta(
                microseconds=between(-(10**15), 10**14) if self.chance(0.2) else between(0, 10**11)
            )

        values = {
            "k": lambda: between(0, keys),
            "g": lambda: pick(texts[: max(2, keys)]),
            "h": lambda: between(-2, 2),
            "b": lambda: self.chance(0.5),
            "x": lambda: pick(special) if self.chance(0.05) else between(-8000, 8000) / 8,
            "w": lambda: pick(wild),
            "r": lambda: between(-20, 20) / 4,
            "i": lambda: pick((2**31 - 1, -(2**31))) if self.chance(0.03) else between(-50, 50),
            "l": lambda: pick(big),
            "s": lambda: pick((32767, -32768, 0, 1, 2, 100, -5)),
            "n": lambda: decimal.Decimal(pick((9999999999_99, between(-5000, 5000), 25, 50))) / 100,
            "m": lambda: decimal.Decimal(between(-(10**13), 10**13)) / 10000,
            "t": lambda: pick(texts),
            "d": lambda: moment().date(),
            "u": moment,
            "z": moment,
        }
        kinds = {
            "bigint": pa.int64(),
            "text": pa.string(),
            "smallint": pa.int16(),
            "boolean": pa.bool_(),
            "double precision": pa.float64(),
            "real": pa.float32(),
            "integer": pa.int32(),
            "numeric(12,2)": pa.decimal128(12, 2),
            "numeric(20,4)": pa.decimal128(20, 4),
            "date": pa.date32(),
            "timestamp": pa.timestamp("us"),
            "timestamptz": pa.timestamp("us", "UTC"),
        }
        times = self.times(count)
        columns = {"event_id": pa.array(range(count), pa.int64()), "ts": pa.array(times, kinds[self.time_kind])}
        for name, kind in COLUMNS.items():
            columns[name] = pa.array([sometimes(values[name]()) for _ in range(count)], kinds[kind])
        return pa.table(columns)

    def times(self, count: int) -> list:
        """Strictly ascending, with gaps of all sizes, so that frames' edges fall on events and between them."""
        hour = 3_600_000_000
        gaps = self.random.choice(
            (
                (1, 2),
                (hour // 2, hour, 2 * hour),
                (1_000_000, 600_000_000, hour),
                (hour, 24 * hour, 31 * 24 * hour),
                (1, hour, 24 * hour, 1_800_000_000),
            )
        )
        if self.time_kind == "date":
            gaps = self.random.choice(((1, 1, 2), (1, 7, 31, 40)))
        elif self.time_kind in INTEGERS:
            gaps = self.random.choice(((1, 1, 2), (1, 60, 1000)))
        now = {"date": 19_700, "bigint": -500, "integer": 0}.get(self.time_kind, 1_704_067_200_000_000)
        if self.chance(0.5) and self.time_kind.startswith("timestamp"):
            now = 1_709_870_000_000_000  # just before the clocks of New York change
        times = []
        for _ in range(count):
            now += self.random.choice(gaps)
            times.append(now)
        return times
