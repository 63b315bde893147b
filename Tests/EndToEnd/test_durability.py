"""Servers with a data directory: killed at any moment, started again, and compared with one that was never interrupted."""

from __future__ import annotations

import time

import millrace
import pyarrow as pa
import pytest
from millrace import _arrow

from running import RunningServer, run

EVENTS = """
CREATE TABLE events (ts bigint NOT NULL, key bigint NOT NULL, shop text, amount double precision) WITH (lateness = 10);
CREATE VIEW per_key AS
    SELECT ts, key, shop, count(*) OVER w AS events, sum(amount) OVER w AS amount, count(DISTINCT shop) OVER w AS shops FROM events
    WINDOW w AS (PARTITION BY key ORDER BY ts RANGE BETWEEN 100 PRECEDING AND CURRENT ROW);
"""

EVENTS_CHANGED = EVENTS.replace("sum(amount)", "2 * sum(amount)")


def events(number: int, rows: int = 20) -> pa.Table:
    """Some rows come late, some too late; text is sent in a dictionary by every third batch."""
    shops = pa.array([None if (number + row) % 13 == 0 else f"shop {(number * row) % 9}" for row in range(rows)])
    return pa.table({
        "ts": pa.array([number * 7 + row % 4 - (50 if row % 11 == 10 else 0) for row in range(rows)], pa.int64()),
        "key": pa.array([(number + row) % 5 for row in range(rows)], pa.int64()),
        "shop": shops.dictionary_encode() if number % 3 == 0 else shops,
        "amount": pa.array([row / 8 if row % 5 else None for row in range(rows)], pa.float64()),
    })


@pytest.fixture
def durable(tmp_path):
    """Starts servers over one data directory, one after the other."""
    definitions = tmp_path / "definitions.sql"

    def start(text: str, *options) -> RunningServer:
        definitions.write_text(text)
        return RunningServer(definitions, "--data", tmp_path / "data", *options, folder=tmp_path)

    return start


def kill(server: RunningServer) -> None:
    """SIGKILL: nothing of the process can say goodbye."""
    server.process.kill()
    server.process.wait()


def computed(connection, numbers) -> list[dict]:
    rows: list[dict] = []
    for number in numbers:
        rows += connection.compute("events", events(number), view="per_key").to_pylist()
    return rows


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    definitions = folder / "definitions.sql"
    definitions.write_text(EVENTS)
    with RunningServer(definitions, "--cores", 1, folder=folder) as server, server.connect() as connection:
        return computed(connection, range(120))


@pytest.mark.parametrize("durability", ["synced", "written"])
def test_killed_servers_go_on_as_if_they_had_not_been(durable, uninterrupted, durability):
    found: list[dict] = []
    for part, cores in enumerate([1, 2, 4, 1]):
        server = durable(EVENTS, "--cores", cores, "--durability", durability).__enter__()
        with server.connect() as connection:
            found += computed(connection, range(part * 30, part * 30 + 30))
        kill(server)
    assert found == uninterrupted


def test_a_killed_server_without_durability_has_a_beginning_of_what_it_was_sent(durable, uninterrupted):
    server = durable(EVENTS, "--durability", "memory").__enter__()
    with server.connect() as connection:
        computed(connection, range(60))
    kill(server)
    with durable(EVENTS, "--durability", "memory") as server, server.connect() as connection:
        kept = int(status(connection)["recovered_events"]) // 20
        assert kept <= 60
        assert computed(connection, range(kept, 120)) == uninterrupted[len(computed_rows(uninterrupted, kept)):]


def computed_rows(rows: list[dict], batches: int) -> list[dict]:
    return rows[:batches * 20]


def status(connection) -> dict[str, float]:
    return {entry.name: entry.value for entry in connection.status().entries}


