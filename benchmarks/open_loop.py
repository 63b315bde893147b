#!/usr/bin/env python3
"""How late answers are when the server is half and four fifths busy.

First the closed loop's maximum over loopback (the server on one core, millrace-load on another), then open loops at 50 % and 80 % of
it, each against a fresh server: percentiles from the time at which each request was meant to be sent, requests lost, and whether
requests pile up. Writes the three HTML reports beside the JSON file.
"""

from __future__ import annotations

import argparse
import json
import sys

from run import BUILD, CLIENT_CORE, HERE, RELEASE, SERVER_CORE, STATE_BYTES, output, pinned, processor, save, serving

SHARES = (0.5, 0.8)


def load(asked: argparse.Namespace, name: str, *pace) -> dict:
    """What millrace-load finds with a fresh server."""
    definitions = BUILD / f"{asked.workload}.sql"
    definitions.write_text(output([str(RELEASE / "millrace-load"), asked.workload, "--print-definitions"]))
    found, report = BUILD / "load.json", HERE / "results" / f"open-loop-{name}.html"
    report.parent.mkdir(exist_ok=True)
    with serving(definitions, "adaptive", preallocate=STATE_BYTES) as port:
        output(
            pinned(
                CLIENT_CORE, RELEASE / "millrace-load", asked.workload, "--connect", f"127.0.0.1:{port}", "--batch", asked.batch,
                "--connections", asked.connections, "--duration", asked.seconds, "--event-rate", asked.event_rate, "--quiet",
                "--json", found, "--html", report, *pace))  # fmt: skip
    return json.loads(found.read_text())


def line(name: str, found: dict) -> str:
    latency = found["latencies"][0]
    times = "".join(f"{latency[key] / 1e3:>11,.0f}" for key in ("p50", "p99", "p999", "max"))
    queue = "" if found["mode"] == "closed" else "grew" if found["queueGrew"] else "none"
    lost = found["lost"] + found["unsent"] + found["failed"] + found["wrong"]
    return f"  {name:<16}{found['eventsPerSecond']:>12,.0f}{times}{lost:>8,}{queue:>8}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", default="card-fraud", help="a preset of millrace-load")
    parser.add_argument("--batch", type=int, default=1_024)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--in-flight", type=int, default=4, help="requests on each connection, in the closed loop")
    parser.add_argument("--event-rate", type=int, default=100, help="events a second of event time")
    parser.add_argument("--seconds", type=int, default=20)
    asked = parser.parse_args()

    BUILD.mkdir(exist_ok=True)
    print(f"{processor()}; {asked.workload}, batches of {asked.batch:,}, {asked.connections} connections, "
          f"server on core {SERVER_CORE}, load on core {CLIENT_CORE}\n")  # fmt: skip
    print(f"  {'':<16}{'events/s':>12}{'p50 µs':>11}{'p99 µs':>11}{'p99.9 µs':>11}{'max µs':>11}{'lost':>8}{'queue':>8}")
    closed = load(asked, "closed", "--closed", "--in-flight", asked.in_flight)
    print(line("closed", closed), flush=True)
    found = [closed]
    for share in SHARES:
        name = f"{share:.0%}".replace("%", " %")
        found.append(load(asked, f"{share * 100:.0f}", "--rate", f"{closed['eventsPerSecond'] * share:.0f}"))
        print(line(f"open, {name}", found[-1]), flush=True)
    command = " ".join(["python3 benchmarks/open_loop.py", *sys.argv[1:]])
    path = save({"kind": "open-loop", "machine": processor(), "command": command, "runs": found})
    print(f"\nAll figures: {path.relative_to(HERE.parent)}; reports beside it")
    if any(run["lost"] or run["failed"] or run["wrong"] for run in found):
        sys.exit("requests were lost or answered wrongly")


if __name__ == "__main__":
    main()
