"""Thousands of connections to one server, some of them active, for minutes: every reply is checked, and memory must stay flat.

    make connections                                  # 10,000 connections, 1,000 of them active at 10 events/s, 5 minutes
    python3 benchmarks/connections.py --connections 2000 --active 200 --seconds 10
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
RELEASE = ROOT / ".build" / "release"
# What memory may grow by between the first quarter of the run and its end: the allocator's own unrest.
GROWTH_MAX = 0.05
GROWTH_BYTES_MAX = 4 << 20


def resident_bytes(process: int) -> int:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Sampler(threading.Thread):
    """The resident bytes of a process, once a second, as pairs of seconds and bytes."""

    def __init__(self, process: int):
        super().__init__(daemon=True)
        self.process, self.samples, self.ends = process, [], threading.Event()
        self.start()

    def run(self) -> None:
        start = time.monotonic()
        while not self.ends.wait(1):
            self.samples.append((time.monotonic() - start, resident_bytes(self.process)))


def serve(socket: Path, binary: Path, *options) -> subprocess.Popen:
    command = [binary, "serve", ROOT / "benchmarks" / "connections.sql", "--listen", f"unix:{socket}", *options]
    server = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        if "ready on" in line:
            threading.Thread(target=server.stderr.read, daemon=True).start()
            return server
    raise AssertionError("the server did not start")


def run(address: str, server: int, *, connections: int, active: int, rate: int, seconds: int, idle_seconds: int = 2) -> dict:
    """Runs the load against the server with this process id; returns what was measured. Raises where an answer was wrong."""
    empty = resident_bytes(server)
    command = [RELEASE / "millrace-connections", "--connect", address, "--connections", connections, "--active", active,
               "--rate", rate, "--seconds", seconds, "--idle-seconds", idle_seconds]  # fmt: skip
    load = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    sampler, measured = None, {"empty": empty}
    for line in load.stdout:
        print(f"{line.rstrip()}; the server holds {resident_bytes(server) / 2**20:.1f} MiB", flush=True)
        if line.startswith("connected"):
            measured["connected"] = resident_bytes(server)
        elif line.startswith("idle"):
            measured["idle"] = resident_bytes(server)
            sampler = Sampler(server)
        elif line.startswith("done"):
            measured["done"] = line.strip()
    sampler and sampler.ends.set()
    if load.wait() != 0:
        raise AssertionError(f"the load ended with exit code {load.returncode}")
    # While events came; those that were idle until then open streams of their own at the end.
    measured["samples"] = [sample for sample in sampler.samples if sample[0] <= seconds]
    measured["idle_connection"] = (measured["idle"] - empty) / connections
    return measured


def growth(samples: list[tuple[float, int]]) -> tuple[int, int]:
    """Median of the second quarter of the run, and of its last."""
    quarter = max(1, len(samples) // 4)
    middle = lambda some: sorted(size for _, size in some)[len(some) // 2]  # noqa: E731
    return middle(samples[quarter : 2 * quarter]), middle(samples[-quarter:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--active", type=int, default=1_000)
    parser.add_argument("--rate", type=int, default=10, help="events a second of each active connection")
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--cores", type=int, default=1)
    asked = parser.parse_args()
    path = Path(f"/tmp/millrace-connections-{os.getpid()}.sock")
    port = 20_000 + os.getpid() % 10_000
    server = serve(path, RELEASE / "millrace", "--cores", asked.cores, "--listen", f"127.0.0.1:{port}")
    try:
        measured = run(f"127.0.0.1:{port}", server.pid, connections=asked.connections, active=asked.active, rate=asked.rate,
                       seconds=asked.seconds)  # fmt: skip
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait()
    early, late = growth(measured["samples"])
    print(f"An idle connection takes {measured['idle_connection']:.0f} bytes of the server's memory.")
    print(f"The server held {early / 2**20:.1f} MiB in the second quarter of the run, {late / 2**20:.1f} MiB in the last.")
    for seconds, size in measured["samples"][:: max(1, len(measured["samples"]) // 20)]:
        print(f"  {seconds:5.0f} s  {size / 2**20:7.1f} MiB")
    if code != 0:
        sys.exit(f"the server exited {code}")
    if late - early > max(GROWTH_BYTES_MAX, GROWTH_MAX * early):
        sys.exit("memory is not flat")


if __name__ == "__main__":
    main()
