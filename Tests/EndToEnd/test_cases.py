"""Every SQL case of Tests/Features/cases: the engine's answer equals the oracle's, cell by cell, over files and over TCP."""

from __future__ import annotations

import re

import duckdb
import pytest

from compare import differing_cells, load
from paths import CASES
from running import RunningServer, run

ALL = sorted(folder.name for folder in CASES.iterdir())
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


@pytest.mark.parametrize("case", ALL)
def test_replay_equals_the_oracle(case, tmp_path):
    run("replay", CASES / case / "case.sql", *inputs(case), "--output", tmp_path / "got.arrows")
    assert_same_cells(case, tmp_path / "got.arrows")


@pytest.mark.parametrize("cores", [1, 2, 4])
@pytest.mark.parametrize("case", ALL)
def test_a_server_equals_the_oracle(case, cores, tmp_path):
    with RunningServer(CASES / case / "case.sql", "--cores", cores, folder=tmp_path) as server:
        run("send", "--connect", server.address, *inputs(case), "--output", tmp_path / "got.arrows")
    assert_same_cells(case, tmp_path / "got.arrows")


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
