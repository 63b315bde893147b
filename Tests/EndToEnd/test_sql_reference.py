"""docs/sql.md holds: every SQL text in it is compiled, shown results are replayed, the table of functions says the types and
bytes that come out, and what is called refused is refused while what is offered instead works.

A block of SQL takes the tables that blocks above it define. ```csv TABLE and ```csv result behind it are its input and its output;
```sql same gives the result of the block before. MILLRACE_BLESS=1 writes what comes out into the page: read the difference."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa
import pytest

from compare import load
from paths import ROOT
from running import run

PAGE = ROOT / "docs/sql.md"
TEXT = PAGE.read_text()


@dataclass
class Example:
    sql: str
    line: int
    inputs: dict[str, str] = field(default_factory=dict)
    result: str | None = None
    # Which of the page's results it is, from 0; None where it shares one.
    ordinal: int | None = None


def blocks() -> list[tuple[str, str, int]]:
    found = re.finditer(r"^```(\w+(?: \w+)?)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    return [(block[1], block[2], TEXT.count("\n", 0, block.start()) + 1) for block in found]


def examples() -> list[Example]:
    tables: dict[str, str] = {}
    found: list[Example] = []
    for info, text, line in blocks():
        words = info.split()
        if words[0] == "sql" and words[-1] != "standard":
            own = {match[1]: match[0] for match in re.finditer(r"^CREATE TABLE (\w+) .*?;\n", text, re.DOTALL | re.MULTILINE)}
            needed = [sql for name, sql in tables.items() if name not in own and re.search(rf"\b{name}\b", text)]
            tables |= own
            found.append(Example("".join(needed) + text, line))
            if words[-1] == "same":
                found[-1].inputs, found[-1].result = found[-2].inputs, found[-2].result
        elif words[0] == "csv":
            if words[1] == "result":
                found[-1].result = text
                found[-1].ordinal = sum(example.ordinal is not None for example in found)
            else:
                found[-1].inputs[words[1]] = text
    return found


EXAMPLES = examples()


def at_line(example: Example) -> str:
    return f"line {example.line}"


def check(sql: str, folder) -> list[str]:
    """What `millrace check` has against it."""
    path = folder / "checked.sql"
    path.write_text(sql)
    done = run("check", path, check=False)
    errors = [line.partition(": error: ")[2] for line in done.stderr.decode().splitlines() if ": error: " in line]
    assert (done.returncode == 0) == (not errors), done.stderr.decode()
    return errors


def accept(sql: str, folder) -> None:
    errors = check(sql, folder)
    assert not errors, f"{sql}\n{errors}"


@pytest.mark.parametrize("example", EXAMPLES, ids=at_line)
def test_every_definition_compiles(example, tmp_path):
    accept(example.sql, tmp_path)


@pytest.mark.parametrize("example", [example for example in EXAMPLES if example.result is not None], ids=at_line)
def test_results_are_as_shown(example, tmp_path):
    accept(example.sql, tmp_path)
    inputs = []
    for table, text in example.inputs.items():
        (tmp_path / f"{table}.csv").write_text(text)
        inputs += ["--input", f"{table}={tmp_path / table}.csv"]
    result = run("replay", tmp_path / "checked.sql", *inputs, "--output", "-").stdout.decode()
    if os.environ.get("MILLRACE_BLESS") and example.ordinal is not None:
        parts = PAGE.read_text().split("```csv result\n")
        parts[example.ordinal + 1] = result + parts[example.ordinal + 1][parts[example.ordinal + 1].index("```") :]
        PAGE.write_text("```csv result\n".join(parts))
    else:
        assert result == example.result


# MARK: Tables of the page


def rows(heading: str, first_column: str) -> list[list[str]]:
    """The cells of a table, without its head."""
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = section.partition(f"\n| {first_column} |")[2].splitlines()[2:]
    table = []
    for line in lines:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in re.split(r"(?<!\|)\|(?!\|)", line)[1:-1]])
    assert table, heading
    return table


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


ARGUMENTS = """CREATE TABLE t (
  ts timestamptz NOT NULL, k bigint NOT NULL, x double precision NOT NULL, y double precision NOT NULL, i integer NOT NULL,
  j bigint NOT NULL, d numeric(12,2) NOT NULL, b boolean NOT NULL, s text NOT NULL);
