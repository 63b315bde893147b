"""Servers with a data directory that are killed at any moment, and clients that go on as if nothing had happened."""

from __future__ import annotations

import threading
import time

import millrace
import pyarrow as pa
import pytest
from millrace import _messages
from millrace._connection import Connection
from millrace._flatbuffers import encode
from millrace._frames import Kind
from millrace._producer import Producer

from definitions import PAYMENTS, SECOND_VIEW, payments
from running import RunningServer, free_port, run


class Killed:
    """A server at one address over one data directory that is killed and started again; in the end it is stopped."""

    def __init__(self, folder, *options, sql: str = PAYMENTS):
        self.folder, self.options = folder, options
        self.address = f"127.0.0.1:{free_port()}"
        self.path = folder / "definitions.sql"
        self.path.write_text(sql)
        self.server = self.start()

    def start(self, cores: int = 2) -> RunningServer:
        server = RunningServer(
            self.path, "--data", self.folder / "data", "--cores", cores, *self.options, address=self.address, folder=self.folder)
        return server.__enter__()

    def kill(self, cores: int = 2) -> None:
        self.server.process.kill()
        self.server.process.wait()
        self.server = self.start(cores)

    def __enter__(self) -> "Killed":
        return self

    def __exit__(self, kind, *rest) -> None:
        self.server.__exit__(kind, *rest)


@pytest.mark.parametrize("durability", ["synced", "written"])
def test_clients_send_on_while_their_server_is_killed_again_and_again(tmp_path, durability):
    """Each client counts its own card: from 1 on, one by one, over all the lives of the server."""
    failures: list[BaseException] = []
    counts: list[list[int]] = [[] for _ in range(4)]
    is_done = threading.Event()

    def work(number: int, address: str) -> None:
        try:
            with millrace.connect(address, reconnect=60) as connection:
                while not is_done.is_set():
                    answer = connection.compute("payments", payments((0, number, 1.0)))
                    counts[number] += answer["payments_1h"].to_pylist()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    with Killed(tmp_path, "--durability", durability) as killed:
        threads = [threading.Thread(target=work, args=(number, killed.address)) for number in range(4)]
        for thread in threads:
            thread.start()
        for life in range(6):
            time.sleep(0.3 + life * 0.1)
            killed.kill(cores=1 + life % 3)
        time.sleep(0.5)
        is_done.set()
        for thread in threads:
            thread.join(timeout=90)
        assert not failures, failures
        for number, found in enumerate(counts):
            assert found == list(range(1, len(found) + 1)), number
        assert min(map(len, counts)) > 6
        with killed.server.connect() as connection:
            last = connection.evaluate("payments", payments(*((0, number, 1.0) for number in range(4))))
            assert last["payments_1h"].to_pylist() == [len(found) + 1 for found in counts]


