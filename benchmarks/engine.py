#!/usr/bin/env python3
"""The engine alone: what every window function costs, what one more feature costs, and memory.

Runs the commands of millrace-bench (benchmarks/Engine) on one core and keeps what they say in one JSON file, from which report.py
writes docs/performance.md. --quick takes small sizes, to see that everything runs; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import json
import sys

from run import RELEASE, SERVER_CORE, output, pinned, processor, save

COMMANDS = {
    "aggregates": {"full": [], "quick": ["--population-max", "1000", "--keys", "1000", "--seconds", "0.005"]},
    "features": {"full": [], "quick": ["--seconds", "0.005"]},
    "memory": {"full": [], "quick": ["--keys", "20000", "--events", "40000"]},
    "allocations": {"full": [], "quick": ["--batches", "50"]},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="*", default=list(COMMANDS), help=f"of {', '.join(COMMANDS)}; all if none is named")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()

    for command in asked.commands:
        arguments = COMMANDS[command]["quick" if asked.quick else "full"]
        print(f"millrace-bench {' '.join([command, *arguments])} …", flush=True)
        said = json.loads(output(pinned(SERVER_CORE, RELEASE / "millrace-bench", command, *arguments)))
        results = {"kind": command, "machine": processor(), "command": " ".join(["millrace-bench", command, *arguments]),
                   "isQuick": asked.quick, "results": said}  # fmt: skip
        print(f"  {save(results).name}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
