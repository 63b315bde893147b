"""What the calls of a client mean: compute, ingest, evaluate, get, subscribe, status."""

from __future__ import annotations

import threading

import millrace
import pyarrow as pa
import pytest

from definitions import PAYMENTS, SECOND_VIEW, at, payments


@pytest.fixture(params=[1, 2])
def server(serve, request):
    with serve(PAYMENTS, "--cores", request.param).connect() as connected:
        yield connected


def counts(table: pa.Table) -> list:
    return table["payments_1h"].to_pylist()


def test_compute_answers_each_row_with_the_vector_from_then_on(server):
    vectors = server.compute("payments", payments((0, 1, 10.0), (1, 2, 5.0), (2, 1, 2.5), (61, 1, 1.0)))
    assert vectors.schema.names == ["ts", "card_id", "payments_1h", "spent_1h"]
    assert vectors["card_id"].to_pylist() == [1, 2, 1, 1]
    assert counts(vectors) == [1, 1, 2, 2]
    assert vectors["spent_1h"].to_pylist() == [10.0, 5.0, 12.5, 3.5]


def test_a_frame_reaches_back_to_the_microsecond_of_its_bound(server):
    server.ingest("payments", payments((0, 1, 1.0)))
    assert counts(server.evaluate("payments", payments((60, 1, 1.0)))) == [2]
    late_by_a_microsecond = payments((60 + 1 / 60_000_000, 1, 1.0))
    assert counts(server.evaluate("payments", late_by_a_microsecond)) == [1]


def test_ingest_counts_what_became_of_the_rows(server):
    assert server.ingest("payments", payments((0, 1, 1.0), (10, 1, 1.0))) == millrace.Accepted(2, 0, 0)
    assert server.ingest("payments", payments((0, 1, 1.0), (9.5, 1, 1.0))).late == 1


def test_evaluate_keeps_nothing(server):
    row = payments((0, 1, 10.0))
    assert counts(server.evaluate("payments", row)) == [1]
    assert counts(server.evaluate("payments", row)) == [1]
    assert counts(server.compute("payments", row)) == [1]
    assert counts(server.evaluate("payments", row)) == [2]


def test_get_reads_keys_without_an_event(server):
    server.ingest("payments", payments((0, 1, 10.0), (1, 2, 5.0), (2, 1, 2.5)))
    rows = server.get("card_hour", {"card_id": [2, 1, 3]}, at=at(3))
    assert counts(rows) == [1, 2, 0]
    assert rows["spent_1h"].to_pylist() == [5.0, 12.5, None]
    assert counts(server.get("card_hour", {"card_id": [1]}, at=at(61))) == [1]


def test_a_late_row_takes_its_place_and_one_beyond_the_bound_is_told(server):
    server.ingest("payments", payments((0, 1, 1.0), (10, 1, 2.0)))
    inserted = server.compute("payments", payments((9.5, 1, 4.0)), with_status=True)
    assert (counts(inserted), inserted["millrace_status"].to_pylist()) == ([2], [millrace.OK])
    beyond = server.compute("payments", payments((8.5, 1, 8.0), (10.5, 1, 16.0)), with_status=True)
    assert beyond["millrace_status"].to_pylist() == [millrace.LATE, millrace.OK]
    assert beyond["spent_1h"].to_pylist() == [None, 23.0]
    assert beyond["millrace_row"].to_pylist() == [0, 1]


def test_a_row_far_ahead_of_the_clock_touches_nothing(server):
    far = server.compute("payments", payments((60 * 24 * 365 * 50, 1, 1.0)), with_status=True)
    assert far["millrace_status"].to_pylist() == [millrace.REFUSED]
    assert counts(server.compute("payments", payments((0, 1, 1.0)))) == [1]


def test_many_rows_are_cut_into_batches_and_come_back_whole(server):
    rows = payments(*((second / 60, second % 7, 1.0) for second in range(150_000)))
    vectors = server.compute("payments", rows, with_status=True)
    assert vectors["millrace_row"].to_pylist() == list(range(150_000))
    assert vectors["ts"].equals(rows["ts"])
    assert counts(vectors)[-1] == len([second for second in range(150_000 - 3_601, 150_000) if second % 7 == 149_999 % 7])


