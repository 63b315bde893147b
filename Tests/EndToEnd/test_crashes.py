"""A small part of `make soak-crashes`: a server that is killed under load, at random moments."""

from __future__ import annotations

import subprocess

from paths import BINARY

CRASHES = 20
# Stands for a server that loses what it had acknowledged: from its third start on it has what it had at its second.
FORGETFUL = """#!/bin/sh
data=$(echo "$*" | sed 's/.*--data \\([^ ]*\\).*/\\1/')
echo start >> "$data.starts"
if [ -d "$data.old" ]; then rm -r "$data" && cp -a "$data.old" "$data"; fi
if [ "$(wc -l < "$data.starts")" -gt 1 ]; then rm -rf "$data.old" && cp -a "$data" "$data.old"; fi
exec SERVER "$@"
"""


def crash(binary, folder, *options) -> subprocess.CompletedProcess:
    command = [BINARY.parent / "millrace-crashes", "--binary", binary, "--folder", folder, *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def test_what_was_acknowledged_outlives_the_server(tmp_path):
    done = crash(BINARY, tmp_path / "runs", "--crashes", CRASHES)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{CRASHES} SIGKILLs" in done.stdout


def test_a_server_that_forgets_is_found(tmp_path):
    binary = tmp_path / "forgetful"
    binary.write_text(FORGETFUL.replace("SERVER", str(BINARY)))
    binary.chmod(0o755)
    done = crash(binary, tmp_path / "runs", "--crashes", 4, "--seed", 7)
    assert done.returncode == 1 and "and is lost" in done.stdout, done.stdout + done.stderr
    assert "make soak-crashes SEED=7 CRASHES=4" in done.stdout and (tmp_path / "runs/seed-7/data/log").is_dir()
