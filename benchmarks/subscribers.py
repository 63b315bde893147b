"""What 100 subscribers that stop reading cost everyone else: pairs of runs, with and without them, in alternation.

python benchmarks/subscribers.py [--pairs 9] [--subscribers 100] [--batch 1] [--rate 2000] [--seconds 8]

Each run starts a server on one core and `millrace-load` on another, at a fixed rate of `compute` requests for the card fraud
preset. With subscribers, every one of them follows the view, reads what the server sends until the socket is quiet, and stops:
that many more rows then flow past them. Printed are the medians of the pairs: the p99 of the round trip, the server's processor
time an event, and the memory that the server says it keeps for subscribers, beside its bound."""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "clients/python"))

import millrace  # noqa: E402
from millrace import _frames, _messages  # noqa: E402
from millrace._connection import Connection  # noqa: E402
from millrace._flatbuffers import encode  # noqa: E402

BINARIES = Path(os.environ.get("MILLRACE_BINARIES", ROOT / ".build/release"))
MEMORY_BOUND = 256 << 20
# Or the system's finding memory for the state is most of what is late.
STATE_BYTES = "1G"


def pinned(core: int):
    allowed = sorted(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {allowed[core % len(allowed)]})


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stopped_subscriber(address: str, view: str) -> Connection:
    """Subscribed, with the small socket buffer of a peer far away, and never read again."""
    connection = Connection(address, token=None, timeout=30, name="stopped")
    connection._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.request(_frames.Kind.SUBSCRIBE, encode(_messages.SUBSCRIBE, {"view": view}))
    return connection


def measure(definitions: Path, folder: Path, options, subscribers: int) -> dict:
    address = f"unix:{folder}/server.sock"
    log = open(folder / "server.log", "wb")
    server = subprocess.Popen(
        [BINARIES / "millrace", "serve", definitions, "--listen", address, "--cores", "1", "--subscriber-memory", str(MEMORY_BOUND),
         "--preallocate", STATE_BYTES],
        stdout=log, stderr=log, preexec_fn=pinned(0))
    try:
        with millrace.connect(address, wait=60) as control:
            # Features are computed in both kinds of run, so that what is compared is the subscribers alone.
            stopped = [stopped_subscriber(address, options.view) for _ in range(subscribers)]
            load = [BINARIES / "millrace-load", options.preset, "--connect", address, "--quiet", "--pool", "20k", "--batch", str(options.batch)]
            load += ["--rate", str(options.rate * options.batch)] if options.rate else ["--closed"]
            warm = subprocess.run([*load, "--duration", f"{options.seconds}s", "--warm-up", "0s"], preexec_fn=pinned(1), capture_output=True)
            if warm.returncode:
                raise SystemExit(warm.stderr.decode())
            result = folder / "load.json"
            before, rows_before = processor_seconds(server.pid), rows(control)
            done = subprocess.run(
                [*load, "--duration", f"{options.seconds}s", "--warm-up", "1s", "--json", result], preexec_fn=pinned(1), capture_output=True)
            if done.returncode:
                raise SystemExit(done.stderr.decode())
            spent, answered = processor_seconds(server.pid) - before, rows(control) - rows_before
            entries = {entry.name: entry.value for entry in control.status().entries if not entry.label}
            for connection in stopped:
                connection.close()
    finally:
        server.terminate()
        server.wait()
    report = json.loads(result.read_text())
    return {
        "p99_us": latency(report, "p99"),
        "nanoseconds": spent / answered * 1e9,
        "memory": entries["subscriber_memory"],
        "lagging": entries["subscribers_lagging"],
    }


def rows(control: millrace.Server) -> float:
    return sum(entry.value for entry in control.status().entries if entry.name == "rows")


def latency(report: dict, name: str) -> float:
    """The first figure of this name, which is in nanoseconds, in microseconds."""
    open_ = [report]
    while open_:
        part = open_.pop(0)
        if isinstance(part, dict):
            for key, value in part.items():
                if key.lower().startswith(name) and isinstance(value, (int, float)):
                    return value / 1_000
            open_ += part.values()
        elif isinstance(part, list):
            open_ += part
    raise SystemExit(f"the load's report has no {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--subscribers", type=int, default=100)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rate", type=int, default=2_000, help="requests a second; 0: as many as the server takes")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--preset", default="card-fraud")
    parser.add_argument("--view", default="card_risk")
    options = parser.parse_args()
    definitions = subprocess.run(
        [BINARIES / "millrace-load", options.preset, "--print-definitions"], check=True, capture_output=True).stdout
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "definitions.sql"
        path.write_bytes(definitions)
        for number in range(options.pairs):
            order = [0, options.subscribers] if number % 2 == 0 else [options.subscribers, 0]
            found = {count: measure(path, Path(folder), options, count) for count in order}
            without, with_them = found[0], found[options.subscribers]
            pairs.append((without, with_them))
            print(
                f"pair {number + 1}: p99 {without['p99_us']:.0f} -> {with_them['p99_us']:.0f} us, "
                f"{without['nanoseconds']:.0f} -> {with_them['nanoseconds']:.0f} ns/event, "
                f"{with_them['memory'] / 2**20:.1f} MiB, {with_them['lagging']:.0f} lagging", flush=True)

    def moved(name: str) -> float:
        return statistics.median((after[name] / before[name] - 1) * 100 for before, after in pairs)

    print(f"{options.subscribers} stopped subscribers, batches of {options.batch}, median of {options.pairs} pairs:")
    print(f"  p99 {moved('p99_us'):+.1f} %, processor time an event {moved('nanoseconds'):+.1f} %")
    print(f"  memory {max(after['memory'] for _, after in pairs) / 2**20:.1f} MiB of {MEMORY_BOUND / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
