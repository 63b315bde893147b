#!/usr/bin/env python3
"""Millrace against hand-written C, on this machine, in one run.

For the workloads light.sql and full.sql, at 100 and at 20,000 events a second of event time: the same features in C over events in
memory (floors/cardfraud.c), our engine alone on one thread with no wire, and our server over loopback (batches of 1,024 events;
the server on one core, the client on another); with --peers also DuckDB, over the whole table at once, and with --redis exact light
features in Redis. Then one event's round trip, against an echo's (floors/netping.c). The programs take turns, and medians are
printed; every single figure is in the JSON file named at the end, from which report.py writes docs/performance.md.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import platform
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import millrace
import peers
from encode import write_frames
from generate import ROW, generate

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build"
RELEASE = HERE.parent / ".build/release"
# Of event time: at the first every window of 10 million events evicts, at the second none does.
RATES = (100, 20_000)
BATCH_ROWS = 1_024
BATCHES_IN_FLIGHT = 16
# What the server has had from the system before it is measured: more than the workloads need.
STATE_BYTES = "2G"
ROUND_TRIPS = 20_000
SERVER_CORE, CLIENT_CORE = 0, 1
WORKLOADS = ("light", "full")


# MARK: Preparing


def build() -> None:
    """The C programs, unless they are there."""
    BUILD.mkdir(exist_ok=True)
    for source in (*(HERE / "floors" / name for name in ("cardfraud.c", "netping.c", "sync.c")), HERE / "load.c", HERE / "roundtrip.c"):
        program = BUILD / source.stem
        newest = max(part.stat().st_mtime for part in (source, HERE / "frames.h"))
        if not program.exists() or program.stat().st_mtime < newest:
            subprocess.run(["cc", "-O3", "-march=native", "-o", program, source, "-lm"], check=True)


def prepare(events: int, rate: int) -> dict[str, Path]:
    """Writes the data, unless they are there."""
    files = {kind: BUILD / f"{events}-{rate}{suffix}" for kind, suffix in
             {"rows": ".bin", "batches": ".frames", "single": ".single.frames"}.items()}  # fmt: skip
    if not files["rows"].exists():
        print(f"generating {events:,} events …", flush=True)
        generate(events, rate).tofile(files["rows"])
    for kind, rows_max, batch_rows in (("batches", events, BATCH_ROWS), ("single", ROUND_TRIPS, 1)):
        if not files[kind].exists():
            write_frames(np.fromfile(files["rows"], dtype=ROW, count=rows_max), files[kind], batch_rows)
    return files


# MARK: Measuring


def pinned(core: int, *command) -> list[str]:
    """On a core of its own where the machine has one to give."""
    return ["taskset", "-c", str(core % os.cpu_count()), *map(str, command)]


def output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} exited {done.returncode}:\n{done.stderr}")
    return done.stdout


def hand_written(workload: str, rows: Path) -> float:
    """Nanoseconds an event; the better of two passes, so that the floor is no higher than it has to be."""
    said = output(pinned(SERVER_CORE, BUILD / "cardfraud", rows, workload, 1, 1, 2))
    return min(float(figure) for figure in re.findall(r"([\d.]+) ns/event", said))


def engine_alone(workload: str, rows: Path) -> dict:
    """Nanoseconds an event, as the C program's: the better of two passes; and memory, measured and as `explain` says it."""
    bench = [RELEASE / "millrace-bench", HERE / f"{workload}.sql", rows, "--batch-rows", BATCH_ROWS, "--passes", 2]
    return json.loads(output(pinned(SERVER_CORE, *bench)))


