#!/usr/bin/env python3
"""Writes the tables of docs/performance.md and the plot docs/performance.svg from the newest results of each kind.

A table stands between `<!-- figures: KIND -->` and `<!-- end of figures -->`; what is not measured stays as it is. --check changes
nothing and fails where the page does not say what the results say.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
from pathlib import Path

from plot import plot

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs/performance.md"
PLOT = HERE.parent / "docs/performance.svg"
POPULATIONS = ("10", "1000", "100000", "10000000")
BATCHES = ("1", "64", "1024", "8192")


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float | None, digits: int = 1) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.{digits}f}"


def source(result: dict) -> str:
    return f"`{result['command']}` on {result['machine']}:\n\n"


def spread(values: list[float]) -> float:
    return max(values) / min(values)


# MARK: Tables


def cards(result: dict) -> str:
    medians = [{name: statistics.median(taken) for name, taken in run["nanosecondsPerEvent"].items()} for run in result["throughput"]]
    names = list(dict.fromkeys(name for run in medians for name in run))
    header = [f"{result['events']:,} events"]
    for run in result["throughput"]:
        header += [f"{run['workload']}, {run['eventsPerSecond']:,}/s", "ratio"]
    rows = []
    for name in names:
        row = [name]
        for run in medians:
            row += [number(run[name]), f"{run[name] / run['hand-written C']:.2f}"] if name in run else ["", ""]
        rows.append(row)
    trips = []
    for name, taken in result["roundTrips"].items():
        p50, p99 = (statistics.median(figure[key] for figure in taken) for key in ("p50_us", "p99_us"))
        if name.startswith("echo"):
            floor = (p50, p99)
        trips.append([name, f"{p50:.1f}", f"{p50 / floor[0]:.1f}", f"{p99:.1f}", f"{p99 / floor[1]:.1f}"])
    return (
        source(result) + "Nanoseconds per event, and the ratio to C.\n\n" + table(header, rows) + "\n\n"
        + table(["one event's round trip", "p50, µs", "ratio", "p99, µs", "ratio"], trips)
    )  # fmt: skip


def estimates(result: dict) -> str:
    rows = []
    for run in result["throughput"]:
        memory = run["memory"]
        rows.append([f"{run['workload']}, {run['eventsPerSecond']:,} events a second", *estimate(memory, memory["reservedBytes"])])
    return source(result) + table(["", "keys", "measured, MB", "estimated, MB", "estimated / measured"], rows)


def estimate(memory: dict, measured: float) -> list[str]:
    predicted = memory["predictedBytes"]
    return [f"{memory['keys']:,}", f"{measured / 1e6:,.1f}", f"{predicted / 1e6:,.1f}", f"{predicted / measured:.2f}"]


def aggregates(result: dict) -> str:
    rows, refused = [], []
    for row in result["results"]["rows"]:
        if "refused" in row:
            refused.append(f"`{row['name']}`")
            continue
        taken = [row["byPopulation"].get(population) for population in POPULATIONS]
        known = [value for value in taken if value is not None]
        rows.append([
            f"`{row['name']}`", *(number(value) for value in taken), f"{spread(known):.1f}" if len(known) > 1 else "",
            number(row.get("manyKeys")), *(number(row["byBatchRows"].get(rows_)) for rows_ in BATCHES), number(row.get("bytesPerEvent")),
        ])  # fmt: skip
    header = ["", "10", "1,000", "100,000", "10 million", "slowest / fastest", f"{result['results']['keys']:,} keys", "1", "64", "1,024",
              "8,192", "bytes per event"]  # fmt: skip
    text = source(result) + table(header, rows)
    return text + (f"\n\nNot taken by the compiler that was measured: {', '.join(refused)}." if refused else "")


def features(result: dict) -> str:
    counts = ("1", "2", "10", "25", "50")
    rows = [
        [f"`{row['name']}`", *(number(row["nanosecondsPerEvent"][count]) for count in counts), number(row["perFurtherFeature"])]
        for row in result["results"] if "refused" not in row
    ]  # fmt: skip
    return source(result) + table(["features", *counts, "one more"], rows)


def memory(result: dict) -> str:
    said = result["results"]
    keys = said["manyKeys"]
    history = [[f"{row['eventsPerKey']:,}", f"{row['keys']:,}", number(row["bytesPerEvent"]), number(row["reservedBytesPerEvent"])]
               for row in said["history"]]  # fmt: skip
    idle = [[str(row["windows"]), str(row["aggregates"]), number(row["bytesPerKey"]), str(row["goalBytes"])] for row in said["idleKeys"]]
    predictions = [[row["name"], *estimate(row, row["measuredBytes"])] for row in said["predictions"]]
    moments = [[name, *(f"{keys[moment][kind] / 1e6:,.1f}" for kind in ("usedBytes", "reservedBytes", "residentBytes"))]
               for name, moment in (("before", "before"), ("all there", "full"), ("all gone", "after"))]  # fmt: skip
    return "\n\n".join([
        source(result).strip(),
        table(["events of a key", "keys", "bytes per event", "with what spans hold besides"], history),
        table(["windows", "aggregates", "bytes of an idle key", "goal"], idle),
        table([f"{keys['keys']:,} keys", "blocks, MB", "spans, MB", "resident, MB"], moments),
        f"The first event of every key took {keys['firstTouchNanoseconds']:.0f} ns each, one more event of every key "
        f"{keys['touchNanoseconds']:.0f} ns each; {keys['keysAfter']:,} keys were left in the end.",
        table(["", "keys", "measured, MB", "estimated, MB", "estimated / measured"], predictions),
    ])  # fmt: skip


def allocations(result: dict) -> str:
    rows = result["results"]
    some = [f"`{row['name']}` over {row['frame']}, {row['mode']}: {row['allocations']}" for row in rows if row["allocations"]]
    text = f"{len(rows):,} combinations of function, frame and kind of batch, a thousand batches each: "
    return source(result) + text + ("no allocation." if not some else "allocations in " + "; ".join(some) + ".")


def medians(figures: list[dict], *keys: str) -> list[str]:
    return [number(statistics.median(figure[key] for figure in figures), 0) for key in keys]


def durability_modes(result: dict) -> str:
    rows = [
        [f"{run['batchRows']:,} ({run['requestBytes']:,} bytes)", name,
         *medians(figures, "perSecond", "p50_us", "p99_us", "p999_us")]
        for run in result["modes"] for name, figures in run["taken"].items()
    ]  # fmt: skip
    header = ["rows of a batch", "durability, connections", "batches/s", "p50, µs", "p99, µs", "p99.9, µs"]
    return source(result) + table(header, rows)


def durability_snapshots(result: dict) -> str:
    measured = result["snapshots"]
    rows = [[name, *medians(figures, "snapshots", "p50_us", "p99_us", "p999_us", "max_us")] for name, figures in measured["taken"].items()]
    text = f"{number(measured['rate'])} events a second in batches of 64, for {measured['seconds']} s.\n\n"
    return source(result) + text + table(["snapshots", "taken", "p50, µs", "p99, µs", "p99.9, µs", "longest, µs"], rows)


def durability_recovery(result: dict) -> str:
    rows = []
    for run in result["replay"]:
        engine, log = (statistics.median(run["nanosecondsPerEvent"][name]) for name in ("engine alone", "replay of the log"))
        rows.append([run["workload"], f"{run['events']:,}", number(engine), number(log), f"{engine / log:.2f}"])
    began = result["start"]
    starts = [[name, f"{statistics.median(seconds):.2f}"] for name, seconds in began["seconds"].items() if seconds]
    return (
        source(result) + table(["", "events", "engine alone, ns/event", "replay, ns/event", "replay's rate / engine's"], rows) + "\n\n"
        + table([f"{began['keys']:,} keys, {began['snapshotBytes'] / 1e6:,.0f} MB of snapshot, {began['cores']} cores", "ready after, s"],
                starts)
    )  # fmt: skip


TABLES = {
    "cards": ("cards", cards), "estimates": ("cards", estimates), "aggregates": ("aggregates", aggregates),
    "features": ("features", features), "memory": ("memory", memory),
    "allocations": ("allocations", allocations),
    **{part.__name__.replace("_", "-"): ("durability", part) for part in (durability_modes, durability_snapshots, durability_recovery)},
}  # fmt: skip


PARTS_NEEDED = {"durability-modes": {"modes"}, "durability-snapshots": {"snapshots"}, "durability-recovery": {"replay", "start"}}


# MARK: The page


def newest(kind: str, results: Path) -> dict | None:
    files = sorted(results.glob(f"{kind}-*.json"))
    return json.loads(files[-1].read_text()) if files else None


def filled(page: str, results: Path) -> str:
    for name, (kind, write) in TABLES.items():
        result = newest(kind, results)
        # A run of single parts leaves the others' tables as they are.
        if result is None or not PARTS_NEEDED.get(name, set()) <= result.keys():
            continue
        marker = re.compile(rf"(<!-- figures: {name} -->\n).*?(<!-- end of figures -->)", re.DOTALL)
        if not marker.search(page):
            sys.exit(f"{PAGE.name} has no place for the figures of {name}")
        page = marker.sub(lambda found: f"{found[1]}\n{write(result)}\n\n{found[2]}", page)
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()

    text = PAGE.read_text()
    wanted = filled(text, asked.results)
    if asked.check:
        sys.exit(0 if wanted == text else f"{PAGE.name} does not say what the newest results say: run {Path(__file__).name}")
    PAGE.write_text(wanted)
    measured = newest("aggregates", asked.results)
    if measured:
        PLOT.write_text(plot(measured))
    print(f"{PAGE.relative_to(HERE.parent)} and {PLOT.relative_to(HERE.parent)} are written")


if __name__ == "__main__":
    main()
