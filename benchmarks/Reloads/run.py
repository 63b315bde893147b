#!/usr/bin/env python3
"""Changes a server's definitions again and again while connections send as fast as they are answered.

Every answered row is checked in closed form for the definitions whose version its frame carries (definition_sets.py, load.py), and a subscriber
checks that no row is lost. In turn: the undisturbed load; the same with reloads among 20 sets of definitions; the same with wrong definitions
applied one after the other. Prints p99 of a batch's answer in each, the memory before and after, and what was wrong; exits with 1
where anything was. `make reloads` runs it in full.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import definition_sets
import millrace
from load import Loader, Watcher, work

ROOT = Path(__file__).resolve().parents[2]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=ROOT / ".build/release/millrace")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--reloads", type=int, default=200)
    parser.add_argument("--broken", type=int, default=1_000)
    parser.add_argument("--interval", type=float, default=0.25, help="seconds from one reload to the next")
    parser.add_argument("--undisturbed", type=float, default=30, help="seconds")
    parser.add_argument("--settle", type=float, default=9, help="seconds before and after, for frames to fill and to empty")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="a JSON file for the figures")
    return parser.parse_args()


class RunningServer:
    def __init__(self, binary: Path, cores: int, folder: Path, text: str):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        definitions = folder / "definitions.sql"
        definitions.write_text(text)
        self.log = folder / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [binary, "serve", definitions, "--listen", self.address, "--cores", str(cores)], stdout=log, stderr=log)
        self.control = millrace.connect(self.address, wait=20, timeout=120)

    def resident_megabytes(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1_024

    def entry(self, name: str, label: str = "") -> float:
        return next(entry.value for entry in self.control.status().entries if (entry.name, entry.label) == (name, label))

    def memory(self) -> dict:
        return {"resident_mb": round(self.resident_megabytes(), 1), "state_mb": round(self.entry("memory_used") / 2**20, 1)}

    def __enter__(self) -> RunningServer:
        return self

    def __exit__(self, *_) -> None:
        """Nothing is left running, whatever went wrong."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.control.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


class Phase:
    WARM_UP, UNDISTURBED, RELOADS, BROKEN, AFTER = range(5)


def reload(server: RunningServer, sets: list[str], count: int, interval: float, answers, versions: dict, problems: list) -> None:
    """Ends with the set it began with. Every version answers something."""
    for number in range(1, count + 1):
        due = time.monotonic() + interval
        chosen = 0 if number == count else (number * 7 + number // definition_sets.SETS) % definition_sets.SETS
        applied = server.control.apply(sets[chosen])
        if applied.is_applied:
            versions[applied.definitions] = chosen
        elif versions[applied.definitions] != chosen:
            problems.append(f"reload {number} was not applied: {applied.report}")
        time.sleep(max(0.0, due - time.monotonic()))
        await_answers(answers, problems)


def await_answers(answers, problems: list) -> None:
    """Until all that was under way, and more, has been answered."""
    enough, deadline = answers.value + 20, time.monotonic() + 60
    while answers.value < enough:
        if time.monotonic() > deadline:
            return problems.append("the load stands still")
        time.sleep(0.002)


def apply_broken(server: RunningServer, count: int, seed: int, problems: list) -> int:
    """Definitions that a dry run finds wrong are applied; returns how many."""
    before = server.entry("definitions"), server.entry("reloads", "done")
    refused = 0
    for text in definition_sets.broken(seed):
        if refused == count:
            break
        try:
            server.control.apply(text, dry_run=True)
            continue
        except millrace.DefinitionsError:
            pass
        try:
            server.control.apply(text)
            problems.append(f"wrong definitions were applied:\n{text}")
        except millrace.DefinitionsError as error:
            refused += 1
            if "error: " not in str(error):
                problems.append(f"wrong definitions have no diagnostic: {error}\n{text}")
    if (server.entry("definitions"), server.entry("reloads", "done")) != before:
        problems.append("wrong definitions changed the version in force")
    if server.entry("reloads", "failed") < refused:
        problems.append("the status does not count every failed reload")
    return refused


def main() -> int:
    options = arguments()
    problems: list[str] = []
    context = multiprocessing.get_context("spawn")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).resolve().parent), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        sets = [
            definition_sets.sql(number, options.connections) for number in range(definition_sets.SETS)]
        server = running.enter_context(RunningServer(options.binary, options.cores, Path(folder), sets[0]))
        phase, stop, queue = context.Value("i", Phase.WARM_UP), context.Event(), context.Queue()
        answers = context.Value("Q", 0)
        makers = [(Loader, server.address, number, phase, stop, answers) for number in range(options.connections)]
        makers.append((Watcher, server.address, stop))
        workers = [context.Process(target=work, args=(make, queue, *rest), daemon=True) for make, *rest in makers]
        for worker in workers:
            worker.start()
        await_answers(answers, problems)
        time.sleep(options.settle)
        memory = {"before": server.memory()}
        phase.value = Phase.UNDISTURBED
        time.sleep(options.undisturbed)
        memory["undisturbed"] = server.memory()
        versions = {1: 0}
        phase.value = Phase.RELOADS
        reload(server, sets, options.reloads, options.interval, answers, versions, problems)
        phase.value = Phase.BROKEN
        refused = apply_broken(server, options.broken, options.seed, problems)
        phase.value = Phase.AFTER
        # What the last reload left behind is given back in the course of batches.
        time.sleep(options.settle)
        memory["after"] = server.memory()
        stop.set()
        findings = [queue.get(timeout=120) for _ in workers]
        for worker in workers:
            worker.join()
        code = server.stop()
        if code != 0:
            problems.append(f"the server exited with {code}: {server.log.read_text()[-4_000:]}")
    return report(options, findings, versions, memory, refused, problems)


def report(options, findings, versions: dict, memory: dict, refused: int, problems: list) -> int:
    seen = set().union(*(finding.versions for finding in findings))
    problems += [f"a row of set {chosen} came as version {version}" for version, chosen in seen if versions.get(version) != chosen]
    for finding in findings:
        problems += finding.problems
    latencies: dict[int, np.ndarray] = {}
    for number in (Phase.UNDISTURBED, Phase.RELOADS, Phase.BROKEN):
        latencies[number] = np.concatenate(
            [np.array(finding.latencies.get(number, [])) for finding in findings])
    p50 = {number: float(np.percentile(values, 50)) if len(values) else 0.0 for number, values in latencies.items()}
    p99 = {number: float(np.percentile(values, 99)) if len(values) else 0.0 for number, values in latencies.items()}
    names = {Phase.UNDISTURBED: "undisturbed", Phase.RELOADS: "reloads", Phase.BROKEN: "broken"}
    figures = {
        "rows_checked": sum(finding.rows for finding in findings if finding.kind == "load"),
        "rows_watched": sum(finding.rows for finding in findings if finding.kind == "watch"),
        "reloads": len(versions) - 1, "versions_answered": len({version for version, _ in seen}), "broken_refused": refused,
        "batches": {names[number]: len(values) for number, values in latencies.items()},
        "p50_ms": {names[number]: round(value, 2) for number, value in p50.items()},
        "p99_ms": {names[number]: round(value, 2) for number, value in p99.items()},
        "p99_ratio": round(p99[Phase.RELOADS] / p99[Phase.UNDISTURBED], 2) if p99[Phase.UNDISTURBED] else None,
        "memory": memory, "problems": problems,
    }
    print(json.dumps(figures, indent=2))
    if options.output:
        options.output.write_text(json.dumps(figures))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
