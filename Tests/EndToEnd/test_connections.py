"""Connections to the real server: many, silent, idle, greedy with descriptors; and how clients come back."""

from __future__ import annotations

import resource
import signal
import socket
import sys
import threading
import time

import millrace
import pyarrow as pa
import pytest
from millrace import _frames, _messages
from millrace._flatbuffers import decode, encode

from definitions import PAYMENTS, at, payments
from paths import ROOT
from running import RunningServer

sys.path.insert(0, str(ROOT / "benchmarks"))
import connections as load  # noqa: E402


def statuses(connection) -> dict[tuple[str, str], float]:
    return {(entry.name, entry.label): entry.value for entry in connection.status().entries}


def status(connection, name: str, label: str = "") -> float:
    return statuses(connection)[name, label]


# MARK: Many


def test_thousands_of_connections_are_answered_rightly_and_memory_stays_flat(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2_200:
        pytest.skip(f"2,000 connections need more than the {hard} files that a process may open here")
    server = load.serve(tmp_path / "millrace.sock", load.RELEASE / "millrace", "--cores", 2)
    try:
        measured = load.run(f"unix:{tmp_path}/millrace.sock", server.pid, connections=2_000, active=200, rate=10, seconds=10)
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=30) == 0
    assert f"{200 * 10 * 10 + 1_800} answers right" in measured["done"]
    early, late = load.growth(measured["samples"])
    # The state is not full of 15 seconds of events yet: the command runs for longer, and then it must be flat.
    assert late - early <= 12 << 20, measured["samples"]
    assert measured["idle_connection"] < 8_192


def test_connections_are_spread_over_the_cores(serve):
    server = serve(PAYMENTS, "--cores", 2)
    connections = [server.connect() for _ in range(300)]
    shares = [status(connections[0], "connections", f"core {core}") for core in range(2)]
    assert sum(shares) == 300 and min(shares) >= 60, shares
    for connection in connections:
        connection.close()


