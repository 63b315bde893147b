"""State is a function of the sequence alone: the number of cores, and with it what each shard sweeps when, changes no bit
of an answer, not even the last one of a sum of doubles."""

from __future__ import annotations

import random

import pyarrow as pa
import pyarrow.ipc as ipc
import pytest

from running import run

# Keys come, go, are swept and come back; windows hold from one to hundreds of rows, bounded and not.
DEFINITIONS = """
CREATE TABLE sales (id bigint NOT NULL, ts timestamp NOT NULL, shop bigint NOT NULL, amount double precision)
  WITH (lateness = '1 second', idle_after = '1 hour');
CREATE VIEW totals AS
SELECT id, sum(amount) OVER short AS s1, avg(amount) OVER long AS a2, stddev_samp(amount) OVER long AS d2,
       var_pop(amount) OVER so_far AS v3, sum(amount) OVER so_far AS s3, sum(amount) OVER last_100 AS s4
FROM sales
WINDOW shop AS (PARTITION BY shop ORDER BY ts),
       short AS (shop RANGE BETWEEN INTERVAL '20 seconds' PRECEDING AND CURRENT ROW),
       long AS (shop RANGE BETWEEN INTERVAL '10 minutes' PRECEDING AND CURRENT ROW),
       so_far AS (shop RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
       last_100 AS (shop ROWS BETWEEN 99 PRECEDING AND CURRENT ROW);
CREATE VIEW recent AS
SELECT id, sum(amount) OVER w AS s5, avg(amount) OVER w AS a5 FROM sales
WINDOW w AS (PARTITION BY shop % 97 ORDER BY ts RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW);
"""


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    draw = random.Random(7)
    columns = {"id": [], "ts": [], "shop": [], "amount": []}
    moment = 1_700_000_000_000_000
    for number in range(60_000):
        # Bursts, pauses, and now and then a pause that is longer than any window.
        moment += draw.choice([1_000, 20_000, 400_000]) if number % 5_000 else 2 * 3_600_000_000
        late = draw.randrange(900_000) if draw.random() < 0.02 else 0
        busy = draw.random() < 0.5
        columns["id"].append(number)
        columns["ts"].append(moment - late)
        columns["shop"].append(draw.randrange(4) if busy else draw.randrange(3_000))
        columns["amount"].append(None if draw.random() < 0.02 else draw.lognormvariate(3, 2))
    schema = pa.schema([("id", pa.int64()), ("ts", pa.timestamp("us")), ("shop", pa.int64()), ("amount", pa.float64())])
    path = tmp_path_factory.mktemp("sales") / "sales.arrows"
    with ipc.new_stream(str(path), schema) as writer:
        writer.write_table(pa.table(columns, schema), max_chunksize=700)
    return path


@pytest.mark.parametrize("view", ["totals", "recent"])
def test_any_number_of_cores_answers_the_same_bytes(view, sales, tmp_path):
    definitions = tmp_path / "sales.sql"
    definitions.write_text(DEFINITIONS)
    answers = {}
    for cores in (1, 2, 3, 4):
        output = tmp_path / f"{cores}.arrows"
        run("replay", definitions, "--input", sales, "--view", view, "--cores", cores, "--output", output)
        answers[cores] = output.read_bytes()
    assert len(answers[1]) > 1_000_000
    assert [cores for cores in answers if answers[cores] != answers[1]] == []
