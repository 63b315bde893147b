"""Snapshots of the real server: taken under load, killed around, damaged, and loaded by any number of cores."""

from __future__ import annotations

import random
import signal
import subprocess
import threading
import time
from pathlib import Path

import millrace
import pyarrow as pa
import pytest

from paths import BINARY
from running import RunningServer, free_port

# Windows of several kinds, under two keys, over a joined table, and over another window.
SQL = """
CREATE TABLE shops (shop bigint PRIMARY KEY, factor bigint);
CREATE TABLE events (ts bigint NOT NULL, key bigint NOT NULL, shop bigint NOT NULL, amount double precision, note text)
    WITH (lateness = 100);
CREATE VIEW per_key AS
SELECT e.ts, e.key, count(*) OVER recent AS recent_events, sum(e.amount) OVER recent AS recent_amount, max(e.amount) OVER recent AS greatest,
       count(DISTINCT e.shop) OVER recent AS shops, lag(e.note, 2) OVER k AS note_before, count(*) OVER k AS events,
       s.factor * count(*) OVER per_shop AS weighted
FROM events e LEFT JOIN shops s ON s.shop = e.shop
WINDOW k AS (PARTITION BY e.key ORDER BY e.ts), recent AS (k RANGE BETWEEN 400 PRECEDING AND CURRENT ROW),
       per_shop AS (PARTITION BY e.shop ORDER BY e.ts RANGE BETWEEN 900 PRECEDING AND CURRENT ROW);
CREATE VIEW busy AS
SELECT ts, recent_events, avg(recent_amount) OVER (PARTITION BY recent_events ORDER BY ts RANGE BETWEEN 300 PRECEDING AND CURRENT ROW) AS usual
FROM per_key;
"""

BATCHES = 400
ROWS = 60
# One row of each batch has this key: how many there are tells how many batches were applied.
COUNTED = 0


