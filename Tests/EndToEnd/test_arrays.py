"""array_agg: an Arrow list from every command, in both formats of text, and from the Python client."""

from __future__ import annotations

import csv
import datetime
import io
import json
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest

from compare import differing_cells, load
from running import run

COLUMNS = {
    "b": "boolean", "si": "smallint", "i": "integer", "j": "bigint", "r": "real", "x": "double precision", "d": "numeric(12,2)",
    "s": "text", "day": "date", "clock": "timestamp", "moment": "timestamptz",
}
DEFINITIONS = f"""
CREATE TABLE events (ts timestamptz NOT NULL, k bigint, {", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())});
CREATE VIEW lists AS
SELECT ts, k, {", ".join(f"array_agg({name}) OVER last_3 AS {name}_3" for name in COLUMNS)},
       array_agg(clock - TIMESTAMP '2024-04-30 12:00:00') OVER last_3 AS spans
FROM events
WINDOW last_3 AS (PARTITION BY k ORDER BY ts ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING);
"""
ROWS = 500


@pytest.fixture(scope="module")
def events() -> pa.Table:
    start = datetime.datetime(2024, 5, 1, tzinfo=datetime.timezone.utc)
    moments = [start + datetime.timedelta(seconds=row) for row in range(ROWS)]

    def column(kind: pa.DataType, value) -> pa.Array:
        return pa.array([None if (row * 7 + len(str(kind))) % 5 == 0 else value(row) for row in range(ROWS)], kind)

    return pa.table({
        "ts": pa.array(moments, pa.timestamp("us", "UTC")), "k": pa.array([row % 7 for row in range(ROWS)], pa.int64()),
        "b": column(pa.bool_(), lambda row: row % 3 == 0), "si": column(pa.int16(), lambda row: row - 250),
        "i": column(pa.int32(), lambda row: row * 100_000), "j": column(pa.int64(), lambda row: row << 40),
        "r": column(pa.float32(), lambda row: row / 4), "x": column(pa.float64(), lambda row: row / 3),
        "d": column(pa.decimal128(12, 2), lambda row: Decimal(row) / 4), "s": column(pa.string(), lambda row: ["", "für", "a,b", "NULL"][row % 4]),
        "day": column(pa.date32(), lambda row: (start + datetime.timedelta(days=row)).date()),
        "clock": column(pa.timestamp("us"), lambda row: moments[row].replace(tzinfo=None)),
        "moment": column(pa.timestamp("us", "UTC"), lambda row: moments[row]),
    })


@pytest.fixture
def files(tmp_path, events):
    (tmp_path / "lists.sql").write_text(DEFINITIONS)
    with pa.OSFile(str(tmp_path / "events.arrows"), "wb") as file, pa.ipc.new_stream(file, events.schema) as stream:
        stream.write(events)
    return tmp_path


def test_lists_are_duckdbs(files, events):
    run("replay", files / "lists.sql", "--input", f"events={files / 'events.arrows'}", "--output", files / "got.arrow")
    got = load(files / "got.arrow")
    got.validate(full=True)
    assert got.schema.field("s_3").type == pa.list_(pa.string()) and got.schema.field("si_3").type == pa.list_(pa.int16())
    query = DEFINITIONS[DEFINITIONS.index("SELECT ts") :].strip().removesuffix(";")
    expected = duckdb.sql(f"SELECT * FROM ({query}) ORDER BY ts").to_arrow_table()
    assert differing_cells(expected, got, relative=0, absolute=0) == 0
    assert got["spans"].type == pa.list_(pa.month_day_nano_interval())


def test_lists_are_served_as_they_are_replayed(files, events, serve):
    server = serve(files / "lists.sql", "--cores", 2)
    run("replay", files / "lists.sql", "--input", f"events={files / 'events.arrows'}", "--output", files / "replayed.arrow")
    with server.connect() as connection:
        answered = connection.compute("events", events)
    answered.validate(full=True)
    assert differing_cells(load(files / "replayed.arrow"), answered) == 0
    got = run("get", "lists", "--connect", server.address, "--key", "k=3", "--format", "arrow").stdout
    assert pa.ipc.open_stream(got).read_all()["i_3"][0].as_py() is not None


def test_lists_are_text_in_csv_and_json(files, serve):
    run("replay", files / "lists.sql", "--input", f"events={files / 'events.arrows'}", "--output", files / "got.arrow")
    expected = load(files / "got.arrow")["s_3"].to_pylist()
    run("replay", files / "lists.sql", "--input", f"events={files / 'events.arrows'}", "--output", files / "got.csv")
    with open(files / "got.csv") as file:
        texts = [row["s_3"] for row in csv.DictReader(file)]
    quoted = {None: "NULL", "": '""', "NULL": '"NULL"', "a,b": '"a,b"', "für": "für"}
    assert texts == ["" if row is None else "{" + ",".join(quoted[text] for text in row) + "}" for row in expected]

    server = serve(files / "lists.sql")
    run("send", "--connect", server.address, "--input", f"events={files / 'events.arrows'}")
    said = run("get", "lists", "--connect", server.address, "--key", "k=1", "--format", "json").stdout
    row = json.loads(io.BytesIO(said).readline())
    assert len(row["s_3"]) == 3 and all(text is None or text in quoted for text in row["s_3"])


@pytest.mark.parametrize("query", [
    "SELECT i_3 = i_3 AS x FROM lists", "SELECT CAST(i_3 AS text) AS x FROM lists", "SELECT coalesce(i_3, i_3) AS x FROM lists",
    "SELECT CASE WHEN k > 1 THEN i_3 END AS x FROM lists", "SELECT length(s_3) AS x FROM lists", "SELECT k FROM lists WHERE i_3 IS NULL",
    "SELECT max(i_3) OVER (PARTITION BY k ORDER BY ts) AS x FROM lists", "SELECT lag(i_3) OVER (PARTITION BY k ORDER BY ts) AS x FROM lists",
    "SELECT array_agg(i_3) OVER (PARTITION BY k ORDER BY ts) AS x FROM lists",
    "SELECT count(*) OVER (PARTITION BY i_3 ORDER BY ts) AS x FROM lists",
    "SELECT count(*) OVER (PARTITION BY k ORDER BY ts, i_3) AS x FROM lists",
])
def test_nothing_is_computed_from_a_list(query, files):
    definitions = files / "used.sql"
    definitions.write_text(f"{DEFINITIONS}\nCREATE VIEW through AS SELECT ts, i_3 FROM lists;")
    run("check", definitions)
    definitions.write_text(f"{DEFINITIONS}\n{query};")
    done = run("check", definitions, check=False)
    assert done.returncode == 1 and b"a result that nothing can be computed from" in done.stderr
