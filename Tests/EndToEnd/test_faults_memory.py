"""Ten times the keys that fit, in a cgroup of 512 MB: known keys stay exact, new ones are refused, nobody is killed, and a server that is
killed and started again knows the same."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from faulty import MemoryGroup
from running import RunningServer

BATCH_ROWS = 65_536
GROUP_BYTES = 512 << 20
STATE = "200M"
COLUMNS = [f"v{number}" for number in range(12)]
WIDE = f"""
CREATE TABLE events (ts bigint NOT NULL, key bigint NOT NULL, {", ".join(f"{name} double precision NOT NULL" for name in COLUMNS)});
CREATE VIEW per_key AS SELECT ts, key, count(*) OVER w AS n, {", ".join(f"sum({name}) OVER w AS {name}, max({name}) OVER w AS m{name}" for name in COLUMNS)}
    FROM events WINDOW w AS (PARTITION BY key ORDER BY ts);
"""


class Load:
    def __init__(self, connection):
        self.connection = connection
        self.time = 0
        # By key, how often it was taken.
        self.counts = np.zeros(0, np.int64)

    def send(self, keys: np.ndarray) -> np.ndarray:
        """Returns the status of each row."""
        self.time += 1
        values = {name: (keys % 1_000 + number).astype(np.float64) for number, name in enumerate(COLUMNS)}
        rows = pa.table({"ts": np.full(len(keys), self.time), "key": keys, **values})
        answer = self.connection.compute("events", rows, with_status=True)
        if keys.max() >= len(self.counts):
            self.counts = np.concatenate([self.counts, np.zeros(int(keys.max()) + 1 - len(self.counts), np.int64)])
        status = answer.column("millrace_status").to_numpy()
        taken = keys[status == 0]
        self.counts[taken] += 1
        found = answer.column("n").to_numpy(zero_copy_only=False)[status == 0]
        assert np.array_equal(found, self.counts[taken])
        return status

    def check(self, connection) -> None:
        """Keys from all over, known and refused."""
        keys = np.unique(np.linspace(0, len(self.counts) - 1, BATCH_ROWS).astype(np.int64))
        found = connection.get("per_key", {"key": pa.array(keys)})
        assert np.array_equal(found.column("n").to_numpy(), self.counts[keys])
        expected = np.where(self.counts[keys] > 0, self.counts[keys] * (keys % 1_000 + 3.0), np.nan)
        assert np.array_equal(found.column("v3").to_numpy(zero_copy_only=False).astype(np.float64), expected, equal_nan=True)


def test_ten_times_the_keys_that_fit(tmp_path):
    definitions = tmp_path / "definitions.sql"
    definitions.write_text(WIDE)
    group = MemoryGroup(GROUP_BYTES)
    options = ["--memory", STATE, "--cores", 2, "--data", tmp_path / "data", "--durability", "written"]
    try:
        server = RunningServer(definitions, *options, folder=tmp_path, under=group.under).__enter__()
        with server.connect() as connection:
            load = Load(connection)
            first, fitting = 0, 0
            while fitting == 0 or first < 10 * fitting:
                status = load.send(np.arange(first, first + BATCH_ROWS))
                assert np.isin(status, [0, 2]).all()
                first += BATCH_ROWS
                if fitting == 0 and status.any():
                    fitting = int((load.counts > 0).sum())
                if first // BATCH_ROWS % 8 == 0:
                    # Known keys are taken, however full it is.
                    known = np.flatnonzero(load.counts > 0)
                    assert not load.send(known[:: max(1, len(known) // 20_000)]).any()
            refused = int((load.counts == 0).sum())
            assert refused > 8 * fitting, f"{fitting} keys fitted, {refused} were refused"
            load.check(connection)
        server.kill()
        with RunningServer(definitions, *options, folder=tmp_path, under=group.under) as server, server.connect() as connection:
            load.check(connection)
            load.connection = connection
            assert not load.send(np.flatnonzero(load.counts > 0)[:BATCH_ROWS]).any()
        assert group.kills() == 0
    finally:
        group.close()
