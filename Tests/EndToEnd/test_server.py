"""The server as a process: where it listens, what it survives, how it ends."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

import millrace
import pytest
from millrace import _frames

from definitions import PAYMENTS, at, payments
from paths import BINARY
from running import free_port, run

HEADER_BYTES = 64


def address_of(server) -> tuple[str, int]:
    host, _, port = server.address.rpartition(":")
    return host, int(port)


def works(server) -> bool:
    with server.connect() as connected:
        return connected.evaluate("payments", payments((1, 999, 1.0)))["payments_1h"].to_pylist() == [1]


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_a_unix_socket_serves_like_a_port(serve, tmp_path, cores):
    path = tmp_path / "millrace.sock"
    server = serve(PAYMENTS, "--cores", cores, address=f"unix:{path}")
    connections = [server.connect() for _ in range(8)]
    for number, connection in enumerate(connections, 1):
        assert connection.compute("payments", payments((0, 1, 1.0)))["payments_1h"].to_pylist() == [number]
        connection.close()


def test_a_server_listens_at_several_addresses(serve, tmp_path):
    port, path = free_port(), tmp_path / "second.sock"
    serve(PAYMENTS, "--listen", f"unix:{path}", address=f"127.0.0.1:{port}")
    with millrace.connect(f"unix:{path}") as first, millrace.connect(f"127.0.0.1:{port}") as second:
        first.ingest("payments", payments((0, 1, 1.0)))
        assert second.compute("payments", payments((1, 1, 1.0)))["payments_1h"].to_pylist() == [2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0_and_unlinks_its_socket(serve, tmp_path, number):
    path = tmp_path / "millrace.sock"
    server = serve(PAYMENTS, address=f"unix:{path}")
    with server.connect() as connection:
        connection.ingest("payments", payments((0, 1, 1.0)))
        server.process.send_signal(number)
        assert server.process.wait(timeout=20) == 0, server.log_text()
    assert not path.exists()


def test_batches_that_arrived_before_the_signal_are_answered(serve):
    """Drains: what was sent before SIGTERM gets its answer, then the connection ends."""
    server = serve(PAYMENTS, "--cores", 2)
    connection = server.connect(producer=False)  # What it sends by hand has no numbers.
    batch = payments(*((second / 60, second % 50, 1.0) for second in range(20_000)))
    connection.compute("payments", batch)
    channel = next(iter(connection._channels.values()))
    ids = [connection._connection.next_request_id() for _ in range(8)]
    for request_id in ids:
        message = batch.combine_chunks().to_batches()[0].serialize()
        connection._connection.send(
            _frames.encode(_frames.Kind.COMPUTE, message, channel=channel.number, request_id=request_id)
        )
    time.sleep(0.5)
    server.process.send_signal(signal.SIGTERM)
    answered = []
    with pytest.raises((millrace.ConnectionClosed, millrace.ShuttingDownError)):
        while True:
            header, _ = connection._connection.receive()
            answered.append(header.request_id)
    assert answered == ids
    assert server.process.wait(timeout=20) == 0


def test_it_starts_in_milliseconds(tmp_path):
    (tmp_path / "definitions.sql").write_text(PAYMENTS)
    durations = []
    for attempt in range(5):
        path = tmp_path / f"{attempt}.sock"
        started = time.monotonic()
        process = subprocess.Popen([BINARY, "serve", tmp_path / "definitions.sql", "--listen", f"unix:{path}"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        millrace.connect(f"unix:{path}", wait=20).close()
        durations.append(time.monotonic() - started)
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert min(durations) < 0.5, durations


@pytest.mark.parametrize("cores", [1, 2])
def test_memory_can_be_taken_before_the_first_event(serve, tmp_path, cores):
    def resident(*options) -> int:
        server = serve(PAYMENTS, "--cores", cores, "--memory", "256M", *options)
        assert works(server)
        pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    assert resident("--preallocate", "128M") - resident() > 120 << 20
    (tmp_path / "payments.sql").write_text(PAYMENTS)
    done = run("serve", tmp_path / "payments.sql", "--memory", "64M", "--preallocate", "65M", check=False)
    assert done.returncode != 0 and b"--preallocate 65M is more than --memory 64M allows" in done.stderr


def test_the_binary_is_small_and_stands_alone():
    assert BINARY.stat().st_size <= 25 * 1024 * 1024
    needed = subprocess.run(["ldd", BINARY], capture_output=True, text=True).stdout
    assert "libswift" not in needed and "libpg_query" not in needed, needed


# MARK: The outside world


def garbage() -> list[bytes]:
    generator = random.Random(20_240_101)
    hello = b"".join(map(bytes, _frames.encode(_frames.Kind.HELLO, b"not a table at all")))
    huge = bytearray(_frames.encode(_frames.Kind.HELLO, b"")[0])
    huge[8:12] = b"\xff\xff\xff\x7f"
    return [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(120),
        bytes(64),
        bytes(1 << 20),
        hello,
        bytes(huge) + bytes(1000),
        *(generator.randbytes(generator.randrange(1, 4_000)) for _ in range(200)),
    ]


def test_garbage_on_the_port_costs_its_sender_the_connection_and_nobody_else(serve):
    server = serve(PAYMENTS, "--cores", 2)
    with server.connect() as bystander:
        bystander.ingest("payments", payments((0, 1, 1.0)))
        for octets in garbage():
            with socket.create_connection(address_of(server), timeout=10) as intruder:
                try:
                    intruder.sendall(octets)
                    intruder.shutdown(socket.SHUT_WR)
                    while intruder.recv(65_536):
                        pass
                except (ConnectionResetError, BrokenPipeError):
                    pass
        assert bystander.evaluate("payments", payments((1, 1, 1.0)))["payments_1h"].to_pylist() == [2]
    assert works(server)


def test_damaged_batches_cost_their_sender_an_error_and_touch_nothing(serve):
    server = serve(PAYMENTS)
    message = payments(*((0, card, 1.0) for card in range(20))).combine_chunks().to_batches()[0].serialize().to_pybytes()
    generator = random.Random(7)
    refused = 0
    for _ in range(300):
        octets = bytearray(message)
        for _ in range(generator.randrange(1, 6)):
            octets[generator.randrange(len(octets))] = generator.randrange(256)
        octets = octets[: generator.choice([len(octets), generator.randrange(1, len(octets))])]
        with server.connect() as connection:
            channel = connection._open("payments", (), payments((0, 1, 1.0)).schema)
            frame = _frames.encode(_frames.Kind.EVALUATE, bytes(octets), channel=channel.number, request_id=99)
            connection._connection.send(frame)
            try:
                connection._connection.receive()
            except (millrace.ServerError, millrace.ConnectionClosed):
                refused += 1
    assert refused > 50
    assert works(server)


def test_a_connection_that_stops_reading_stops_nobody_else(serve):
    server = serve(PAYMENTS, "--cores", 2)
    sluggish = server.connect()
    rows = payments(*((0, card, 1.0) for card in range(2_000)))
    channel = sluggish._open("payments", (), rows.schema)
    message = rows.combine_chunks().to_batches()[0].serialize()
    sluggish._connection._socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        for request_id in range(100_000):
            for part in _frames.encode(_frames.Kind.EVALUATE, message, channel=channel.number, request_id=1_000 + request_id):
                sluggish._connection._socket.sendall(part)
    assert works(server)
    sluggish.close()
    assert works(server)


def test_a_hundred_connections_come_and_go(serve):
    server = serve(PAYMENTS, "--cores", 2)
    connections = [server.connect() for _ in range(100)]
    for connection in connections:
        connection.ingest("payments", payments((0, 1, 1.0)))
    descriptors = len(os.listdir(f"/proc/{server.process.pid}/fd"))
    for connection in connections:
        connection.close()
    with server.connect() as connection:
        assert connection.get("card_hour", {"card_id": [1]}, at=at(0))["payments_1h"].to_pylist() == [100]
    deadline = time.monotonic() + 10
    while len(os.listdir(f"/proc/{server.process.pid}/fd")) > descriptors - 90:
        assert time.monotonic() < deadline, "descriptors of closed connections stay open"
        time.sleep(0.05)


# MARK: Starting wrongly


def test_an_address_in_use_is_said(serve, tmp_path):
    server = serve(PAYMENTS)
    (tmp_path / "again.sql").write_text(PAYMENTS)
    done = run("serve", tmp_path / "again.sql", "--listen", f"unix:{tmp_path}/none/such.sock", check=False)
    assert done.returncode != 0 and b"such.sock" in done.stderr
    assert works(server)


def test_wrong_definitions_do_not_start_a_server(tmp_path):
    (tmp_path / "wrong.sql").write_text(PAYMENTS.replace("sum(amount)", "sum(amout)"))
    done = run("serve", tmp_path / "wrong.sql", "--listen", f"127.0.0.1:{free_port()}", check=False)
    assert done.returncode == 1
    assert b"wrong.sql:11:" in done.stderr and b"amount" in done.stderr


@pytest.mark.parametrize("cores", [1, 2])
def test_a_server_without_descriptors_turns_clients_away_and_goes_on(serve, cores):
    server = serve(PAYMENTS, "--cores", cores, descriptors_max=64)
    with server.connect() as first:
        waiting = [socket.create_connection(address_of(server)) for _ in range(150)]
        try:
            # Those that found no descriptor are told at once, by the end of their connection.
            deadline = time.monotonic() + 20
            ended = 0
            while ended < 80 and time.monotonic() < deadline:
                ended = sum(has_ended(client) for client in waiting)
            assert ended >= 80, ended
            first.ingest("payments", payments((0, 1, 1.0)))
            assert entry(first, "connections_turned_away") >= 80
        finally:
            for client in waiting:
                client.close()
        deadline = time.monotonic() + 20
        while entry(first, "connections") > 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        with server.connect() as second:
            assert second.compute("payments", payments((1, 1, 1.0)))["payments_1h"].to_pylist() == [2]
        # It does not run hot over what it had to refuse.
        before = processor_seconds(server.process.pid)
        time.sleep(1)
        assert processor_seconds(server.process.pid) - before < 0.5


def entry(connection, name: str) -> float:
    return next(entry.value for entry in connection.status().entries if entry.name == name)


def has_ended(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_a_look_up_before_the_lateness_bound_is_an_error(serve, cores):
    server = serve(PAYMENTS, "--cores", cores)
    with server.connect() as connection:
        connection.ingest("payments", payments((0, 1, 1.0), (100, 1, 2.0)))
        assert connection.get("card_hour", {"card_id": [1]}, at=at(99)).to_pylist()[0]["payments_1h"] == 0
        with pytest.raises(millrace.MillraceError, match="before what is still kept"):
            connection.get("card_hour", {"card_id": [1]}, at=at(98.9))
