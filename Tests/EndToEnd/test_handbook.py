"""The Fraud Detection Handbook's published features: 1,754,155 rows by 15 columns. Its data has no licence and is not
shipped: conftest.py leaves this file out where the data is not at hand."""

from __future__ import annotations

import pytest

from compare import differing_cells, load
from paths import HANDBOOK
from running import RunningServer, run

ROWS = 1_754_155
INPUT = ("--input", f"tx={HANDBOOK / 'tx.arrows'}")


def assert_published(got_path) -> None:
    got = load(got_path)
    assert got.num_rows == ROWS
    report: list[str] = []
    differing = differing_cells(load(HANDBOOK / "published.arrows"), got, "transaction_id", report=report.append)
    assert differing == 0, "\n".join(report)


def test_replay(tmp_path):
    run("replay", HANDBOOK / "features.sql", *INPUT, "--output", tmp_path / "got.arrows")
    assert_published(tmp_path / "got.arrows")


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_served(cores, tmp_path):
    with RunningServer(HANDBOOK / "features.sql", "--cores", cores, folder=tmp_path) as server:
        run("send", "--connect", server.address, *INPUT, "--output", tmp_path / "got.arrows")
    assert_published(tmp_path / "got.arrows")
