"""The commands that work on files, and those that talk to a server: what they print, and how they end."""

from __future__ import annotations

import io
import json
import re
import subprocess
import threading

import pyarrow as pa
import pyarrow.csv
import pytest

from compare import differing_cells, load
from definitions import PAYMENTS, SECOND_VIEW, payments
from paths import BINARY, CASES, EXAMPLES
from running import run

ROWS = ((0, 1, 10.0), (1, 2, 5.0), (2, 1, 2.5), (61, 1, 1.0))
COUNTS = [1, 1, 2, 2]


@pytest.fixture
def definitions(tmp_path):
    path = tmp_path / "payments.sql"
    path.write_text(PAYMENTS)
    return path


def write_arrow(table: pa.Table, path, compression=None) -> None:
    kind = pa.ipc.new_stream if path.suffix == ".arrows" else pa.ipc.new_file
    with kind(path, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=3)


# MARK: check, explain


def test_check_says_nothing_wrong_and_exits_0(definitions):
    assert run("check", definitions).returncode == 0
    assert run("check", EXAMPLES / "payments/card_risk.sql").returncode == 0


def test_check_points_at_every_mistake(tmp_path):
    path = tmp_path / "wrong.sql"
    path.write_text(PAYMENTS.replace("sum(amount)", "sum(amout)").replace("PARTITION BY card_id", "PARTITION BY card"))
    done = run("check", path, check=False)
    said = done.stdout.decode() + done.stderr.decode()
    assert done.returncode == 1
    assert "wrong.sql:11:" in said and "wrong.sql:13:" in said
    assert "amount" in said and "^^^^^" in said


def test_explain_tells_partitions_windows_and_memory(definitions):
    said = run("explain", definitions).stdout.decode()
    for word in ("payments", "card_hour", "card_id", "bytes"):
        assert word in said, said


def test_explain_estimates_memory_for_a_load(definitions):
    def megabytes(*load) -> float:
        said = run("explain", definitions, *load).stdout.decode()
        size, unit = re.search(r"memory +([\d.]+) (\w+)", said).groups()
        return float(size) * {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[unit] / 1e6

    few = megabytes("--keys", 1_000)
    assert megabytes("--keys", 100_000) > few
    assert megabytes("--keys", 100_000, "--keys", "card_id=1000") == few
    assert megabytes("--keys", 1_000, "--events-per-second", 100_000) > few
    assert megabytes("--keys", 100_000, "--spread", "zipf") != megabytes("--keys", 100_000)


@pytest.mark.parametrize("load", [("--keys", "0"), ("--keys", "card_id="), ("--events-per-second", "0"), ("--spread", "odd")])
def test_explain_refuses_a_load_that_means_nothing(definitions, load):
    assert run("explain", definitions, *load, check=False).returncode != 0


@pytest.mark.parametrize("command", ["serve", "check", "explain", "replay", "send", "subscribe", "get", "status"])
def test_help_teaches(command):
    said = run(command, "--help").stdout.decode()
    assert "USAGE" in said.upper() and len(said.splitlines()) > 8


def test_a_file_that_is_not_there_is_named(tmp_path):
    done = run("check", tmp_path / "nowhere.sql", check=False)
    assert done.returncode != 0 and b"nowhere.sql" in done.stderr


def test_definitions_may_begin_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "marked.sql"
    path.write_text(PAYMENTS, encoding="utf-8-sig")
    assert run("check", path).returncode == 0


# MARK: replay


@pytest.mark.parametrize("suffix", [".arrows", ".arrow", ".csv"])
@pytest.mark.parametrize("input_suffix", [".arrows", ".arrow", ".csv", ".zstd.arrows"])
def test_replay_reads_and_writes_every_format(definitions, tmp_path, input_suffix, suffix):
    rows, path, output = payments(*ROWS), tmp_path / f"rows{input_suffix}", tmp_path / f"got{suffix}"
    if input_suffix == ".csv":
        pyarrow.csv.write_csv(rows.set_column(0, "ts", rows["ts"].cast(pa.string())), path)
    else:
        write_arrow(rows, path, "zstd" if "zstd" in input_suffix else None)
    run("replay", definitions, "--input", f"payments={path}", "--output", output)
    got = pyarrow.csv.read_csv(output) if suffix == ".csv" else load(output)
    assert got["payments_1h"].to_pylist() == COUNTS
    assert got["spent_1h"].to_pylist() == [10.0, 5.0, 12.5, 3.5]
    assert got.schema.names == ["ts", "card_id", "payments_1h", "spent_1h"]


def test_the_table_may_be_left_out_where_there_is_only_one(definitions, tmp_path):
    write_arrow(payments(*ROWS), tmp_path / "rows.arrows")
    run("replay", definitions, "--input", tmp_path / "rows.arrows", "--output", tmp_path / "got.arrows")
    assert load(tmp_path / "got.arrows")["payments_1h"].to_pylist() == COUNTS


def test_replay_works_in_a_pipe(definitions):
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, payments().schema) as writer:
        writer.write_table(payments(*ROWS))
    done = run("replay", definitions, "--input", "payments=-", "--output", "-", input=stream.getvalue())
    assert pyarrow.csv.read_csv(io.BytesIO(done.stdout))["payments_1h"].to_pylist() == COUNTS
    assert b"\r" not in done.stderr


