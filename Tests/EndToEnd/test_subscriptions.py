"""Subscriptions from Python: rows chosen, places to resume from, gaps, events that leave windows."""

from __future__ import annotations

import datetime
import threading
import warnings

import pytest

import millrace
from definitions import PAYMENTS, payments
from running import run


@pytest.fixture
def server(serve):
    with serve(PAYMENTS).connect() as server:
        yield server


def take(subscription: millrace.Subscription, count: int) -> list[dict]:
    rows = []
    while len(rows) < count:
        rows += next(subscription).to_pylist()
    return rows


PREDICATES = {
    "payments_1h > 2": lambda row: row["payments_1h"] > 2,
    "card_id IN (1, 3) AND spent_1h < 40": lambda row: row["card_id"] in (1, 3) and row["spent_1h"] is not None and row["spent_1h"] < 40,
    "spent_1h IS NULL OR payments_1h % 3 = 0": lambda row: row["spent_1h"] is None or row["payments_1h"] % 3 == 0,
}


def test_predicates_choose_the_rows_that_the_same_filter_here_would(server):
    followed = [server.subscribe("card_hour", text, timeout=30) for text in PREDICATES for _ in range(3)]
    everything = server.subscribe("card_hour", timeout=30)
    for number in range(20):
        server.ingest("payments", payments(*((number, (number * 7 + row) % 5, None if row % 4 == 0 else float(row)) for row in range(10))))
    rows = take(everything, 200)
    for index, subscription in enumerate(followed):
        wanted = [row for row in rows if PREDICATES[list(PREDICATES)[index // 3]](row)]
        assert 0 < len(wanted) < 200
        assert take(subscription, len(wanted)) == wanted


def test_keys_choose_rows(server):
    with server.subscribe("card_hour", keys={"card_id": [2, 4]}, timeout=30) as subscription:
        assert subscription.key_columns == ["card_id"] and subscription.on_full == "conflate"
        server.ingest("payments", payments(*((row, row % 6, 1.0) for row in range(60))))
        assert [row["card_id"] for row in take(subscription, 20)] == [2, 4] * 10


def test_a_wrong_predicate_is_shown_where_it_is_wrong(server):
    with pytest.raises(millrace.ServerError, match=r"where:1:1: error: .*\n.*payment_1h > 2\n.*\^+"):
        server.subscribe("card_hour", "payment_1h > 2")
    with pytest.raises(millrace.ServerError, match="window"):
        server.subscribe("card_hour", "count(*) OVER () > 2")
    with pytest.raises(ValueError, match="conflate"):
        server.subscribe("card_hour", on_full="ignore")


def test_a_subscription_goes_on_from_any_place(server):
    with server.subscribe("card_hour", timeout=30) as first:
        for number in range(10):
            server.ingest("payments", payments(*((number, card, 1.0) for card in range(5))))
        rows, places = [], [first.place]
        while len(rows) < 50:
            rows += next(first).to_pylist()
            places.append(first.place)
        for index, place in enumerate(places[:-1]):
            with server.subscribe("card_hour", since=place, timeout=30) as again:
                assert take(again, 50 - 5 * index) == rows[5 * index :]
        with server.subscribe("card_hour", since=(places[3][0], 2), timeout=30) as again:
            assert take(again, 3)[0] == rows[12]


def test_a_subscription_comes_back_to_a_server_that_lost_its_state_and_says_so(serve, tmp_path):
    address = f"unix:{tmp_path}/server.sock"
    gaps: list[millrace.Gap] = []
    running = serve(PAYMENTS, address=address)
    server = running.connect()
    subscription = server.subscribe("card_hour", on_gap=gaps.append, timeout=30)
    server.ingest("payments", payments((0, 1, 1.0)))
    assert take(subscription, 1)[0]["card_id"] == 1
    running.__exit__(None)
    serve(PAYMENTS, address=address)
    received: list[dict] = []
    reader = threading.Thread(target=lambda: received.extend(take(subscription, 1)), daemon=True)
    reader.start()
    with millrace.connect(address) as again:
        for number in range(600):
            again.ingest("payments", payments((number / 60, 2, 1.0)))
            reader.join(timeout=0.05)
            if not reader.is_alive():
                break
    assert received and received[0]["card_id"] == 2
    assert [gap.cause for gap in gaps] == ["gone"]


def test_what_is_no_longer_kept_is_a_warning(server):
    server.ingest("payments", payments((0, 1, 1.0)))
    server.ingest("payments", payments((1, 1, 1.0)))
    with server.subscribe("card_hour", since=1, timeout=30) as subscription:
        server.ingest("payments", payments((2, 1, 1.0)))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert take(subscription, 1)[0]["payments_1h"] == 3
        assert [warning.category for warning in caught] == [millrace.GapWarning]


def test_a_counter_that_falls_back_to_zero_is_told(server):
    with server.subscribe("card_hour", "payments_1h > 1", notify=0.05, timeout=30) as subscription:
        now = datetime.datetime.now(datetime.timezone.utc)
        soon_over = now - datetime.timedelta(hours=1) + datetime.timedelta(seconds=1.5)
        rows = payments((0, 1, 2.0), (0, 1, 3.0)).set_column(0, "ts", [[soon_over, soon_over]])
        server.ingest("payments", rows)
        assert [row["payments_1h"] for row in next(subscription).to_pylist()] == [2]
        assert not subscription.eventless
        (fallen,) = next(subscription).to_pylist()
        assert fallen.pop("ts") >= soon_over + datetime.timedelta(hours=1)
        assert fallen == {"card_id": 1, "payments_1h": 0, "spent_1h": None}
        assert subscription.eventless


@pytest.mark.parametrize("arguments, words", [
    (["--where", "payment_1h > 2"], ["where:1:1", "payments_1h"]),
    (["--key", "card=3"], ["card_id"]),
    (["--key", "card_id=x"], ["bigint"]),
    (["--from", "x"], ["--from"]),
    (["--on-full", "wait"], ["--on-full"]),
    (["--notify", "5"], ["--notify"]),
])
def test_the_command_says_what_is_wrong(serve, arguments, words):
    done = run("subscribe", "card_hour", "--connect", serve(PAYMENTS).address, *arguments, check=False)
    assert done.returncode != 0
    for word in words:
        assert word in done.stderr.decode()
