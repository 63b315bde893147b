"""A short run of `make reloads`: definitions change, and wrong ones are refused, while connections send as fast as they are answered."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from paths import BINARY, ROOT


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_every_row_is_right_for_the_definitions_it_is_of(cores):
    command = [
        sys.executable, ROOT / "benchmarks/Reloads/run.py", "--binary", BINARY, "--cores", str(cores), "--connections", "2",
        "--reloads", "15", "--interval", "0.1", "--broken", "30", "--undisturbed", "0.5", "--settle", "3",
        "--seed", str(cores)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    assert figures["reloads"] >= 10 and figures["versions_answered"] >= 5 and figures["broken_refused"] == 30
    assert figures["rows_checked"] > 0 and figures["rows_watched"] > 0