def test_replay_asks_which_view_is_meant(tmp_path):
    path = tmp_path / "two.sql"
    path.write_text(PAYMENTS + SECOND_VIEW)
    write_arrow(payments(*ROWS), tmp_path / "rows.arrows")
    options = ["--input", f"payments={tmp_path}/rows.arrows", "--output", tmp_path / "got.arrows"]
    done = run("replay", path, *options, check=False)
    assert done.returncode != 0 and b"card_hour" in done.stderr and b"merchant_day" in done.stderr
    run("replay", path, *options, "--view", "merchant_day")
    assert load(tmp_path / "got.arrows")["payments_1d"].to_pylist() == [1, 2, 3, 4]


def test_replay_gives_the_same_bytes_every_time(tmp_path):
    case = CASES / "p02_card_spend"
    for name in ("first", "second"):
        run("replay", case / "case.sql", "--input", case / "card_spend.arrows", "--output", tmp_path / f"{name}.arrows")
    assert (tmp_path / "first.arrows").read_bytes() == (tmp_path / "second.arrows").read_bytes()


def test_a_damaged_file_is_named_with_what_is_wrong(definitions, tmp_path):
    write_arrow(payments(*ROWS), tmp_path / "rows.arrows")
    octets = (tmp_path / "rows.arrows").read_bytes()
    (tmp_path / "cut.arrows").write_bytes(octets[: len(octets) * 2 // 3])
    done = run("replay", definitions, "--input", tmp_path / "cut.arrows", "--output", tmp_path / "got.csv", check=False)
    assert done.returncode != 0 and b"cut.arrows" in done.stderr


def test_an_hour_that_clocks_show_twice_is_truncated_to_itself(tmp_path):
    path, rows = tmp_path / "zone.sql", tmp_path / "t.csv"
    path.write_text(
        "SET TimeZone = 'America/New_York';\nCREATE TABLE t (ts timestamptz NOT NULL);\n"
        "SELECT date_trunc('hour', ts) AS hour, date_trunc('day', ts) AS day FROM t;"
    )
    rows.write_text("ts\n2012-11-04 05:28:30Z\n2012-11-04 06:28:30Z\n")
    got = run("replay", path, "--input", rows, "--output", "-").stdout.decode().splitlines()
    assert got[1:] == [f"2012-11-04 {hour}:00:00+00,2012-11-04 04:00:00+00" for hour in ("05", "06")]


def test_replay_does_not_write_over_its_input(definitions, tmp_path):
    write_arrow(payments(*ROWS), tmp_path / "rows.arrows")
    (tmp_path / "link.arrows").symlink_to(tmp_path / "rows.arrows")
    octets = (tmp_path / "rows.arrows").read_bytes()
    for output in ("rows.arrows", "link.arrows"):
        done = run("replay", definitions, "--input", tmp_path / "rows.arrows", "--output", tmp_path / output, check=False)
        assert done.returncode != 0 and b"would be emptied" in done.stderr
    assert (tmp_path / "rows.arrows").read_bytes() == octets


@pytest.mark.parametrize("memory", ["1", "1000000T"])
def test_a_bound_of_memory_that_cannot_be_is_refused(definitions, tmp_path, memory):
    write_arrow(payments(*ROWS), tmp_path / "rows.arrows")
    options = ["--input", tmp_path / "rows.arrows", "--output", "-", "--cores", "1", "--memory", memory]
    done = run("replay", definitions, *options, check=False)
    assert done.returncode == 64 and b"--memory must be from 1M to 64G" in done.stderr


# MARK: send, get, subscribe, status


def test_send_needs_no_output(serve, definitions, tmp_path):
    server = serve(definitions)
    write_arrow(payments(*ROWS), tmp_path / "rows.arrows")
    run("send", "--connect", server.address, "--input", tmp_path / "rows.arrows")
    with server.connect() as connection:
        assert connection.evaluate("payments", payments((61, 1, 1.0)))["payments_1h"].to_pylist() == [3]


def test_get_prints_a_keys_features(serve, definitions):
    server = serve(definitions)
    with server.connect() as connection:
        connection.ingest("payments", payments(*ROWS))
    said = run("get", "card_hour", "--connect", server.address, "--key", "card_id=1").stdout.decode()
    assert "payments_1h" in said


def test_status_prints_a_page_for_people(serve, definitions):
    server = serve(definitions)
    said = run("status", "--connect", server.address).stdout.decode()
    assert said.strip()


@pytest.mark.parametrize("form", ["json", "csv", "arrow"])
def test_subscribe_prints_rows_as_they_come(serve, definitions, form):
    server = serve(definitions)
    command = [BINARY, "subscribe", "card_hour", "--connect", server.address, "--format", form]
    subscriber = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        octets = first_output(subscriber, server)
    finally:
        subscriber.terminate()
        subscriber.wait(timeout=10)
    if form == "json":
        assert json.loads(octets.splitlines()[0])["card_id"] == 7
    elif form == "csv":
        assert octets.splitlines()[0] == b"ts,card_id,payments_1h,spent_1h"
    else:
        assert pa.ipc.open_stream(octets).schema.names == ["ts", "card_id", "payments_1h", "spent_1h"]


def first_output(subscriber: subprocess.Popen, server) -> bytes:
    """Sends a payment again and again until the subscriber, which needs a moment to subscribe, has printed something."""
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(subscriber.stdout.read1(65_536)), daemon=True)
    reader.start()
    with server.connect() as connection:
        for minute in range(400):
            connection.ingest("payments", payments((minute / 100, 7, 1.0)))
            reader.join(timeout=0.05)
            if not reader.is_alive():
                return received[0]
    raise AssertionError("the subscriber printed nothing")


def test_nobody_listening_is_said_with_the_address():
    done = run("status", "--connect", "127.0.0.1:1", check=False)
    assert done.returncode != 0 and b"127.0.0.1:1" in done.stderr


def test_an_unknown_case_of_a_view_is_suggested(serve, definitions):
    server = serve(definitions)
    done = run("get", "card_our", "--connect", server.address, "--key", "card_id=1", check=False)
    assert done.returncode != 0 and b"card_hour" in done.stderr


def test_replay_and_a_server_agree_on_the_sample_view(serve, tmp_path):
    case = CASES / "p19_nested_ratios"
    server = serve(case / "case.sql")
    inputs = ["--input", f"topups={case}/topups.arrows"]
    run("send", "--connect", server.address, *inputs, "--output", tmp_path / "served.arrows")
    run("replay", case / "case.sql", *inputs, "--output", tmp_path / "replayed.arrows")
    assert differing_cells(load(tmp_path / "replayed.arrows"), load(tmp_path / "served.arrows")) == 0