"""
TYPES = {
    "bigint": pa.int64(), "integer": pa.int32(), "double precision": pa.float64(), "boolean": pa.bool_(), "text": pa.string(),
    "numeric(38,0)": pa.decimal128(38, 0), "numeric(38,2)": pa.decimal128(38, 2), "text[]": pa.list_(pa.string()),
    "x's": pa.float64(), "i's": pa.int32(), "s's": pa.string(),
}
FUNCTIONS = [(call, cells) for cells in rows("Functions over windows", "function") for call in code(cells[0])]


@pytest.mark.parametrize("call, cells", FUNCTIONS, ids=[call for call, _ in FUNCTIONS])
def test_functions_are_as_their_table_says(call, cells, tmp_path):
    _, result, _, cost, kept = cells
    sql = ARGUMENTS + (
        f"SELECT {call} OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS f FROM t;")
    accept(sql, tmp_path)
    assert cost, "what it costs is said"
    (tmp_path / "t.csv").write_text("ts,k,x,y,i,j,d,b,s\n2024-05-01 12:00:00+00,1,1,1,1,1,1,true,a\n")
    run("replay", tmp_path / "checked.sql", "--input", f"t={tmp_path / 't.csv'}", "--output", tmp_path / "got.arrow")
    got = load(tmp_path / "got.arrow")["f"].type
    assert got == TYPES[result] or pa.types.is_list(got) and got.value_type == TYPES[result].value_type
    explained = run("explain", tmp_path / "checked.sql").stdout.decode()
    assert int(re.search(r"(\d+) bytes an event", explained)[1]) - 8 == int(kept or 0)


@pytest.mark.parametrize("frame", [code(cells[0])[0] for cells in rows("Windows and frames", "frame") if code(cells[0])])
def test_frames_compile(frame, tmp_path):
    for exclusion in ["", *(code(cells[0])[0] for cells in rows("Windows and frames", "behind a frame"))]:
        accept(ARGUMENTS + f"SELECT sum(x) OVER (PARTITION BY k ORDER BY ts {frame} {exclusion}) AS f FROM t;", tmp_path)


REFUSED = rows("What is refused", "written")


@pytest.mark.parametrize("cells", REFUSED, ids=[cells[0][:60] for cells in REFUSED])
def test_what_is_refused_is_refused_and_what_is_offered_works(cells, tmp_path):
    def definitions(text: str) -> str:
        tables = "".join(example.sql for example in EXAMPLES[:2] if "CREATE TABLE" in example.sql)
        tables = "".join(re.findall(r"^CREATE TABLE .*?;\n", tables, re.DOTALL | re.MULTILINE))
        return tables + (f"{text};" if text.startswith(("SELECT", "CREATE")) else f"SELECT {text} AS f FROM payments;")

    errors = check(definitions(code(cells[0])[0]), tmp_path)
    assert errors
    accept(definitions(code(cells[2])[0]), tmp_path)


def test_a_decayed_sum_equals_its_standard_sql(tmp_path):
    sql = next(example.sql for example in EXAMPLES if "decayed_sum" in example.sql)
    accept(sql, tmp_path)
    payments = tmp_path / "payments.csv"
    payments.write_text(EXAMPLES[0].inputs["payments"])
    run("replay", tmp_path / "checked.sql", "--input", f"payments={payments}", "--output", tmp_path / "got.arrow")
    standard = next(text for info, text, _ in blocks() if info == "sql standard")
    query = standard.replace("FROM payments", f"FROM read_csv('{payments}')").strip().rstrip(";")
    expected = duckdb.sql(f"SELECT recent_amount FROM ({query})").fetchall()
    got = load(tmp_path / "got.arrow").to_pylist()
    assert len(got) == 4
    assert sorted(row["recent_amount"] for row in got) == pytest.approx(sorted(row[0] for row in expected), rel=1e-12)


NAMES = [name for cells in rows("Row expressions", "of") for name in code(cells[1]) if re.fullmatch("[a-z_0-9]+", name)]


@pytest.mark.parametrize("name", NAMES)
def test_functions_of_a_row_are_known(name, tmp_path):
    arguments = "s IN s" if name == "position" else "ts, ts, ts, ts, ts"
    errors = check(ARGUMENTS + f"SELECT {name}({arguments}) AS f FROM t;", tmp_path)
    assert all(f"{name} takes" in error for error in errors)