@contextlib.contextmanager
def serving(definitions: Path, poll: str, cores: int = 1, preallocate: str | None = None):
    """The port of a fresh server: on one core of the machine, or on as many as it is to use.

    What the engine alone uses it has had from the system beforehand: a server that is held against it is to `preallocate` as well.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = [RELEASE / "millrace", "serve", definitions, "--listen", f"127.0.0.1:{port}", "--poll", poll]
    command = [*map(str, serve), "--cores", str(cores), *(["--preallocate", preallocate] if preallocate else [])]
    with open(BUILD / "server.log", "wb") as log:
        server = subprocess.Popen(pinned(SERVER_CORE, *command) if cores == 1 else command, stdout=log, stderr=log)
    try:
        millrace.connect(f"127.0.0.1:{port}", wait=60).close()
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)


def served(workload: str, frames: Path, events: int) -> float:
    with serving(HERE / f"{workload}.sql", "adaptive", preallocate=STATE_BYTES) as port:
        said = output(pinned(CLIENT_CORE, BUILD / "load", port, frames, BATCHES_IN_FLIGHT))
    return json.loads(said)["seconds"] / events * 1e9


def trips(workload: str, frames: Path, connections: int, poll: str, cores: int = 1) -> dict:
    with serving(HERE / f"{workload}.sql", poll, cores) as port:
        return json.loads(output(pinned(CLIENT_CORE, BUILD / "roundtrip", port, frames, connections, int(poll == "spin"))))


def echo(message_bytes: int, connections: int, poll: str) -> dict:
    said = output([str(BUILD / "netping"), *map(str, (message_bytes, connections, ROUND_TRIPS, int(poll == "spin")))])
    p50, p99 = re.search(r"p50=([\d.]+)us p99=([\d.]+)us", said).groups()
    return {"p50_us": float(p50), "p99_us": float(p99)}


def alternated(repeats: int, measurements: dict) -> dict[str, list]:
    """Each measurement `repeats` times, taking turns, so that a slow minute of the machine hits all of them."""
    taken: dict[str, list] = {name: [] for name in measurements}
    for turn in range(repeats):
        for name, measure in measurements.items():
            print(f"\r\033[K{name}, {turn + 1} of {repeats} …" if sys.stdout.isatty() else "", end="", flush=True)
            taken[name].append(measure())
    print("\r\033[K" if sys.stdout.isatty() else "", end="", flush=True)
    return taken


# MARK: Reporting


def throughput(workload: str, rate: int, files: dict[str, Path], asked: argparse.Namespace) -> dict:
    memory: dict = {}

    def engine() -> float:
        memory.update(engine_alone(workload, files["rows"]))
        return memory["nanosecondsPerEvent"]

    measurements = {
        "hand-written C": lambda: hand_written(workload, files["rows"]),
        "engine alone": engine,
        "server over loopback": lambda: served(workload, files["batches"], asked.events),
    }
    if asked.peers:
        measurements["DuckDB, offline"] = peers.duckdb(HERE / f"{workload}.sql", files["rows"], asked.peer_events)
    if asked.redis and workload == "light":
        measurements["Redis, Lua, pipelined"] = lambda: peers.redis(files["rows"], min(asked.peer_events, asked.events))
    taken = alternated(asked.repeats, measurements)
    floor = statistics.median(taken["hand-written C"])
    print(f"\n{workload}.sql, {asked.events:,} events, {rate:,} a second of event time\n")
    print(f"  {'':<22}{'ns/event':>10}{'M events/s':>12}{'ratio':>8}")
    for name, figures in taken.items():
        median = statistics.median(figures)
        print(f"  {name:<22}{median:>10.1f}{1e3 / median:>12.2f}{median / floor:>8.2f}")
    measured, predicted = memory["reservedBytes"], memory["predictedBytes"]
    print(f"  state {measured / 1e6:,.1f} MB for {memory['keys']:,} keys; explain says {predicted / 1e6:,.1f} MB")
    return {"workload": workload, "eventsPerSecond": rate, "nanosecondsPerEvent": taken, "memory": memory}


def round_trip(files: dict[str, Path], repeats: int) -> dict[str, list[dict]]:
    """One event there and its answer back; the echo's messages are as long as ours are, half of both."""
    single = files["single"]
    sample = trips("full", single, 1, "block")
    message_bytes = (sample["requestBytes"] + sample["answerBytes"]) // 2
    measurements = {}
    for connections in (1, 32):
        for poll, what in (("block", "blocking"), ("spin", "spinning")):
            case = f"{what}, {connections} connection{'s' if connections > 1 else ''}"
            given = {"connections": connections, "poll": poll}
            measurements[f"echo, {case}"] = functools.partial(echo, message_bytes, **given)
            for workload in WORKLOADS:
                measurements[f"{workload}, {case}"] = functools.partial(trips, workload, single, **given)
            # Two cores that spin and a client that does too need three.
            if poll == "block" or os.cpu_count() > 2:
                measurements[f"full on 2 cores, {case}"] = functools.partial(trips, "full", single, cores=2, **given)
    taken = alternated(repeats, measurements)
    print(f"\nOne event at a time and connection over loopback, {ROUND_TRIPS:,} round trips of {message_bytes} bytes each way\n")
    print(f"  {'':<42}{'p50 µs':>10}{'ratio':>8}{'p99 µs':>10}{'ratio':>8}")
    for name, figures in taken.items():
        p50, p99 = (statistics.median(figure[key] for figure in figures) for key in ("p50_us", "p99_us"))
        if name.startswith("echo"):
            floor = (p50, p99)
        print(f"  {name:<42}{p50:>10.1f}{p50 / floor[0]:>8.2f}{p99:>10.1f}{p99 / floor[1]:>8.2f}")
    return taken


def processor() -> str:
    models = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return f"{models[0] if models else platform.machine()}, {os.cpu_count()} cores"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=4_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rates", type=int, nargs="+", default=RATES, help="events a second of event time")
    parser.add_argument("--peers", action="store_true", help="DuckDB too")
    parser.add_argument("--redis", action="store_true", help="Redis too; installs redis-server and libhiredis-dev if they are missing")
    parser.add_argument("--peer-events", type=int, default=1_000_000, help="events at most for DuckDB and Redis")
    asked = parser.parse_args()

    build()
    if asked.redis:
        peers.install_redis()
    print(f"{processor()}; medians of {asked.repeats} alternated runs")
    results = {"kind": "cards", "machine": processor(), "events": asked.events, "repeats": asked.repeats, "throughput": [],
               "command": "python3 benchmarks/" + " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])}  # fmt: skip
    for rate in asked.rates:
        files = prepare(asked.events, rate)
        for workload in WORKLOADS:
            results["throughput"].append(throughput(workload, rate, files, asked))
    results["roundTrips"] = round_trip(prepare(asked.events, asked.rates[0]), asked.repeats)
    print(f"\nAll figures: {save(results).relative_to(HERE.parent)}")


def save(results: dict) -> Path:
    path = HERE / "results" / f"{results['kind']}-{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2))
    return path


if __name__ == "__main__":
    main()
