"""Numbered batches end to end: connections that are cut anywhere, and clients that send on; every count is exact."""

from __future__ import annotations

import millrace
import pyarrow as pa
import pytest
from millrace import _messages
from millrace._flatbuffers import decode, encode
from millrace._frames import Kind
from millrace._producer import Producer

from cutting_proxy import CuttingProxy
from definitions import PAYMENTS, payments
from running import run


def status(connection, name: str) -> float:
    return next(entry.value for entry in connection.status().entries if entry.name == name and not entry.label)


# MARK: Clients


@pytest.mark.parametrize("cores", [1, 2])
def test_python_sends_thousands_of_batches_over_connections_that_are_cut(serve, cores):
    server = serve(PAYMENTS, "--cores", cores)
    proxy = CuttingProxy(server.address, (2_000, 30_000), seed=cores)
    with millrace.connect(proxy.address) as connection:
        for number in range(1, 1_001):
            answer = connection.compute("payments", payments((number / 1_000, 1, 2.0)))
            assert answer.select(["payments_1h", "spent_1h"]).to_pylist() == [{"payments_1h": number, "spent_1h": 2.0 * number}]
        for number in range(200):
            assert connection.ingest("payments", payments((2, 2, 1.0), (2, 2, 1.0))) == (2, 0, 0)
        assert connection.get("card_hour", {"card_id": [1, 2]}, at=1_704_456_200_000_000)["payments_1h"].to_pylist() == [1_000, 400]
        assert proxy.cuts > 30
    with server.connect() as connection:
        assert status(connection, "resends_answered") > 0
        assert status(connection, "producers") == 2


def test_a_call_of_many_batches_goes_on_where_it_was(serve):
    """Several batches, more than any one connection carries."""
    server = serve(PAYMENTS, "--cores", 2)
    proxy = CuttingProxy(server.address, (7_000_000, 12_000_000), seed=3)
    rows = 300_000
    table = pa.concat_tables([payments((0, 7, 1.0))] * rows)
    with millrace.connect(proxy.address) as connection:
        answer = connection.compute("payments", table)
        assert answer["payments_1h"].to_pylist() == list(range(1, rows + 1))
        assert connection.ingest("payments", table) == (rows, 0, 0)
        assert connection.compute("payments", payments((0, 7, 1.0)))["payments_1h"].to_pylist() == [2 * rows + 1]
    assert proxy.cuts > 2


def test_what_is_refused_in_the_middle_leaves_its_number_to_the_next(serve):
    server = serve("CREATE TABLE t (ts bigint NOT NULL, n smallint NOT NULL); CREATE VIEW v AS SELECT ts, count(*) OVER (ORDER BY ts) AS seen FROM t;")
    with server.connect() as connection:
        for round in range(3):
            wide = pa.table({"ts": [0] * 200_000, "n": pa.array([1] * 100_000 + [70_000] + [1] * 99_999, pa.int64())})
            with pytest.raises(millrace.BadBatchError):
                connection.compute("t", wide)
            # The first batch of it was taken, the second was wrong, and those behind it had no effect.
            assert connection.compute("t", {"ts": [0], "n": [1]})["seen"].to_pylist() == [(round + 1) * 65_537]


def test_another_client_with_the_same_producer_takes_it_over(serve):
    server = serve(PAYMENTS)
    with server.connect(producer=12) as older:
        older.ingest("payments", payments((0, 1, 1.0)))
        with server.connect(producer=12) as newer:
            for _ in range(2):
                with pytest.raises(millrace.ProducerFencedError):
                    older.ingest("payments", payments((0, 1, 1.0)))
            assert newer.compute("payments", payments((0, 1, 1.0)))["payments_1h"].to_pylist() == [2]
            assert older.evaluate("payments", payments((0, 1, 1.0)))["payments_1h"].to_pylist() == [3]


def test_a_producer_of_a_process_goes_on_in_the_next(serve):
    server = serve(PAYMENTS)
    for number in range(1, 6):
        with server.connect(producer=2**64 - 1) as connection:
            assert connection.compute("payments", payments((0, 1, 1.0)))["payments_1h"].to_pylist() == [number]
            assert connection._connection.welcome["received_up_to"] == number - 1


def test_a_server_that_does_not_know_the_client_is_not_sent_what_it_may_have(serve, tmp_path):
    first, second = serve(PAYMENTS), serve(PAYMENTS)
    proxy = CuttingProxy(first.address, (4_000, 4_000), seed=1)
    with millrace.connect(proxy.address) as connection:
        unknown = 0
        for number in range(200):
            try:
                connection.ingest("payments", payments((0, 1, 1.0)))
            except millrace.ProducerUnknownError:
                unknown += 1
            if proxy.cuts:
                proxy.server = ("127.0.0.1", int(second.address.rpartition(":")[2]))
                proxy.life = (10**9, 10**9)
        assert unknown <= 1
        assert connection.compute("payments", payments((0, 1, 1.0)))["payments_1h"].to_pylist()[0] > 0
    counts = []
    for server in (first, second):
        with server.connect() as connection:
            counts.append(connection.evaluate("payments", payments((0, 1, 1.0)))["payments_1h"].to_pylist()[0] - 1)
    assert 201 - unknown <= sum(counts) <= 201


