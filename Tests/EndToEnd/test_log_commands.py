"""`millrace log`: what a server has written is listed, checked and exported, while it runs and after it stopped."""

from __future__ import annotations

import pyarrow as pa
import pytest

from definitions import PAYMENTS, payments
from running import run

ROWS = [(second, second % 7, float(second)) for second in range(500)]


@pytest.fixture
def data(tmp_path, serve):
    """A data directory with the rows of `ROWS` in it, and the server that runs on it."""
    folder = tmp_path / "data"
    server = serve(PAYMENTS, "--data", folder)
    with server.connect() as client:
        for start in range(0, len(ROWS), 100):
            client.ingest("payments", payments(*ROWS[start:start + 100]))
    return folder, server


def exported(folder, *options) -> pa.Table:
    path = folder.parent / "out.arrows"
    said = run("log", "export", folder, *options, "--output", path).stderr.decode()
    assert 'of table "payments"' in said
    with pa.ipc.open_stream(path) as stream:
        table = stream.read_all()
    table.validate(full=True)
    return table


def test_the_log_of_a_running_server_is_listed_and_good(data):
    folder, _ = data
    said = run("log", "list", folder).stdout.decode()
    assert "in use" in said and "1 segments" in said
    said = run("log", "verify", folder).stdout.decode()
    assert "good, in use" in said and "500 rows" in said


def test_what_was_sent_is_exported_row_by_row(data):
    folder, server = data
    table = exported(folder)
    assert table.equals(payments(*ROWS).cast(table.schema))
    server.__exit__(None)
    assert exported(folder).equals(table)
    assert "finished" in run("log", "list", folder).stdout.decode()


def test_damage_is_named_and_given_up_only_on_request(data):
    folder, server = data
    server.__exit__(None)
    segment = folder / "log" / "0000000001.log"
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    done = run("log", "verify", folder, check=False)
    said = done.stdout.decode()
    assert done.returncode == 1 and "0000000001.log: damaged at offset" in said
    place = said.split("--cut-at ")[1].split("`")[0]
    wrong = run("log", "verify", folder, "--cut-at", "1:64", check=False)
    assert wrong.returncode == 1 and place in wrong.stderr.decode()
    assert "now ends with" in run("log", "verify", folder, "--cut-at", place).stdout.decode()
    assert run("log", "verify", folder).returncode == 0
    assert len(exported(folder)) < len(ROWS)
