"""Every SQL case of Tests/Features/cases: the engine's answer equals the oracle's, cell by cell, over files and over TCP."""

from __future__ import annotations

import re

import duckdb
import pytest

from compare import differing_cells, load
from paths import CASES
from running import RunningServer, run

# Cases whose SQL is not served yet: what `check` says of them.
UNSUPPORTED = {
    "p11_order_product_join": "case.sql:24:1: error: LEFT JOIN is not in the vocabulary yet",
    "p12_fx_asof": "case.sql:18:22: error: ASOF JOIN is not in the vocabulary yet",
    "p13_plan_as_of_lateral": "case.sql:21:1: error: LEFT JOIN LATERAL is not in the vocabulary yet",
    "p14_view_purchase_union": "case.sql:19:3: error: UNION ALL is not in the vocabulary yet",
}
ALL = sorted(folder.name for folder in CASES.iterdir())
SUPPORTED = [case for case in ALL if case not in UNSUPPORTED]
# Rows of a key share a timestamp: the expected cells are what semantics asks for at arrival, which no SQL engine says of the whole table.
ORDER_OF_ARRIVAL_MATTERS = {"p15_equal_timestamps"}


def tables(case: str) -> list[str]:
    return re.findall(r"CREATE TABLE (\w+)", (CASES / case / "case.sql").read_text())


def inputs(case: str) -> list[str]:
    return [part for table in tables(case) for part in ("--input", f"{table}={CASES / case / table}.arrows")]


def assert_same_cells(case: str, got_path) -> None:
    report: list[str] = []
    differing = differing_cells(load(CASES / case / "expected.arrow"), load(got_path), report=report.append)
    assert differing == 0, "\n".join(report)


@pytest.mark.parametrize("case", SUPPORTED)
def test_replay_equals_the_oracle(case, tmp_path):
    run("replay", CASES / case / "case.sql", *inputs(case), "--output", tmp_path / "got.arrows")
    assert_same_cells(case, tmp_path / "got.arrows")


@pytest.mark.parametrize("cores", [1, 2, 4])
@pytest.mark.parametrize("case", SUPPORTED)
def test_a_server_equals_the_oracle(case, cores, tmp_path):
    with RunningServer(CASES / case / "case.sql", "--cores", cores, folder=tmp_path) as server:
        run("send", "--connect", server.address, *inputs(case), "--output", tmp_path / "got.arrows")
    assert_same_cells(case, tmp_path / "got.arrows")


@pytest.mark.parametrize("case", UNSUPPORTED)
def test_what_is_not_served_yet_says_so(case):
    done = run("check", CASES / case / "case.sql", check=False)
    said = done.stderr.decode() + done.stdout.decode()
    assert done.returncode == 1
    assert UNSUPPORTED[case] in said


@pytest.mark.parametrize("case", [case for case in ALL if case not in ORDER_OF_ARRIVAL_MATTERS])
def test_the_oracle_stands_by_its_answer(case):
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    text = "\n".join(line for line in (CASES / case / "case.sql").read_text().splitlines() if not line.startswith("--"))
    *creates, query = [statement for statement in text.split(";") if statement.strip()]
    for create, table in zip(creates, tables(case)):
        database.execute(create)
        rows = load(CASES / case / f"{table}.arrows")
        database.register("rows", rows)
        database.execute(f"INSERT INTO {table} SELECT * FROM rows")
        database.unregister("rows")
    got = database.sql(query).to_arrow_table()
    assert differing_cells(load(CASES / case / "expected.arrow"), got) == 0
