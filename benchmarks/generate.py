#!/usr/bin/env python3
"""generate.py EVENTS EVENTS_PER_SECOND FILE: card events as the 48-byte rows that every program of the benchmark reads.

The same file for the same arguments: event times ascend strictly, so that no two rows tie; cards are drawn from a million
and merchants from fifty thousand, both by Zipf's law; ids are scrambled, so that nothing can index by them. At 100 events a
second, ten million rows span 27.8 hours, and every window of the full workload evicts.

    offset 0 ts int64 (µs) | 8 card int64 | 16 merchant int64 | 24 amount float64 | 32 device int64
           40 country int16 | 42 status int8 | 43 channel int8 | 44 unused
"""

import sys

import numpy as np

ROW = np.dtype(
    [("ts", "<i8"), ("card", "<i8"), ("merchant", "<i8"), ("amount", "<f8"), ("device", "<i8"),
     ("country", "<i2"), ("status", "i1"), ("channel", "i1"), ("unused", "<i4")]
)  # fmt: skip
assert ROW.itemsize == 48
START_MICROSECONDS = 1_700_000_000_000_000


def generate(events: int, events_per_second: int) -> np.ndarray:
    random = np.random.Generator(np.random.PCG64(20240607))

    def zipf(kinds: int) -> np.ndarray:
        weights = np.cumsum(1.0 / np.arange(1, kinds + 1))
        return np.searchsorted(weights / weights[-1], random.random(events)).astype(np.int64)

    rows = np.zeros(events, dtype=ROW)
    rows["card"] = 4_000_000_000_000_000 + scramble(zipf(1_000_000), bits=40)
    rows["merchant"] = scramble(zipf(50_000), bits=31)
    rows["amount"] = np.round(np.exp(random.normal(3.3, 1.1, events)), 2)
    rows["status"] = random.random(events) < 0.05
    rows["device"] = scramble(rows["card"] % 2_000_003 * 3 + random.integers(0, 3, events), bits=48)
    rows["country"] = random.integers(0, 200, events)
    rows["channel"] = random.integers(0, 5, events)
    step = 1_000_000 // events_per_second
    rows["ts"] = START_MICROSECONDS + np.arange(events, dtype=np.int64) * step + random.integers(0, step, events)
    return rows


def scramble(ids: np.ndarray, bits: int) -> np.ndarray:
    """A bijection on numbers of `bits` bits."""
    mask = np.uint64((1 << bits) - 1)
    mixed = (ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) & mask
    mixed ^= mixed >> np.uint64(bits // 2)
    return ((mixed * np.uint64(0xD6E8FEB86659FD93)) & mask).astype(np.int64)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    generate(int(sys.argv[1]), int(sys.argv[2])).tofile(sys.argv[3])
