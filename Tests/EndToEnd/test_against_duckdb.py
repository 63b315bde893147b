"""Random definitions over random events: what Millrace replays equals what DuckDB says of the whole table, cell by cell.

Events come in time order and no two share a time, so that both speak of the same frames (semantics of arrival need no say
here). Each definition is generated twice from one choice: in Millrace's SQL, which is PostgreSQL's, and in DuckDB's, with
what the two disagree about written out: what an integer division is, which types operators have, that an error is a NULL.

MILLRACE_SEED=n repeats a run, MILLRACE_CASES=n makes it longer.
"""

from __future__ import annotations

import os

import duckdb
import pyarrow as pa
import pytest

from against_duckdb.definitions import MACROS, Definitions
from against_duckdb.leaves import Expression
from compare import differing_cells, load
from running import run

SEED = int(os.environ.get("MILLRACE_SEED", "20240229"))
CASES = int(os.environ.get("MILLRACE_CASES", "400"))
CASES_PER_TEST = 20


def tolerance(output: Expression) -> dict[str, float]:
    if output.loose:
        return {"relative": 1e-5, "absolute": 1e-5}
    return {} if output.exact else {"relative": 1e-9, "absolute": 1e-9}


def differences(seed: str, folder) -> str | None:
    generator = Definitions(seed)
    text, query, outputs = generator.definition()
    rows = generator.events()
    options = ["--cores", str(generator.random.choice((1, 2, 3)))]
    if generator.chance(0.2):
        rows = rows.take(generator.random.sample(range(rows.num_rows), rows.num_rows))
        options += ["--order", "event-time"]
    (folder / "case.sql").write_text(text)
    with pa.ipc.new_stream(folder / "t.arrows", rows.schema) as writer:
        writer.write_table(rows, max_chunksize=generator.random.choice((1, 64, 1024)))
    database = duckdb.connect()
    database.execute(f"SET TimeZone = '{generator.zone}'; SET threads = 1;" + MACROS)
    database.register("t", rows)
    try:
        expected = database.sql(query).to_arrow_table()
    except duckdb.Error as error:
        return f"DuckDB says: {error}\n{query}"
    finally:
        database.close()
    done = run(
        "replay",
        folder / "case.sql",
        "--input",
        f"t={folder / 't.arrows'}",
        "--output",
        folder / "out.arrows",
        *options,
        check=False,
    )
    if done.returncode:
        return f"{text}\nexit {done.returncode}: {done.stderr.decode()}"
    got = load(folder / "out.arrows")
    report: list[str] = []
    for name, output in outputs.items():
        if differing_cells(
            expected.select(["event_id", name]), got.select(["event_id", name]), report=report.append, **tolerance(output)
        ):
            report.append(f"{name} is {output.millrace}\nfor DuckDB {output.duckdb}")
    return "\n".join([text, query, *report]) if report else None


@pytest.mark.parametrize("first", range(0, CASES, CASES_PER_TEST))
def test_random_definitions_mean_what_duckdb_says(first, tmp_path, request):
    for case in range(first, min(first + CASES_PER_TEST, CASES)):
        found = differences(f"{SEED}/{case}", tmp_path)
        again = f"MILLRACE_SEED={SEED} MILLRACE_CASES={CASES} .venv/bin/python -m pytest 'Tests/EndToEnd/{request.node.nodeid}'"
        assert found is None, f"case {case} differs; again: {again}\n{found}"
