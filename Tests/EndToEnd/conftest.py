"""Fixtures: a server for given definitions, a folder of its own for each test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "Features"))

from paths import BINARY, HANDBOOK  # noqa: E402
from running import RunningServer  # noqa: E402

collect_ignore = [] if HANDBOOK.exists() else ["test_handbook.py"]


def pytest_sessionstart(session):
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: run `make release` first, or name a binary in MILLRACE_BINARY", returncode=2)


@pytest.fixture
def serve(tmp_path):
    """serve(SQL, *options): a running server; SQL is a text or the path of a file. All are stopped at the end of the test."""
    running: list[RunningServer] = []

    def start(sql: str | Path, *options, **keywords) -> RunningServer:
        if not isinstance(sql, Path):
            path = tmp_path / f"definitions{len(running)}.sql"
            path.write_text(sql)
            sql = path
        server = RunningServer(sql, *options, folder=tmp_path, **keywords)
        server.__enter__()
        running.append(server)
        return server

    yield start
    for server in reversed(running):
        server.__exit__(None)
