#!/usr/bin/env python3
"""What it costs to lose nothing: every durability mode against the disk's own syncs, snapshots, replay, and the start of a big server.

  modes       one request under way on each connection, by rows of a batch: no data directory, memory, written, synced; beside them what
              writing as many bytes and syncing them costs in the same directory (floors/sync.c)
  snapshots   latencies of an open loop with a snapshot every few seconds and with none
  replay      a server that was killed reads its log again, against the engine alone over the same events on the same core
  start       from exec to the first connection, after a snapshot of many keys, with the files in the page cache and without

The programs take turns; every single figure is in the JSON file named at the end, from which report.py writes docs/performance.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import millrace
import numpy as np
from encode import write_frames
from generate import ROW, generate
from run import BUILD, CLIENT_CORE, HERE, RELEASE, SERVER_CORE, alternated, build, engine_alone, output, pinned, processor, save

MODES = ("no data directory", "memory", "written", "synced")
NEVER = 0


class Server:
    """One start of a server over `data`, or without any; ready when this returns."""

    def __init__(self, definitions: Path, data: Path | None, *options, cores: int = 1):
        self.path = BUILD / "durability.sock"
        self.path.unlink(missing_ok=True)
        command = [RELEASE / "millrace", "serve", definitions, "--listen", f"unix:{self.path}", "--listen", "127.0.0.1:0", "--cores", cores]
        command += ["--data", data] if data else []
        command += options
        self.log = BUILD / "durability.log"
        with open(self.log, "wb") as log:
            begin = time.monotonic()
            words = pinned(SERVER_CORE, *command) if cores == 1 else [str(word) for word in command]
            self.process = subprocess.Popen(words, stdout=log, stderr=log)
            while True:
                try:
                    self.client = millrace.connect(f"unix:{self.path}")
                    break
                except OSError:
                    if self.process.poll() is not None:
                        sys.exit(f"the server did not start:\n{self.text()}")
                    time.sleep(0.002)
            self.start_seconds = time.monotonic() - begin
        # It may answer before it has said where.
        while not (address := re.search(r"127\.0\.0\.1:(\d+)", self.text())):
            time.sleep(0.002)
        self.port = int(address[1])

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def status(self) -> dict[str, float]:
        return {entry.name: entry.value for entry in self.client.status().entries if not entry.label}

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.client.close()
        self.process.send_signal(how)
        self.process.wait()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_) -> None:
        self.end()


@contextlib.contextmanager
def directory(asked: argparse.Namespace):
    """An empty data directory, on the disk that is measured."""
    path = Path(asked.directory) / f"millrace-durability-{os.getpid()}"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def frames(name: str, rows: np.ndarray, batch_rows: int) -> Path:
    path = BUILD / f"durability-{name}-{len(rows)}-{batch_rows}.frames"
    if not path.exists():
        write_frames(rows, path, batch_rows)
    return path


# MARK: Modes


def trips(mode: str, file: Path, connections: int, asked: argparse.Namespace) -> dict:
    with directory(asked) as data:
        options = ("--durability", mode, "--snapshot-interval", NEVER) if mode != MODES[0] else ()
        with Server(HERE / "light.sql", data / "data" if options else None, *options) as server:
            return json.loads(output(pinned(CLIENT_CORE, BUILD / "roundtrip", server.port, file, connections, 0)))


def syncs(byte_count: int, count: int, asked: argparse.Namespace) -> dict:
    with directory(asked) as data:
        return json.loads(output(pinned(CLIENT_CORE, BUILD / "sync", data, byte_count, count)))


def modes(asked: argparse.Namespace) -> list[dict]:
    found = []
    for batch_rows in asked.batches:
        file = frames("modes", generate(batch_rows * asked.requests, 20_000), batch_rows)
        sample = trips(MODES[0], file, 1, asked)
        measurements = {"fdatasync": lambda: syncs(sample["requestBytes"], asked.syncs, asked)}  # noqa: B023
        for connections in asked.connections:
            for mode in MODES:
                measurements[f"{mode}, {connections}"] = (
                    lambda mode=mode, connections=connections: trips(mode, file, connections, asked))  # noqa: B023
        taken = alternated(asked.repeats, measurements)
        print(f"\nBatches of {batch_rows:,} rows, {sample['requestBytes']:,} bytes; connections with one request under way each\n")
        print(f"  {'':<28}{'requests/s':>12}{'p50 µs':>12}{'p99 µs':>12}{'p99.9 µs':>12}")
        for name, figures in taken.items():
            middle = (statistics.median(figure[key] for figure in figures) for key in ("perSecond", "p50_us", "p99_us", "p999_us"))
            print(f"  {name:<28}" + "".join(f"{value:>12,.0f}" for value in middle))
        found.append({"batchRows": batch_rows, "requestBytes": sample["requestBytes"], "taken": taken})
    return found


# MARK: Snapshots


def open_loop(interval: float, rate: float | None, asked: argparse.Namespace) -> dict:
    definitions, report = BUILD / "durability-load.sql", BUILD / "durability-load.json"
    definitions.write_text(output([str(RELEASE / "millrace-load"), "card-fraud", "--print-definitions"]))
    pace = ["--rate", f"{rate:.0f}"] if rate else ["--closed", "--in-flight", 4]
    with directory(asked) as data:
        # Or the system's finding memory for the state is most of what is late.
        memory = ("--preallocate", "1G")
        with Server(definitions, data / "data", "--durability", "written", "--snapshot-interval", interval, *memory) as server:
            output(pinned(
                CLIENT_CORE, RELEASE / "millrace-load", "card-fraud", "--connect", f"unix:{server.path}", "--batch", 64, "--connections", 4,
                "--duration", asked.seconds, "--event-rate", 100, "--quiet", "--json", report, *pace))  # fmt: skip
            found = json.loads(report.read_text())
            latency = found["latencies"][0]
            taken = len(re.findall(r"snapshot of sequence \d+ published", server.text()))
            return {"snapshots": taken, "eventsPerSecond": found["eventsPerSecond"],
                    **{f"{key}_us": latency[key] / 1e3 for key in ("p50", "p99", "p999", "max")}}  # fmt: skip


def snapshots(asked: argparse.Namespace) -> dict:
    most = open_loop(NEVER, None, asked)["eventsPerSecond"]
    rate = most * asked.share
    taken = alternated(asked.repeats, {
        "none": lambda: open_loop(NEVER, rate, asked),
        f"every {asked.interval:g} s": lambda: open_loop(asked.interval, rate, asked)})  # fmt: skip
    print(f"\n{rate:,.0f} events a second in batches of 64, {asked.share:.0%} of the most, for {asked.seconds} s\n")
    print(f"  {'snapshots':<16}{'taken':>8}{'p50 µs':>12}{'p99 µs':>12}{'p99.9 µs':>12}{'max µs':>12}")
    for name, figures in taken.items():
        keys = ("snapshots", "p50_us", "p99_us", "p999_us", "max_us")
        middle = [statistics.median(figure[key] for figure in figures) for key in keys]
        print(f"  {name:<16}{middle[0]:>8.0f}" + "".join(f"{value:>12,.0f}" for value in middle[1:]))
    return {"rate": rate, "share": asked.share, "seconds": asked.seconds, "taken": taken}


# MARK: Replay


def replayed(workload: str, file: Path, events: int, asked: argparse.Namespace) -> float:
    """Nanoseconds an event."""
    with directory(asked) as data:
        options = (data / "data", "--durability", "written", "--snapshot-interval", NEVER)
        server = Server(HERE / f"{workload}.sql", *options)
        output(pinned(CLIENT_CORE, BUILD / "load", server.port, file, 16))
        server.end(signal.SIGKILL)
        with Server(HERE / f"{workload}.sql", *options) as server:
            status = server.status()
            if status["recovered_events"] != events:
                sys.exit(f"{status['recovered_events']} of {events} events were recovered")
            return status["recovery"] / events * 1e9


def replay(asked: argparse.Namespace) -> list[dict]:
    rows = generate(asked.events, 20_000)
    path = BUILD / f"{asked.events}-20000.bin"
    rows.tofile(path)
    found = []
    for workload in ("light", "full"):
        file = frames("replay", rows, 1_024)
        taken = alternated(asked.repeats, {
            "engine alone": lambda: engine_alone(workload, path)["nanosecondsPerEvent"],  # noqa: B023
            "replay of the log": lambda: replayed(workload, file, asked.events, asked)})  # noqa: B023  # fmt: skip
        engine, log = (statistics.median(taken[name]) for name in taken)
        print(f"\n{workload}.sql, {asked.events:,} events: engine alone {engine:.1f} ns/event, replay {log:.1f}, "
              f"{engine / log:.2f} of its rate")  # fmt: skip
        found.append({"workload": workload, "events": asked.events, "nanosecondsPerEvent": taken})
    return found


# MARK: Start


def keyed(keys: int) -> np.ndarray:
    """One event a key."""
    rows = np.zeros(keys, dtype=ROW)
    rows["card"] = np.random.Generator(np.random.PCG64(1)).permutation(keys).astype(np.int64) * 7_919
    rows["merchant"] = rows["card"] % 1_000
    rows["amount"] = 1.5
    rows["ts"] = 1_700_000_000_000_000 + np.arange(keys, dtype=np.int64)
    return rows


def start(asked: argparse.Namespace) -> dict:
    file = frames("keys", keyed(asked.keys), 1_024)
    with directory(asked) as data:
        options = (data / "data", "--memory", asked.memory, "--durability", "written", "--snapshot-interval", 86_400)
        server = Server(HERE / "light.sql", *options, cores=asked.cores)
        output(pinned(CLIENT_CORE, BUILD / "load", server.port, file, 16))
        # A server that is told to stop takes a snapshot.
        server.end()
        taken: dict[str, list[float]] = {"page cache": [], "disk": []}
        for _ in range(asked.repeats):
            for what in taken:
                if what == "disk" and not drop_caches():
                    continue
                server = Server(HERE / "light.sql", *options, cores=asked.cores)
                taken[what].append(server.start_seconds)
                keys = server.status()["keys"]
                if keys != asked.keys:
                    sys.exit(f"{keys:.0f} of {asked.keys} keys are there")
                server.end(signal.SIGKILL)
        size = sum(path.stat().st_size for path in (data / "data/snapshots").iterdir())
        if size == 0:
            sys.exit("no snapshot was taken when the server stopped")
    print(f"\n{asked.keys:,} keys of light.sql, {asked.cores} cores, {size / 1e6:,.0f} MB in the snapshot: ready after "
          + ", ".join(f"{statistics.median(seconds):.2f} s ({what})" for what, seconds in taken.items() if seconds))  # fmt: skip
    return {"keys": asked.keys, "cores": asked.cores, "snapshotBytes": size, "seconds": taken}


def drop_caches() -> bool:
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("1")
        return True
    except OSError:
        return False


PARTS = {"modes": modes, "snapshots": snapshots, "replay": replay, "start": start}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--directory", default=str(BUILD), help="on the disk that is to be measured")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 64, 1_024], help="rows")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--requests", type=int, default=10_000, help="of each measurement of a mode")
    parser.add_argument("--syncs", type=int, default=2_000, help="of each measurement of the disk")
    parser.add_argument("--seconds", type=int, default=20, help="of each open loop")
    parser.add_argument("--share", type=float, default=0.5, help="of the closed loop's rate, in the open loops")
    parser.add_argument("--interval", type=float, default=2, help="seconds between snapshots")
    parser.add_argument("--events", type=int, default=4_000_000, help="to be replayed")
    parser.add_argument("--keys", type=int, default=10_000_000, help="of the server that starts")
    parser.add_argument("--memory", default="8G", help="of the server that starts")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="of the server that starts")
    asked = parser.parse_args()

    build()
    print(f"{processor()}; medians of {asked.repeats} alternated runs; data in {asked.directory}")
    results = {"kind": "durability", "machine": processor(), "repeats": asked.repeats,
               "command": "python3 benchmarks/" + " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])}  # fmt: skip
    for part in asked.parts:
        results[part] = PARTS[part](asked)
    print(f"\nAll figures: {save(results).relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