def test_send_loses_and_doubles_nothing_over_connections_that_are_cut(serve, tmp_path):
    server = serve(PAYMENTS, "--cores", 2)
    proxy = CuttingProxy(server.address, (10_000, 200_000), seed=9)
    rows = 20_000
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
    options = ["--connect", proxy.address, "--batch-rows", 100]
    run("send", "--input", f"payments={tmp_path}/rows.arrows", "--output", tmp_path / "vectors.arrows", *options)
    with pa.OSFile(str(tmp_path / "vectors.arrows")) as file:
        vectors = pa.ipc.open_stream(file).read_all()
    assert vectors["payments_1h"].to_pylist() == [number // 7 + 1 for number in range(rows)]
    assert proxy.cuts > 5
    run("send", "--input", f"payments={tmp_path}/rows.arrows", *options)
    with server.connect() as connection:
        assert status(connection, "resends_answered") > 0
        counts = connection.get("card_hour", {"card_id": list(range(7))}, at=1_704_456_001_000_000)["payments_1h"].to_pylist()
        assert sum(counts) == 2 * rows


# MARK: The protocol, by hand


def test_a_batch_that_is_sent_twice_is_answered_by_the_same_bytes(serve):
    server = serve(PAYMENTS, "--cores", 2)
    answers = []
    for sent in (0, 1):
        producer = Producer(77)
        producer.sent = sent
        with server.connect(producer=False) as plain:
            connection = type(plain._connection)(server.address, token=None, timeout=30, name="by hand", producer=producer)
        assert connection.welcome["received_up_to"] == sent
        connection.request(Kind.OPEN, encode(_messages.OPEN, {"mode": 0, "table": "payments", "views": ["card_hour"]}), channel=1)
        for _ in range(2):
            connection.receive()
        batch = payments((0, 1, 1.0))
        connection.announce(Kind.SCHEMA, batch.schema.serialize(), channel=1)
        header, body = connection.request(Kind.COMPUTE, batch.to_batches()[0].serialize(), channel=1, batch_number=1)
        assert header.kind == Kind.RESULT and header.batch_number == 1
        answers.append((header.sequence, header.definitions, body))
        with pytest.raises(millrace.ServerError) as gap:
            connection.request(Kind.INGEST, batch.to_batches()[0].serialize(), channel=1, batch_number=5)
        assert gap.value.code == "batch_gap" and "batch 5 came where batch 2 is expected" in str(gap.value)
        connection.close()
    assert answers[0] == answers[1]


# MARK: The producer's numbers


def test_a_producer_numbers_what_was_not_answered_as_before():
    producer = Producer(5)
    producer.welcomed(0)
    producer.begin()
    for number in (1, 2, 3):
        producer.sends(number)
    producer.answered()
    producer.welcomed(2)
    assert (producer.confirmed, producer.sent) == (1, 2)
    producer.answered()
    producer.end()
    # Nobody waits for the rest, and the third was never applied.
    assert producer.confirmed == 2


def test_a_producer_goes_on_behind_what_was_applied_though_nobody_waited():
    producer = Producer(5)
    producer.welcomed(0)
    producer.begin()
    for number in (1, 2, 3):
        producer.sends(number)
    producer.end()
    producer.welcomed(2)
    assert producer.confirmed == 2


def test_a_producer_tells_its_loss_only_where_there_may_be_one():
    error = millrace.ProducerUnknownError("producer_unknown", "who?")
    producer = Producer(5)
    producer.welcomed(0)
    producer.begin()
    producer.sends(1)
    producer.answered()
    producer.said_goodbye()
    producer.forgotten(error)
    producer.check()
    producer.welcomed(0)
    producer.sends(1)
    producer.forgotten(error)
    with pytest.raises(millrace.ProducerUnknownError):
        producer.check()
    assert producer.sent == 0


def test_a_producer_that_another_client_uses_is_noticed():
    producer = Producer(5)
    producer.welcomed(0)
    producer.begin()
    producer.sends(1)
    with pytest.raises(millrace.ProducerFencedError):
        producer.welcomed(4)


def test_goodbye_is_a_table():
    assert decode(_messages.GOODBYE, encode(_messages.GOODBYE, {"reason": "done"})) == {"reason": "done"}
