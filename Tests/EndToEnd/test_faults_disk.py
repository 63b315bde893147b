"""The real server on a disk that is full, fails or is slow: what it acknowledged is there, and what can go on goes on."""

from __future__ import annotations

import os
import threading
import time

import millrace
import pyarrow as pa
import pytest

from faulty import SmallDisk, failing, slow
from running import START_SECONDS_MAX, RunningServer

EVENTS = """
CREATE TABLE events (ts bigint NOT NULL, batch bigint NOT NULL, line bigint NOT NULL, note text);
CREATE VIEW audit AS SELECT ts, batch, count(*) OVER w AS lines, sum(line) OVER w AS total FROM events
    WINDOW w AS (PARTITION BY batch ORDER BY ts);
"""
LINES = 5
TOTAL = sum(range(LINES))
# Behind every event.
END = 1 << 40
# The log takes room for 256 MiB at a time, and as much ahead; what is filled up besides has to be room for one more.
DISK_BYTES = 800 << 20
# All of them in `make soak`.
CALLS = range(1, 101) if os.environ.get("MILLRACE_FAULTS") else [1, 4, 11, 13, 40]


def batch(number: int, note: str = "") -> pa.Table:
    return pa.table({"ts": [number] * LINES, "batch": [number] * LINES, "line": list(range(LINES)), "note": [note] * LINES})


def lines(connection: millrace.Server, count: int) -> list[int]:
    """How many rows of each batch are there; they are all different."""
    found = connection.get("audit", {"batch": pa.array(range(count), pa.int64())}, at=END).to_pylist()
    for row in found:
        assert row["lines"] in (0, LINES) and (row["total"] or 0) == TOTAL * (row["lines"] // LINES), found
    return [row["lines"] for row in found]


@pytest.fixture
def definitions(tmp_path):
    path = tmp_path / "definitions.sql"
    path.write_text(EVENTS)
    return path


# A full disk.


def test_a_full_disk_refuses_what_changes_state_and_heals(tmp_path, definitions):
    (tmp_path / "small").mkdir()
    disk = SmallDisk(tmp_path / "small", DISK_BYTES)
    options = ["--data", disk.path / "data"]
    try:
        server = RunningServer(definitions, *options, folder=tmp_path, under=disk.under).__enter__()
        with server.connect(reconnect=0) as connection, server.connect() as other:
            pushes = other.subscribe("audit", timeout=START_SECONDS_MAX)
            connection.compute("events", batch(0))
            disk.fill()
            acknowledged = fill_the_log(connection)
            assert status(connection, "disk_full") == 1 and status(connection, "disk_full_refusals") > 0
            # Reads go on, and see what was acknowledged and nothing else.
            assert lines(connection, acknowledged + 1) == [LINES] * acknowledged + [0]
            assert len(connection.evaluate("events", batch(acknowledged))) == LINES
            with pytest.raises(millrace.ServerError, match="disk") as refused:
                connection.ingest("events", batch(acknowledged))
            assert refused.value.code == "disk_full" and refused.value.retry
            assert pushed(pushes, acknowledged) == list(range(acknowledged))

            disk.free()
            until_taken(connection, acknowledged)
            assert pushed(pushes, 1) == [acknowledged]
            connection.compute("events", batch(acknowledged + 1))
            assert "there is room" in server.log_text()
        server.kill()
        with RunningServer(definitions, *options, folder=tmp_path, under=disk.under) as server, server.connect() as connection:
            assert lines(connection, acknowledged + 3) == [LINES] * (acknowledged + 2) + [0]
    finally:
        disk.close()


def fill_the_log(connection: millrace.Server) -> int:
    """Sends batches, smaller and smaller ones, until none fits into what room the log still had; how many there are then."""
    number, note_bytes = 1, 1_000_000
    while True:
        try:
            connection.compute("events", batch(number, "x" * note_bytes))
            number += 1
        except millrace.ServerError as error:
            assert error.code == "disk_full", error
            if note_bytes == 0:
                return number
            note_bytes //= 8


def until_taken(connection: millrace.Server, number: int) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            connection.compute("events", batch(number))
            return
        except millrace.ServerError as error:
            assert error.code == "disk_full" and time.monotonic() < deadline, error
            time.sleep(0.05)


def pushed(pushes, count: int) -> list[int]:
    """The numbers of the next batches."""
    rows: list[int] = []
    while len(rows) < count * LINES:
        rows += next(pushes).column("batch").to_pylist()
    assert sorted(rows) == sorted(rows[:: LINES] * LINES), rows
    return rows[::LINES]


def status(connection: millrace.Server, name: str) -> float:
    return next(entry.value for entry in connection.status().entries if entry.name == name)


# A disk that fails.


@pytest.mark.parametrize("call", CALLS)
def test_a_failed_sync_stops_the_server_and_loses_nothing_acknowledged(tmp_path, definitions, call):
    data = ["--data", tmp_path / "data"]
    server = RunningServer(definitions, *data, folder=tmp_path, under=failing("fdatasync", call, tmp_path / "trace"))
    acknowledged = send_until_it_ends(server, call)
    assert server.process.wait(timeout=30) == 1, server.log_text()
    assert "cannot sync: Input/output error" in server.log_text(), server.log_text()
    with RunningServer(definitions, *data, folder=tmp_path) as server, server.connect() as connection:
        found = lines(connection, acknowledged + 2)
    # Of the batch whose answer never came nobody knows; whatever it is, it is whole.
    assert found[:acknowledged] == [LINES] * acknowledged and found[acknowledged + 1:] == [0], found


def send_until_it_ends(server: RunningServer, call: int) -> int:
    """How many batches were acknowledged."""
    number = 0
    try:
        connection = connected(server)
    except ConnectionError:
        return 0
    with connection:
        # Each batch that is acknowledged has been synced for itself.
        while number <= call + 20:
            try:
                connection.compute("events", batch(number))
            except ConnectionError:
                return number
            number += 1
    raise AssertionError(f"{number} batches were acknowledged, though a sync failed\n{server.log_text()}")


def connected(server: RunningServer) -> millrace.Server:
    """As soon as it takes connections; an error where it ends before."""
    while server.process.poll() is None:
        try:
            return server.connect(reconnect=0)
        except OSError:
            time.sleep(0.01)
    raise ConnectionError("the server ended")


# A slow disk.


def test_reads_do_not_wait_for_a_slow_disk(tmp_path, definitions):
    with RunningServer(definitions, "--data", tmp_path / "data", folder=tmp_path) as server:
        with server.connect() as sender, server.connect() as reader:
            sender.compute("events", batch(0))
            with slow(server.process.pid, "fdatasync", 4, tmp_path / "trace"):
                answers: list = []
                waiting = threading.Thread(target=lambda: answers.append(sender.compute("events", batch(1))))
                waiting.start()
                # Reads see the batch as soon as it is computed.
                while lines(reader, 2) != [LINES, LINES]:
                    pass
                assert len(reader.evaluate("events", batch(2))) == LINES
                assert answers == [], "the batch was acknowledged before it was on the disk"
                waiting.join()
            assert len(answers) == 1
            sender.compute("events", batch(2))
            assert lines(reader, 3) == [LINES] * 3