def test_send_goes_on_when_the_server_is_killed_in_the_middle(tmp_path):
    rows = 40_000
    table = pa.table(
        {
            "ts": pa.array(range(1_704_456_000_000_000, 1_704_456_000_000_000 + rows), pa.timestamp("us", "UTC")),
            "card_id": pa.array([number % 7 for number in range(rows)], pa.int64()),
            "amount": pa.array([1.0] * rows),
            "merchant": pa.array(["m"] * rows),
        }
    )
    with pa.OSFile(str(tmp_path / "rows.arrows"), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    with Killed(tmp_path) as killed:
        done = []
        sending = threading.Thread(
            target=lambda: done.append(
                run("send", "--input", f"payments={tmp_path}/rows.arrows", "--output", tmp_path / "vectors.arrows", "--connect",
                    killed.address, "--batch-rows", 20)))
        sending.start()
        kills = 0
        while sending.is_alive() and kills < 5:
            time.sleep(0.4)
            killed.kill()
            kills += 1
        sending.join(timeout=120)
        assert done and kills > 0
        with pa.OSFile(str(tmp_path / "vectors.arrows")) as file:
            vectors = pa.ipc.open_stream(file).read_all()
        assert vectors["payments_1h"].to_pylist() == [number // 7 + 1 for number in range(rows)]


class ByHand:
    """A producer that numbers for itself, and looks at the bytes."""

    def __init__(self, address: str, sent: int, views: list[str]):
        producer = Producer(77)
        producer.sent = sent
        self.connection = Connection(address, token=None, timeout=30, name="by hand", producer=producer)
        self.connection.request(Kind.OPEN, encode(_messages.OPEN, {"mode": 0, "table": "payments", "views": views}), channel=1)
        for _ in range(max(1, len(views)) + 1):
            self.connection.receive()
        self.batch = payments((0, 1, 1.0), (1, 2, 2.0))
        self.connection.announce(Kind.SCHEMA, self.batch.schema.serialize(), channel=1)

    def send(self, number: int) -> list:
        kind = Kind.INGEST if number % 3 == 0 else Kind.COMPUTE
        header, body = self.connection.request(kind, self.batch.to_batches()[0].serialize(), channel=1, batch_number=number)
        answer = [(header.kind, header.sequence, header.definitions, header.batch_number, body)]
        while not header.is_last:
            header, body = self.connection.receive()
            answer.append((header.kind, header.sequence, header.definitions, header.batch_number, body))
        return answer


@pytest.mark.parametrize("views", [["card_hour"], ["merchant_day", "card_hour"]])
def test_answers_are_given_again_by_the_same_bytes_after_a_kill(tmp_path, views):
    with Killed(tmp_path, sql=PAYMENTS + SECOND_VIEW) as killed:
        first = ByHand(killed.address, 0, views)
        answers = {number: first.send(number) for number in range(1, 8)}
        killed.kill(cores=3)
        again = ByHand(killed.address, 7, views)
        assert again.connection.welcome["received_up_to"] == 7
        assert {number: again.send(number) for number in range(1, 8)} == answers
        with pytest.raises(millrace.ServerError) as gap:
            again.send(9)
        assert gap.value.code == "batch_gap"
        assert again.send(8)[0][1] > answers[7][0][1]


def test_a_producer_whose_first_batches_were_lost_with_the_server_is_known_to_have_none(tmp_path):
    with Killed(tmp_path) as killed:
        connection = ByHand(killed.address, 3, ["card_hour"]).connection
        assert connection.welcome["received_up_to"] == 0


def test_subscribers_see_every_row_once_or_are_told_that_it_is_gone(tmp_path):
    rows: list[int] = []
    gaps: list[millrace.Gap] = []
    ready, failures = threading.Event(), []

    def follow(address: str) -> None:
        try:
            with millrace.connect(address, producer=False) as connection:
                subscription = connection.subscribe("card_hour", on_gap=gaps.append, timeout=60, reconnect=60, on_full="drop")
                ready.set()
                for batch in subscription:
                    rows.extend(batch["payments_1h"].to_pylist())
                    if rows[-1] >= 1_000_000:
                        return
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    with Killed(tmp_path) as killed, millrace.connect(killed.address, reconnect=60) as connection:
        follower = threading.Thread(target=follow, args=(killed.address,), daemon=True)
        follower.start()
        assert ready.wait(20)
        sent = 0
        for life in range(3):
            for _ in range(30):
                sent += 1
                assert connection.compute("payments", payments((0, 1, 1.0)))["payments_1h"].to_pylist() == [sent]
            time.sleep(0.3)
            killed.kill(cores=1 + life)
            # Sent before the subscriber is back.
            connection.compute("payments", payments((0, 1, 1.0)))
            sent += 1
            time.sleep(1)
        ends = connection.status().entries
        assert next(entry.value for entry in ends if entry.name == "sequence") >= sent
        deadline = time.monotonic() + 60
        while rows[-1] < sent and time.monotonic() < deadline:
            sent += 1
            connection.compute("payments", payments((0, 1, 1.0)))
            time.sleep(0.05)
        assert rows[-1] >= sent - 1 and not failures, (rows[-5:], sent, failures)
        # What it saw is in order and not twice; what it did not see is in a gap that it was told of.
        assert rows == sorted(set(rows))
        missing = len(set(range(1, rows[-1] + 1)) - set(rows))
        told = [gap for gap in gaps if gap.cause == "gone"]
        assert missing == 0 or told, (missing, gaps)
        assert all(gap.rows == 0 for gap in told) and len(told) <= 3
        killed.server.process.terminate()

