"""Twenty sets of definitions over one table, what each answers in closed form, and texts that no set could be.

Row k of batch g of a connection has the key `base + k`, the time t(g) and the amount f(g) + k. So a window over a key's rows is
one over batches, the same for all keys but for k: a whole answered column is checked at once.
"""

from __future__ import annotations

import bisect
import random
from pathlib import Path
from typing import Callable, NamedTuple

import numpy as np

SETS = 20
DIAGNOSTICS = Path(__file__).resolve().parents[2] / "Tests/Features/diagnostics"

def frame(text: str) -> str:
    return f"(PARTITION BY key ORDER BY ts RANGE BETWEEN INTERVAL '{text}' PRECEDING AND CURRENT ROW)"


EVER = "(PARTITION BY key ORDER BY ts)"
SECOND = 1_000_000


class History:
    """The batches that one connection has sent: their times and amounts f(g), and sums of these up to each."""

    def __init__(self):
        self.times: list[int] = []
        self.amounts: list[int] = []
        self.sums: list[int] = [0]

    def append(self, time: int) -> int:
        """The new batch's number."""
        number = len(self.times)
        self.times.append(time)
        self.amounts.append(number * 7_919 % 1_000)
        self.sums.append(self.sums[-1] + self.amounts[-1])
        return number

    def start(self, number: int, microseconds: int) -> int:
        """The first batch within so long before batch `number`."""
        return bisect.bisect_left(self.times, self.times[number] - microseconds, 0, number + 1)


class Feature(NamedTuple):
    sql: str
    # (history, batch number, k of each row) → the column
    expected: Callable[[History, int, np.ndarray], np.ndarray]


def count_of(microseconds: int):
    return lambda history, g, k: np.full(len(k), g + 1 - history.start(g, microseconds))


def sum_of(microseconds: int):
    def expected(history: History, g: int, k: np.ndarray) -> np.ndarray:
        start = history.start(g, microseconds)
        return history.sums[g + 1] - history.sums[start] + (g + 1 - start) * k

    return expected


def extreme_of(microseconds: int, choose):
    return lambda history, g, k: choose(history.amounts[history.start(g, microseconds) : g + 1]) + k


def mean_of(microseconds: int):
    count, total = count_of(microseconds), sum_of(microseconds)
    return lambda history, g, k: total(history, g, k) / count(history, g, k)


# In every set: what the history of keys is kept for, and what never ends.
ALWAYS = {
    "n": Feature(f"count(*) OVER {EVER}", lambda history, g, k: np.full(len(k), g + 1)),
    "total": Feature(
        f"CAST(sum(amount) OVER {EVER} AS bigint)", lambda history, g, k: history.sums[g + 1] + (g + 1) * k),
    "sum_2s": Feature(f"CAST(sum(amount) OVER {frame('2 seconds')} AS bigint)", sum_of(2 * SECOND)),
}
# Come and go; the history that they are computed from is there.
OPTIONAL = {
    "count_100ms": Feature(f"count(*) OVER {frame('100 milliseconds')}", count_of(SECOND // 10)),
    "count_2s": Feature(f"count(*) OVER {frame('2 seconds')}", count_of(2 * SECOND)),
    "sum_500ms": Feature(f"CAST(sum(amount) OVER {frame('500 milliseconds')} AS bigint)", sum_of(SECOND // 2)),
    "max_1s": Feature(f"max(amount) OVER {frame('1 second')}", extreme_of(SECOND, max)),
    "min_1s": Feature(f"min(amount) OVER {frame('1 second')}", extreme_of(SECOND, min)),
    "mean_1s": Feature(f"CAST(avg(amount) OVER {frame('1 second')} AS double precision)", mean_of(SECOND)),
    "twice": Feature(f"2 * count(*) OVER {EVER}", lambda history, g, k: np.full(len(k), 2 * (g + 1))),
    "shifted": Feature("amount + 1", lambda history, g, k: history.amounts[g] + k + 1),
}


def features(number: int) -> dict[str, Feature]:
    """The columns of a set's view `checked`, behind `definitions_set` and `key`."""
    chosen = [name for place, name in enumerate(OPTIONAL) if (number * (2 * place + 3) + place) % 5 < 2]
    if number % 2:
        chosen.reverse()
    result = {name: OPTIONAL[name] for name in chosen}
    return result | ALWAYS if number % 3 else ALWAYS | result


def sql(number: int, connections: int = 1) -> str:
    """A table and its views for each connection, so that the time of none depends on another's."""
    text = f"-- Set {number}.\n"
    for table in range(connections):
        text += f"""
CREATE TABLE events{table} (ts timestamptz NOT NULL, key bigint NOT NULL, amount bigint NOT NULL, shop bigint NOT NULL)
    WITH (lateness = '1 second', idle_after = '10 minutes');
"""
        columns = {name: feature.sql for name, feature in features(number).items()}
        text += f"CREATE VIEW checked{table} AS SELECT {number} AS definitions_set, key,\n       {_select(columns)}\nFROM events{table};\n"
    text += "CREATE VIEW watched AS SELECT definitions_set, key, n FROM checked0 WHERE key % 256 = 0;\n"
    if number % 4 == 1:
        # State that comes and goes, under another key.
        text += "CREATE VIEW per_shop AS SELECT shop, count(*) OVER (PARTITION BY shop ORDER BY ts) AS n FROM events0;\n"
    return text


def _select(columns: dict[str, str]) -> str:
    return ",\n       ".join(f"{text} AS {name}" for name, text in columns.items())


def broken(seed: int):
    """Texts, most of which are wrong somewhere: the sets and the texts of the diagnostics' tests, damaged at random."""
    chance = random.Random(seed)
    texts = [sql(number) for number in range(SETS)] + [path.read_text() for path in sorted(DIAGNOSTICS.glob("*.sql"))]
    words = ["SELECT", "(", ")", ",", "OVER", "'", "PARTITION BY", "nothing", "42", "FROM", ";", "--", "/*", "$$", "\u00e9", "NULL"]
    while True:
        text = chance.choice(texts)
        for _ in range(chance.randint(1, 3)):
            place, kind = chance.randrange(len(text) + 1), chance.randrange(4)
            if kind == 0:
                text = text[:place] + text[place + chance.randint(1, 12) :]
            elif kind == 1:
                text = text[:place] + f" {chance.choice(words)} " + text[place:]
            elif kind == 2:
                other = chance.randrange(len(text) + 1)
                text = text[: min(place, other)] + text[max(place, other) :]
            else:
                text = text[:place] + chance.choice("xyz(,;*'\"%") + text[place + 1 :]
        yield text