def test_compressed_batches_and_dictionaries_are_replayed_as_they_came(durable, uninterrupted, monkeypatch):
    options = pa.ipc.IpcWriteOptions(compression="zstd")

    def split(batch):
        """As the client's own, with bodies compressed; dictionaries come in messages of their own."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
            writer.write_batch(batch)
        messages = list(pa.ipc.MessageReader.open_stream(pa.BufferReader(sink.getvalue())))
        return [message.serialize() for message in messages[1:-1]], messages[-1].serialize()

    monkeypatch.setattr(_arrow, "messages", split)
    found: list[dict] = []
    for part in range(2):
        server = durable(EVENTS).__enter__()
        with server.connect() as connection:
            found += computed(connection, range(part * 15, part * 15 + 15))
        kill(server)
    assert found == uninterrupted[:len(found)] and len(found) == 600


def test_definitions_that_were_applied_are_in_force_after_a_kill(durable):
    server = durable(EVENTS).__enter__()
    with server.connect() as connection:
        before = computed(connection, range(10))
        assert connection.apply(EVENTS_CHANGED).is_applied
        changed = computed(connection, range(10, 20))
    kill(server)
    assert before and changed
    # The file still has the old ones: they are applied again, as a change like any other.
    with durable(EVENTS) as server, server.connect() as connection:
        assert connection.status() is not None
        assert "definitions version 3 take effect" in server.log_text()
    with durable(EVENTS_CHANGED) as server, server.connect() as connection:
        again = connection.evaluate("events", events(20), view="per_key").to_pylist()
    with durable(EVENTS_CHANGED) as server, server.connect() as connection:
        assert "there is nothing to change" in server.log_text()
        assert connection.evaluate("events", events(20), view="per_key").to_pylist() == again


CLOCKED = """
CREATE TABLE events (ts timestamptz NOT NULL, key bigint NOT NULL) WITH (max_ahead = '1 minute');
CREATE VIEW v AS SELECT ts, key, count(*) OVER (PARTITION BY key ORDER BY ts) AS n FROM events;
"""


def test_rows_that_the_clock_refused_stay_refused(durable):
    now = int(time.time() * 1e6)
    ahead = pa.table({
        "ts": pa.array([now, now + 90_000_000, now + 1], pa.timestamp("us", tz="UTC")), "key": pa.array([1, 1, 1], pa.int64())})
    server = durable(CLOCKED).__enter__()
    with server.connect() as connection:
        assert [row["n"] for row in connection.compute("events", ahead).to_pylist()] == [1, None, 2]
    kill(server)
    with durable(CLOCKED) as server, server.connect() as connection:
        later = pa.table({"ts": pa.array([now + 2], pa.timestamp("us", tz="UTC")), "key": pa.array([1], pa.int64())})
        assert [row["n"] for row in connection.compute("events", later).to_pylist()] == [3]


def test_subscribers_see_only_what_is_durable_and_go_on_by_its_sequence(durable):
    with durable(EVENTS) as server, server.connect() as connection, connection.subscribe("per_key") as pushes:
        rows = computed(connection, range(3))
        pushed: list[dict] = []
        while len(pushed) < len(rows):
            pushed += next(pushes).to_pylist()
    assert [row["events"] for row in pushed] == [row["events"] for row in rows]


# What does not start.


def test_durability_needs_a_directory(tmp_path):
    (tmp_path / "d.sql").write_text(EVENTS)
    done = run("serve", tmp_path / "d.sql", "--durability", "synced", check=False)
    assert done.returncode == 64 and b"give --data as well" in done.stderr


def test_a_directory_belongs_to_one_server(durable, tmp_path):
    with durable(EVENTS):
        done = run(
            "serve", tmp_path / "definitions.sql", "--data", tmp_path / "data", "--listen", f"unix:{tmp_path}/other.sock", check=False)
    assert done.returncode == 1 and b"one server at a time" in done.stderr


def test_a_damaged_log_refuses_the_start(durable, tmp_path):
    for part in range(2):
        # A snapshot would have the state that the damaged part leads to.
        with durable(EVENTS, "--snapshot-interval", 0) as server, server.connect() as connection:
            computed(connection, range(part * 5, part * 5 + 5))
    segment = sorted((tmp_path / "data" / "log").iterdir())[0]
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 0x10
    segment.write_bytes(content)
    done = run(
        "serve", tmp_path / "definitions.sql", "--data", tmp_path / "data", "--listen", f"unix:{tmp_path}/other.sock", check=False)
    assert done.returncode == 1, done.stderr
    assert str(segment).encode() in done.stderr and b"damaged at offset" in done.stderr


def test_wrong_definitions_change_nothing(durable, tmp_path):
    with durable(EVENTS) as server, server.connect() as connection:
        computed(connection, range(5))
    before = sorted(path.name for path in (tmp_path / "data" / "log").iterdir())
    (tmp_path / "definitions.sql").write_text("CREATE VIEW v AS SELECT nothing FROM nowhere;")
    done = run(
        "serve", tmp_path / "definitions.sql", "--data", tmp_path / "data", "--listen", f"unix:{tmp_path}/other.sock", check=False)
    assert done.returncode == 1 and b"nowhere" in done.stderr
    assert sorted(path.name for path in (tmp_path / "data" / "log").iterdir()) == before