def test_columns_are_matched_by_name_and_a_nullable_one_may_be_missing(server):
    rows = payments((0, 1, 10.0)).select(["merchant", "card_id", "ts"]).append_column("note", pa.array(["ignored"]))
    assert server.compute("payments", rows)["spent_1h"].to_pylist() == [None]
    for _ in range(2):
        with pytest.raises(millrace.BadSchemaError, match="card_id"):
            server.compute("payments", payments((0, 1, 10.0)).drop_columns("card_id"))
    assert counts(server.compute("payments", payments((1, 1, 1.0)))) == [2]


def test_dictionaries_narrow_integers_and_coarse_timestamps_are_taken(server):
    rows = payments((0, 1, 1.0, "a"), (1, 1, 2.0, "b"), (2, 1, 4.0, "a"))
    rows = rows.set_column(0, "ts", rows["ts"].cast(pa.timestamp("s", "UTC")))
    rows = rows.set_column(1, "card_id", rows["card_id"].cast(pa.int16()))
    rows = rows.set_column(3, "merchant", rows["merchant"].dictionary_encode())
    assert server.compute("payments", rows)["spent_1h"].to_pylist() == [1.0, 3.0, 7.0]


@pytest.mark.parametrize("shape", [lambda t: t.to_pydict(), lambda t: t.to_pylist(), lambda t: t.to_batches()[0]])
def test_whatever_holds_columns_is_taken(server, shape):
    assert counts(server.compute("payments", shape(payments((0, 1, 1.0), (1, 1, 1.0))))) == [1, 2]


def test_errors_are_typed_and_carry_the_servers_words(server):
    with pytest.raises(millrace.UnknownTableError, match="payment"):
        server.compute("paymets", payments((0, 1, 1.0)))
    with pytest.raises(millrace.UnknownViewError, match="card_hour"):
        server.compute("payments", payments((0, 1, 1.0)), view="card_our")
    assert counts(server.compute("payments", payments((0, 1, 1.0)))) == [1]


def test_several_views_have_to_be_told_apart(serve):
    with serve(PAYMENTS + SECOND_VIEW).connect() as server:
        row = payments((0, 1, 1.0))
        with pytest.raises(millrace.MillraceError, match="card_hour.*merchant_day"):
            server.evaluate("payments", row)
        assert server.compute("payments", row, view="merchant_day")["payments_1d"].to_pylist() == [1]
        answers = server.compute_all("payments", row)
        assert {name: table.num_rows for name, table in answers.items()} == {"card_hour": 1, "merchant_day": 1}


def test_a_subscription_sees_every_row_whoever_sends_it(server):
    with server.subscribe("card_hour", timeout=20) as subscription:
        assert subscription.schema.names == ["ts", "card_id", "payments_1h", "spent_1h"]
        server.compute("payments", payments((0, 1, 1.0)))
        server.ingest("payments", payments((1, 1, 2.0), (2, 2, 4.0)))
        server.evaluate("payments", payments((3, 9, 4.0)))
        rows = []
        while len(rows) < 3:
            rows += next(subscription).to_pylist()
        assert [(row["card_id"], row["spent_1h"]) for row in rows] == [(1, 1.0), (1, 3.0), (2, 4.0)]
        place = subscription.sequence
        server.compute("payments", payments((4, 5, 1.0)))
        assert next(subscription)["card_id"].to_pylist() == [5]
        assert subscription.sequence > place


def test_connections_share_one_sequence(serve):
    running = serve(PAYMENTS, "--cores", 2)
    rows_each, senders = 400, 4

    def send(card_offset: int) -> None:
        with running.connect() as server:
            for row in range(rows_each):
                server.ingest("payments", payments((0, 1, 1.0), (0, card_offset, 1.0)))

    threads = [threading.Thread(target=send, args=(100 + sender,)) for sender in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with running.connect() as server:
        rows = server.get("card_hour", {"card_id": [1, *range(100, 100 + senders)]}, at=at(0))
        assert counts(rows) == [rows_each * senders, *[rows_each] * senders]


def test_status_says_what_happened(server):
    server.compute("payments", payments((0, 1, 1.0), (1, 1, 1.0)))
    status = server.status()
    assert status.server_version == server.version
    entries = {(entry.name, entry.label): entry.value for entry in status.entries}
    assert entries["rows", "compute"] == 2
    assert entries["batches", "compute"] == 1
    assert entries["keys", ""] == 1
    assert 0 < entries["memory_used", ""] <= entries["memory_bound", ""]
