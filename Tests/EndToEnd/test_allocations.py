"""In the steady state of the release build no batch costs an allocation, whatever its functions and frames."""

from __future__ import annotations

import json
import subprocess

from paths import BINARY


def test_no_batch_allocates():
    bench = BINARY.with_name("millrace-bench")
    done = subprocess.run([bench, "allocations", "--batches", "200"], capture_output=True, text=True, timeout=300)
    rows = json.loads(done.stdout)
    assert len(rows) > 300
    assert [row for row in rows if row["allocations"] > 0] == []
    assert done.returncode == 0
