"""A program of under 60 lines that uses pyarrow and no code of ours gets the right numbers."""

import subprocess
import sys
from pathlib import Path

from definitions import PAYMENTS

PROGRAM = Path(__file__).parent / "bare_pyarrow.py"


def test_pyarrow_alone_is_a_client(serve):
    host, _, port = serve(PAYMENTS).address.rpartition(":")
    done = subprocess.run([sys.executable, PROGRAM, host, port], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("right numbers:")


def test_the_program_is_short_and_bare():
    text = PROGRAM.read_text()
    assert len(text.splitlines()) < 60
    assert "import millrace" not in text