def batch(number: int) -> pa.Table:
    random_ = random.Random(number)
    keys = [COUNTED] + [random_.randrange(1, 200) for _ in range(ROWS - 1)]
    return pa.table(
        {
            "ts": pa.array([number * 20 + row // 4 - random_.choice([0, 0, 0, 7]) for row in range(ROWS)], pa.int64()),
            "key": pa.array(keys, pa.int64()),
            "shop": pa.array([random_.randrange(30) for _ in keys], pa.int64()),
            "amount": pa.array([None if random_.random() < 0.1 else random_.uniform(-5, 50) for _ in keys], pa.float64()),
            "note": pa.array([random_.choice([None, "a", "größer", "x" * 40]) for _ in keys], pa.string()),
        }
    )


SHOPS = pa.table({"shop": pa.array(range(0, 30, 2), pa.int64()), "factor": pa.array(range(15), pa.int64())})


def applied(connected: millrace.Server) -> int:
    """How many batches are in the state, each wholly."""
    probe = {"ts": [10**9], "key": [COUNTED], "shop": [1], "amount": [1.0], "note": [None]}
    return connected.evaluate("events", pa.table(probe, schema=batch(0).schema), view="per_key")["events"].to_pylist()[0] - 1


def answers(connected: millrace.Server) -> list[pa.Table]:
    """Of some batches more, by both views."""
    tables = []
    for number in range(BATCHES, BATCHES + 5):
        tables += [table for _, table in sorted(connected.compute_all("events", batch(number)).items())]
    return tables


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The answers of a server that was never stopped."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    (folder / "definitions.sql").write_text(SQL)
    with RunningServer(folder / "definitions.sql", "--cores", 1, folder=folder) as server, server.connect() as connected:
        connected.ingest("shops", SHOPS)
        for number in range(BATCHES):
            connected.ingest("events", batch(number))
        assert applied(connected) == BATCHES
        return answers(connected)


@pytest.fixture
def start(tmp_path):
    """start(cores, *options): a server over one data directory, in a `with`."""
    definitions = tmp_path / "definitions.sql"
    definitions.write_text(SQL)

    def start(cores: int, *options, interval: float = 3_600) -> RunningServer:
        return RunningServer(
            definitions, "--data", tmp_path / "data", "--cores", cores, "--snapshot-interval", interval, *options, folder=tmp_path)

    return start


def snapshots(folder: Path) -> list[Path]:
    return sorted((folder / "data" / "snapshots").glob("*.snapshot"))


def segments(folder: Path) -> list[Path]:
    return sorted((folder / "data" / "log").glob("*.log*"))


def feed(connected: millrace.Server, numbers) -> None:
    for number in numbers:
        connected.ingest("events", batch(number))


def entries(connected: millrace.Server) -> dict:
    return {(entry.name, entry.label): entry.value for entry in connected.status().entries}


def eventually(condition, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


# MARK: Killed and started again


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_around_snapshots_it_goes_on_where_it_was(start, tmp_path, uninterrupted, seed):
    random_ = random.Random(seed)
    number, kills, has_shops = 0, 0, False
    while number < BATCHES:
        server = start(random_.choice([1, 2, 4]), interval=0.05)
        server.__enter__()
        try:
            # Whoever sends without numbers does not send again by itself.
            with server.connect(reconnect=0) as connected:
                if has_shops:
                    there = applied(connected)
                    # All that was acknowledged, and the one that was under way or not.
                    assert number <= there <= number + 1, server.log_text()
                    number = there
                else:
                    connected.ingest("shops", SHOPS)
                    has_shops = True
                killer = threading.Timer(random_.uniform(0.05, 0.6), server.process.kill)
                if kills < 8:
                    killer.start()
                try:
                    while number < BATCHES:
                        connected.ingest("events", batch(number))
                        number += 1
                        if kills < 8:
                            time.sleep(random_.choice([0, 0, 0.02]))
                except (millrace.MillraceError, OSError):
                    pass
                finally:
                    killer.cancel()
                if number < BATCHES:
                    kills += 1
                    continue
                assert applied(connected) == BATCHES
                assert answers(connected) == uninterrupted
        finally:
            server.process.kill()
            server.process.wait()
    assert kills > 0
    assert snapshots(tmp_path), "no snapshot was ever published"


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_a_drained_server_leaves_nothing_to_replay(start, tmp_path, uninterrupted, cores):
    with start(2) as server, server.connect() as connected:
        connected.ingest("shops", SHOPS)
        feed(connected, range(BATCHES))
    assert len(snapshots(tmp_path)) == 1
    with start(cores) as server, server.connect() as connected:
        assert "loaded the snapshot of sequence" in server.log_text()
        status = entries(connected)
        # Definitions, start, shops and the batches.
        assert status[("snapshot_sequence", "")] >= BATCHES + 1
        assert status[("recovered_events", "")] == 0
        assert applied(connected) == BATCHES
        assert answers(connected) == uninterrupted


def test_snapshots_come_by_themselves_and_two_are_kept(start, tmp_path):
    with start(2, interval=0.1) as server, server.connect() as connected:
        connected.ingest("shops", SHOPS)
        seen: set[str] = set()
        for number in range(BATCHES):
            connected.ingest("events", batch(number))
            names = [path.name for path in snapshots(tmp_path)]
            seen |= set(names)
            # One more while an older one is being removed.
            assert len(names) <= 3
            if len(seen) >= 4:
                break
            time.sleep(0.02)
        assert len(seen) >= 4
        status = entries(connected)
        assert status[("snapshots", "published")] >= 3
        assert status[("snapshots", "failed")] == 0
        assert status[("snapshot_bytes", "")] > 0


# MARK: Damaged


def flip(path: Path, place: float) -> None:
    octets = bytearray(path.read_bytes())
    octets[int(len(octets) * place)] ^= 0x10
    path.write_bytes(octets)


def two_snapshots(start, tmp_path) -> None:
    """A directory with two of them, and log behind each."""
    for half in (range(BATCHES // 2), range(BATCHES // 2, BATCHES - 20)):
        with start(2) as server, server.connect() as connected:
            if half.start == 0:
                connected.ingest("shops", SHOPS)
            feed(connected, half)
    server = start(2)
    server.__enter__()
    with server.connect() as connected:
        feed(connected, range(BATCHES - 20, BATCHES))
    server.process.kill()
    server.process.wait()
    assert len(snapshots(tmp_path)) == 2


@pytest.mark.parametrize("place", [0.0001, 0.5, 0.99])
def test_a_damaged_snapshot_falls_back_to_the_one_before(start, tmp_path, uninterrupted, place):
    two_snapshots(start, tmp_path)
    older, newest = snapshots(tmp_path)
    flip(newest, place)
    with start(4) as server, server.connect() as connected:
        log = server.log_text()
        assert newest.name in log and "offset" in log and "expected" in log and "found" in log
        assert f"loaded the snapshot of sequence {int(older.name.split('.')[0])}" in log
        assert applied(connected) == BATCHES
        assert answers(connected) == uninterrupted


def test_with_both_damaged_the_whole_log_is_enough(start, tmp_path, uninterrupted):
    two_snapshots(start, tmp_path)
    for path in snapshots(tmp_path):
        flip(path, 0.4)
    with start(1) as server, server.connect() as connected:
        assert "loaded the snapshot" not in server.log_text()
        assert applied(connected) == BATCHES
        assert answers(connected) == uninterrupted


def test_with_both_damaged_and_the_log_cut_it_refuses_to_start(start, tmp_path):
    two_snapshots(start, tmp_path)
    for path in snapshots(tmp_path):
        flip(path, 0.4)
    segments(tmp_path)[0].unlink()
    command = [str(BINARY), "serve", tmp_path / "definitions.sql", "--data", tmp_path / "data", "--listen", f"127.0.0.1:{free_port()}"]
    done = subprocess.run(command, capture_output=True, timeout=60)
    text = done.stderr.decode(errors="replace")
    assert done.returncode != 0
    for path in snapshots(tmp_path):
        assert path.name in text
    assert "the log" in text


def test_a_cut_log_is_enough_behind_a_good_snapshot(start, tmp_path, uninterrupted):
    """What retention may take: segments that end before the snapshot."""
    two_snapshots(start, tmp_path)
    segments(tmp_path)[0].unlink()
    with start(2) as server, server.connect() as connected:
        assert applied(connected) == BATCHES
        assert answers(connected) == uninterrupted


def test_a_snapshot_newer_than_the_log_goes_on_behind_itself(start, tmp_path):
    """What was given up of the log by hand is in the snapshot."""
    with start(2) as server, server.connect() as connected:
        feed(connected, range(100))
    for path in segments(tmp_path):
        path.unlink()
    with start(1) as server, server.connect() as connected:
        assert applied(connected) == 100
        feed(connected, range(100, 150))
    # Back to a log that ends earlier than the snapshot.
    older = segments(tmp_path)
    with start(2) as server, server.connect() as connected:
        feed(connected, range(150, 200))
    for path in set(segments(tmp_path)) - set(older):
        path.unlink()
    for _ in range(2):
        with start(4) as server, server.connect() as connected:
            assert applied(connected) == 200
    assert "given-up" not in server.log_text()


def test_what_was_left_unfinished_is_removed(start, tmp_path, uninterrupted):
    two_snapshots(start, tmp_path)
    newest = snapshots(tmp_path)[-1]
    partial = newest.with_name("00000000000000999999.snapshot.partial")
    partial.write_bytes(newest.read_bytes())
    with start(2) as server, server.connect() as connected:
        assert not partial.exists()
        assert partial.name in server.log_text()
        assert applied(connected) == BATCHES
        assert answers(connected) == uninterrupted


def test_an_unknown_version_is_refused_by_name(start, tmp_path):
    two_snapshots(start, tmp_path)
    newest = snapshots(tmp_path)[-1]
    octets = bytearray(newest.read_bytes())
    octets[8] = 9
    octets[124:128] = crc32c(bytes(octets[:124])).to_bytes(4, "little")
    newest.write_bytes(octets)
    command = [str(BINARY), "serve", tmp_path / "definitions.sql", "--data", tmp_path / "data", "--listen", f"127.0.0.1:{free_port()}"]
    done = subprocess.run(command, capture_output=True, timeout=60)
    text = done.stderr.decode(errors="replace")
    assert done.returncode != 0
    assert newest.name in text and "format version 9" in text


def crc32c(octets: bytes) -> int:
    remainder = 0xFFFFFFFF
    for octet in octets:
        remainder ^= octet
        for _ in range(8):
            remainder = (remainder >> 1) ^ (0x82F63B78 if remainder & 1 else 0)
    return remainder ^ 0xFFFFFFFF