def test_a_server_takes_all_the_descriptors_it_may_and_says_when_they_are_too_few(tmp_path):
    (tmp_path / "definitions.sql").write_text(PAYMENTS)

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    try:
        server = RunningServer(tmp_path / "definitions.sql", "--connections", 1_000, folder=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with server:
        connections = [server.connect() for _ in range(300)]
        assert status(connections[0], "connections") == 300
        assert "files open" not in server.log_text()
        for connection in connections:
            connection.close()
    with RunningServer(tmp_path / "definitions.sql", "--connections", 1_000, descriptors_max=200, folder=tmp_path) as server:
        assert "may have 200 files open" in server.log_text()


# MARK: Silence


def test_a_client_that_answers_no_ping_is_ended(serve):
    server = serve(PAYMENTS, "--ping", 1)
    host, _, port = server.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as silent:
        hello = encode(_messages.HELLO, {"version_min": 1, "version_max": 1})
        silent.sendall(b"".join(map(bytes, _frames.encode(_frames.Kind.HELLO, hello, request_id=1))))
        kinds, reason = [], ""
        received = b""
        while octets := silent.recv(65_536):
            received += octets
        while received:
            header = _frames.decode_header(received[:64])
            if header.kind == _frames.Kind.ERROR:
                reason = decode(_messages.ERROR, received[64 : 64 + header.body_length])["code"]
            kinds.append(header.kind)
            received = received[64 + header.padded_body_length :]
    kind = _frames.Kind
    assert kinds == [kind.WELCOME, kind.PING, kind.ERROR, kind.GOODBYE] and reason == "timed_out"


def test_a_python_client_may_be_silent_for_as_long_as_it_likes(serve):
    server = serve(PAYMENTS, "--ping", 1)
    with server.connect() as connection:
        accepted = status(connection, "connections_accepted")
        time.sleep(3.5)
        assert connection.compute("payments", payments((0, 1, 1.0)))["payments_1h"].to_pylist() == [1]
        assert status(connection, "connections_accepted") == accepted and status(connection, "silent_peers_ended") == 0


def test_a_client_comes_back_after_it_was_idle_for_too_long(serve):
    server = serve(PAYMENTS, "--idle-timeout", 1)
    with server.connect() as connection, server.connect() as follower, follower.subscribe("card_hour") as subscription:
        connection.ingest("payments", payments((0, 1, 1.0)))
        time.sleep(2.5)
        assert connection.compute("payments", payments((1, 1, 1.0)))["payments_1h"].to_pylist() == [2]
        assert status(connection, "idle_peers_ended") >= 1
        assert next(subscription)["payments_1h"].to_pylist() == [1], "a subscriber is not idle"


# MARK: Ends


def test_a_server_that_is_stopped_under_load_loses_nothing_and_clients_go_on_with_the_next(tmp_path):
    """Each client counts its own key: from 1 on with the first server, from 1 on with the second, and nothing is missing or double."""
    address, rounds, clients = f"unix:{tmp_path}/millrace.sock", 150, 6
    (tmp_path / "definitions.sql").write_text(PAYMENTS)
    counts: list[list[int]] = [[] for _ in range(clients)]
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with millrace.connect(address) as connection:
                for step in range(rounds):
                    batch = payments((step / 60, number, 1.0))
                    counts[number] += connection.compute("payments", batch)["payments_1h"].to_pylist()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    first = RunningServer(tmp_path / "definitions.sql", "--cores", 2, address=address, folder=tmp_path)
    with first:
        pushed = 0
        with first.connect() as follower, follower.subscribe("card_hour", reconnect=0) as subscription:
            threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
            for thread in threads:
                thread.start()
            while pushed < clients * 20:
                pushed += next(subscription).num_rows
            first.process.send_signal(signal.SIGTERM)
            # It hears of everything that was answered, and then of nobody at the address.
            with pytest.raises(OSError):
                while True:
                    pushed += next(subscription).num_rows
    with RunningServer(tmp_path / "definitions.sql", "--cores", 2, address=address, folder=tmp_path):
        for thread in threads:
            thread.join(timeout=60)
    assert not failures, failures
    taken_by_first = 0
    for answers in counts:
        split = answers.index(1, 1) if 1 in answers[1:] else len(answers)
        assert answers == [*range(1, split + 1), *range(1, rounds - split + 1)], answers
        taken_by_first += split
    assert pushed == taken_by_first, "what the first server applied is what it answered"


@pytest.mark.parametrize("call, producer", [("compute", False), ("compute", True), ("evaluate", False), ("evaluate", True)])
def test_a_lost_connection_is_said_where_the_outcome_is_unknown(serve, call, producer):
    """A proxy of one connection swallows the answer and hangs up."""
    server = serve(PAYMENTS)
    host, _, port = server.address.rpartition(":")
    proxy = Proxy((host, int(port)))
    with millrace.connect(proxy.address, producer=producer) as connection:
        batch = payments((0, 1, 1.0))
        connection.evaluate("payments", batch)
        proxy.swallows = True
        if call == "compute" and producer:
            assert connection.compute("payments", batch)["payments_1h"].to_pylist() == [1], "it is answered again"
            assert connection.compute("payments", batch)["payments_1h"].to_pylist() == [2]
        elif call == "compute":
            with pytest.raises(millrace.ConnectionClosed) as ended:
                connection.compute("payments", batch)
            assert not ended.value.is_goodbye
            assert connection.compute("payments", batch)["payments_1h"].to_pylist() == [2], "it had been applied"
        else:
            assert connection.evaluate("payments", batch)["payments_1h"].to_pylist() == [1]


class Proxy:
    """Passes bytes on; once `swallows` is set, closes the connection instead of passing on the next answer, one time."""

    def __init__(self, server: tuple[str, int]):
        self.server, self.swallows = server, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(self.server)
            threading.Thread(target=self.forward, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.forward, args=(server, client, True), daemon=True).start()

    def forward(self, source: socket.socket, target: socket.socket, are_answers: bool) -> None:
        try:
            while octets := source.recv(65_536):
                if are_answers and self.swallows:
                    self.swallows = False
                    break
                target.sendall(octets)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


# MARK: Bounds and figures


def test_dictionaries_past_the_bound_are_refused_and_so_is_what_needs_them(serve):
    server = serve("CREATE TABLE t (ts bigint NOT NULL, a text, b text); CREATE VIEW v AS SELECT ts, a, b, count(*) OVER (PARTITION BY a ORDER BY ts) AS n FROM t;")
    with server.connect() as connection:
        large = pa.array(["x" * 1_000_000 + str(number) for number in range(40)]).dictionary_encode()
        rows = pa.table({"ts": list(range(40)), "a": large, "b": large})
        with pytest.raises(millrace.TooLargeError):
            connection.compute("t", rows)
        small = pa.table({"ts": [100], "a": pa.array(["y"]).dictionary_encode(), "b": pa.array(["z"]).dictionary_encode()})
        assert connection.compute("t", small).to_pylist() == [{"ts": 100, "a": "y", "b": "z", "n": 1}]
        kept = status(connection, "kept_memory")
        assert kept < 64 << 20


def documented_entries() -> set[str]:
    """The names in the first columns of the tables of measurements."""
    names: set[str] = set()
    is_entries = False
    for line in (ROOT / "docs" / "operations.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            is_entries = False
        elif cells[0] == "entry":
            is_entries = True
        elif is_entries:
            names.update(part.strip("` ") for part in cells[0].split(",") if part.strip().startswith("`"))
    return names


EVERYTHING = f"""{PAYMENTS}
CREATE TABLE cards (card_id bigint PRIMARY KEY, holder text);
CREATE TABLE rates (ts timestamptz NOT NULL, card_id bigint NOT NULL, rate double precision);
CREATE VIEW joined AS
SELECT p.ts, p.card_id, c.holder, r.rate
FROM payments p LEFT JOIN cards c ON c.card_id = p.card_id
ASOF LEFT JOIN rates r ON r.card_id = p.card_id AND r.ts <= p.ts;
"""


# Told only after certain changes of definitions and failures, which tests of their own make.
SELDOM_TOLD = {"coverage", "coverage_rows", "coverage_resend", "coverage_partial", "snapshot_failed_at"}


def test_every_measurement_stands_in_the_handbook_and_nothing_else_does(serve, tmp_path):
    server = serve(EVERYTHING, "--cores", 2, "--data", tmp_path / "data", "--snapshot-interval", 1)
    with server.connect() as connection, connection.subscribe("card_hour"):
        for _ in range(3):
            connection.compute("payments", payments((0, 1, 1.0)), view="card_hour")
        with pytest.raises(millrace.DefinitionsError):
            connection.apply("CREATE VIEW v AS SELECT nothing FROM nowhere;")
        told: set[str] = set()
        deadline = time.monotonic() + 60
        while "snapshot_duration" not in told and time.monotonic() < deadline:
            time.sleep(0.05)
            told = {entry.name for entry in connection.status().entries}
    documented = documented_entries()
    assert told - documented == set(), "say in docs/operations.md what these mean"
    assert documented - told - SELDOM_TOLD == set(), "no server tells these"
    source = "".join(file.read_text() for file in (ROOT / "Sources" / "Runtime").rglob("StatusReport*.swift"))
    assert all(f'entry("{name}"' in source for name in SELDOM_TOLD), "no server tells these any more"


def test_latency_has_every_stage_and_percentile(serve):
    server = serve(PAYMENTS, "--cores", 2)
    with server.connect() as connection:
        for second in range(200):
            connection.compute("payments", payments((second / 60, second % 7, 1.0)))
        told = statuses(connection)
    for stage in ["sequenced", "computed", "durable", "sent", "total"]:
        values = [told[f"latency_{name}", stage] for name in ["p50", "p90", "p99", "p99.9", "max"]]
        assert values == sorted(values) and values[-1] < 10e6, (stage, values)
    assert told["latency_p50", "total"] > 0
