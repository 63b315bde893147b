"""Definitions that change while a server serves: saved files, SIGHUP, `millrace apply`, and clients across the change."""

from __future__ import annotations

import signal
import threading
import time

import millrace
import pyarrow as pa
import pytest

from running import run

TABLE = "CREATE TABLE events (ts bigint NOT NULL, key bigint NOT NULL, amount bigint);\n"
PLAIN = TABLE + "CREATE VIEW counted AS SELECT key, count(*) OVER (PARTITION BY key ORDER BY ts) AS n FROM events;\n"
WIDER = PLAIN.replace("AS n FROM", "AS n, 2 * amount AS doubled FROM")
OTHER = PLAIN.replace("counted", "renamed")
BROKEN = PLAIN.replace("PARTITION BY key", "PARTITION BY kye")
BROKEN_AT = f":2:{BROKEN.splitlines()[1].index('kye') + 1}: error:"


def row(key: int = 1, ts: int = 1) -> dict:
    return {"ts": [ts], "key": [key], "amount": [3]}


def eventually(condition, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def entries(server: millrace.Server) -> dict:
    return {(entry.name, entry.label): entry.value for entry in server.status().entries}


@pytest.fixture
def definitions(tmp_path):
    path = tmp_path / "features.sql"
    path.write_text(PLAIN)
    return path


# MARK: Ways to ask for it


def test_a_saved_file_takes_effect_and_keeps_what_was_counted(serve, definitions):
    server = serve(definitions, "--cores", 2)
    with server.connect() as connected:
        assert connected.compute("events", row()).to_pylist() == [{"key": 1, "n": 1}]
        assert connected.definitions == 1
        definitions.write_text(WIDER)
        eventually(lambda: entries(connected)[("definitions", "")] == 2)
        assert connected.compute("events", row()).to_pylist() == [{"key": 1, "n": 2, "doubled": 6}]
        assert connected.definitions == 2
    assert "was saved" in server.log_text() and "kept" in server.log_text()


def test_a_file_that_is_moved_into_place_takes_effect(serve, definitions, tmp_path):
    """As editors save that write beside the file and rename."""
    server = serve(definitions)
    with server.connect() as connected:
        for number, sql in enumerate([WIDER, PLAIN, WIDER], 2):
            beside = tmp_path / "features.sql.tmp"
            beside.write_text(sql)
            beside.rename(definitions)
            eventually(lambda: entries(connected)[("definitions", "")] == number)


def test_a_file_of_a_directory_takes_effect(serve, tmp_path):
    folder = tmp_path / "definitions"
    folder.mkdir()
    (folder / "tables.sql").write_text(TABLE)
    (folder / "views.sql").write_text(PLAIN.removeprefix(TABLE))
    server = serve(folder)
    with server.connect() as connected:
        (folder / "notes.txt").write_text("these are no definitions")
        (folder / "more.sql").write_text("CREATE VIEW more AS SELECT key, amount FROM events;")
        eventually(lambda: entries(connected)[("definitions", "")] == 2)
        assert set(connected.compute_all("events", row())) == {"counted", "more"}
        (folder / "more.sql").unlink()
        eventually(lambda: entries(connected)[("definitions", "")] == 3)
        assert set(connected.compute_all("events", row())) == {"counted"}


def test_a_file_that_is_being_written_is_waited_for(serve, definitions):
    """Half a text is none: it would not compile, and nothing is said about it."""
    server = serve(definitions)
    with server.connect() as connected:
        with open(definitions, "w") as file:
            file.write(WIDER[: len(WIDER) // 2])
            file.flush()
            time.sleep(0.5)
            file.write(WIDER[len(WIDER) // 2 :])
        eventually(lambda: entries(connected)[("definitions", "")] == 2)
        assert entries(connected)[("reloads", "failed")] == 0


def test_sighup_reads_the_files_again(serve, definitions):
    server = serve(definitions)
    with server.connect() as connected:
        assert connected.apply(WIDER).definitions == 2
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: entries(connected)[("definitions", "")] == 3)
        assert connected.compute("events", row()).schema.names == ["key", "n"]
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: "there is nothing to change" in server.log_text())
        definitions.unlink()
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: entries(connected)[("reloads", "failed")] == 1)
        assert connected.compute("events", row())["n"].to_pylist() == [2]


def test_the_command_applies_or_says_what_would_happen(serve, definitions, tmp_path):
    server = serve(definitions, "--cores", 2)
    with server.connect() as connected:
        connected.compute("events", row())
        wider = tmp_path / "wider.sql"
        wider.write_text(WIDER)
        said = run("apply", wider, "--dry-run", "--connect", server.address).stdout.decode()
        assert "doubled" in said and "kept" in said and "added" in said and "memory of the state" in said
        assert "nothing was changed: version 1" in said and entries(connected)[("definitions", "")] == 1
        said = run("apply", wider, "--connect", server.address).stdout.decode()
        assert "version 2 of the definitions is in force" in said
        assert "there is nothing to change" in run("apply", wider, "--connect", server.address).stdout.decode()
        assert entries(connected)[("definitions", "")] == 2


# MARK: Definitions with errors


def test_broken_definitions_change_nothing_and_are_reported_everywhere(serve, definitions):
    server = serve(definitions, "--cores", 2)
    with server.connect() as connected:
        connected.compute("events", row())
        definitions.write_text(BROKEN)
        eventually(lambda: entries(connected)[("reloads", "failed")] == 1)
        assert f"{definitions}{BROKEN_AT}" in server.log_text() and "did you mean key" in server.log_text()
        told = [entry for entry in connected.status().entries if entry.name == "reload_failed_at"]
        assert f"{definitions}{BROKEN_AT}" in told[0].label and abs(told[0].value - time.time()) < 600

        failed = run("apply", definitions, "--connect", server.address, check=False)
        assert failed.returncode == 1 and f"{definitions}{BROKEN_AT}" in failed.stderr.decode() and b"^^^" in failed.stderr
        with pytest.raises(millrace.DefinitionsError, match="kye"):
            connected.apply(definitions)
        with pytest.raises(millrace.DefinitionsError, match="kye"):
            connected.apply(BROKEN, dry_run=True)
        assert connected.compute("events", row())["n"].to_pylist() == [2]
        assert connected.definitions == 1

        definitions.write_text(WIDER)
        eventually(lambda: entries(connected)[("definitions", "")] == 2)
        assert connected.compute("events", row())["n"].to_pylist() == [3]


# MARK: Clients across a change


def test_subscriptions_go_on_with_the_new_schema_and_end_with_their_view(serve):
    server = serve(PLAIN, "--cores", 2)
    with server.connect() as connected, connected.subscribe("counted", timeout=20) as pushed:
        connected.compute("events", row())
        assert next(pushed).to_pylist() == [{"key": 1, "n": 1}] and pushed.definitions == 1
        connected.apply(WIDER)
        connected.ingest("events", row())
        batch = next(pushed)
        assert batch.to_pylist() == [{"key": 1, "n": 2, "doubled": 6}] and pushed.definitions == 2
        assert pushed.schema == batch.schema
        connected.apply(OTHER)
        with pytest.raises(millrace.UnknownViewError, match="counted"):
            next(pushed)
        # The view is another by name only: its counts are kept.
        assert connected.compute("events", row(), view="renamed").to_pylist() == [{"key": 1, "n": 3}]


def test_a_table_that_changes_refuses_what_does_not_fit_and_says_which_column(serve):
    server = serve(PLAIN)
    with server.connect() as connected:
        connected.compute("events", row())
        connected.apply(PLAIN.replace("amount bigint", "amount bigint, place text NOT NULL"))
        with pytest.raises(millrace.BadSchemaError, match="place"):
            connected.compute("events", row())
        placed = row() | {"place": ["here"]}
        assert connected.compute("events", placed)["n"].to_pylist() == [2]


def test_views_that_are_gone_refuse_requests_and_a_default_follows(serve):
    server = serve(PLAIN)
    with server.connect() as connected:
        connected.compute("events", row(), view="counted")
        connected.compute("events", row())
        connected.apply(OTHER)
        with pytest.raises(millrace.UnknownViewError, match="counted"):
            connected.compute("events", row(), view="counted")
        assert connected.compute("events", row())["n"].to_pylist() == [3]


def test_one_call_of_many_batches_across_changes_has_the_columns_of_all(serve):
    server = serve(PLAIN, "--cores", 2)
    rows = 400_000
    answer: list[pa.Table] = []

    def compute() -> None:
        with server.connect(timeout=120) as computing:
            data = pa.table({"ts": pa.array(range(rows)), "key": pa.array([7] * rows), "amount": pa.array(range(rows))})
            batches = data.to_batches(max_chunksize=500)
            answer.append(computing.compute("events", pa.Table.from_batches(batches)))

    thread = threading.Thread(target=compute)
    thread.start()
    with server.connect() as connected:
        number = 0
        while thread.is_alive():
            number += 1
            connected.apply([WIDER, PLAIN][number % 2])
            time.sleep(0.02)
    thread.join()
    assert answer[0]["n"].to_pylist() == list(range(1, rows + 1))


def test_a_server_that_is_reloading_stops_when_told(serve, definitions):
    server = serve(definitions, "--cores", 2)
    stopped = threading.Event()

    def apply() -> None:
        number = 0
        try:
            with server.connect() as connected:
                while True:
                    number += 1
                    connected.apply([WIDER, PLAIN][number % 2])
        except (millrace.MillraceError, OSError):
            stopped.set()

    threads = [threading.Thread(target=apply) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=30) == 0, server.log_text()
    for thread in threads:
        thread.join(timeout=30)
    assert stopped.is_set()
