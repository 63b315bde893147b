#!/usr/bin/env python3
"""Trades joined with instruments and users: our engine against a ring buffer between two threads (floors/join.rs).

Both take the same mix of messages, nine trades for each instrument that is replaced, and answer each trade with the text of its
instrument and user. Ours runs the preset `trades` of millrace-load, whose symbol is formatted as OCC does, in batches of 1,024 on one
thread; the peer makes its messages on one thread and joins them on the other. They take turns, and medians are printed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys

from run import BUILD, HERE, RELEASE, SERVER_CORE, alternated, output, pinned, processor, save


def build_peer() -> None:
    source, program = HERE / "floors/join.rs", BUILD / "join"
    BUILD.mkdir(exist_ok=True)
    if program.exists() and program.stat().st_mtime > source.stat().st_mtime:
        return
    if shutil.which("rustc") is None:
        sys.exit("rustc is not here: install Rust (apt-get install rustc) to build floors/join.rs")
    subprocess.run(["rustc", "-O", "-C", "target-cpu=native", "-o", program, source], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    build_peer()

    def peer(hash_function: str, *spin: str):
        return lambda: json.loads(output([str(BUILD / "join"), str(asked.messages), "cheap", hash_function, *spin]))

    bench = [RELEASE / "millrace-bench", "trades", "--messages", asked.messages, "--passes", 1]
    taken = alternated(
        asked.repeats,
        {
            "ring buffer, two threads": peer("sip"),
            "the same, spinning": peer("sip", "spin"),
            "the same, faster hash": peer("fast"),
            "our engine, one thread": lambda: json.loads(output(pinned(SERVER_CORE, *bench))),
        },
    )
    seconds = {name: statistics.median(run["seconds"] for run in runs) for name, runs in taken.items()}
    best = min(value for name, value in seconds.items() if not name.startswith("our"))
    print(f"{processor()}; {asked.messages:,} messages, medians of {asked.repeats} alternated runs\n")
    print(f"  {'':<26}{'ns/message':>12}{'M messages/s':>14}{'of the best peer':>18}")
    for name, value in seconds.items():
        print(f"  {name:<26}{value / asked.messages * 1e9:>12.1f}{asked.messages / value / 1e6:>14.2f}{best / value:>17.2f}x")
    command = " ".join(["python3 benchmarks/trades.py", *sys.argv[1:]])
    path = save({"kind": "trades", "machine": processor(), "messages": asked.messages, "command": command, "runs": taken})
    print(f"\nAll figures: {path.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
