"""Connections that keep a server busy and check everything it says, each in a process of its own."""

from __future__ import annotations

import time
import traceback
from typing import NamedTuple

import numpy as np
import pyarrow as pa

import millrace
from definition_sets import History, features
from millrace import _arrow, _frames
from millrace._frames import Kind

KEYS = 1_024
# Of a connection: batches under way.
WINDOW = 8


class Findings(NamedTuple):
    kind: str
    rows: int
    batches: int
    # (version, set) pairs that frames and their rows named
    versions: set
    # By phase: milliseconds from sending a batch to having its answer.
    latencies: dict
    problems: list


class Loader:
    """Sends batches of one row a key, and checks every row of the answers."""

    def __init__(self, address: str, number: int, phase, stop, answers):
        self.base, self.phase, self.stop, self.answers = number * KEYS, phase, stop, answers
        self.server = millrace.connect(address, timeout=60, producer=False)
        self.k = np.arange(KEYS)
        self.history = History()
        self.schema = pa.schema(
            [("ts", pa.timestamp("us", tz="UTC")), ("key", pa.int64()), ("amount", pa.int64()), ("shop", pa.int64())])
        self.channel = self.server._open(f"events{number}", (f"checked{number}",), self.schema)
        self.sent: dict[int, tuple[int, float, int]] = {}
        self.findings = Findings("load", 0, 0, set(), {}, [])
        self.rows = self.answered = 0

    def run(self) -> Findings:
        self.server._connection.welcome["credits"] = WINDOW
        self.server._connection.pipeline(self.requests(), self.take)
        return self.findings._replace(rows=self.rows, batches=self.answered)

    def requests(self):
        while not self.stop.is_set():
            now = time.time_ns() // 1_000
            number = self.history.append(max(now, self.history.times[-1] + 1 if self.history.times else 0))
            batch = pa.record_batch(
                [
                    pa.array(np.full(KEYS, self.history.times[number]), pa.int64()).cast(self.schema.types[0]),
                    pa.array(self.base + self.k), pa.array(self.history.amounts[number] + self.k),
                    pa.array(self.k % 97),
                ],
                schema=self.schema)
            request = self.server._connection.next_request_id()
            self.sent[request] = (number, time.perf_counter(), self.phase.value)
            yield request, _frames.encode(
                Kind.COMPUTE, batch.serialize(), channel=self.channel.number, request_id=request)

    def take(self, header, body) -> None:
        arrived = time.perf_counter()
        number, sent, phase = self.sent.pop(header.request_id)
        if header.kind != Kind.RESULT:
            return self.problem(f"batch {number} is answered by a frame of kind {header.kind}")
        if phase == self.phase.value:
            self.findings.latencies.setdefault(phase, []).append((arrived - sent) * 1_000)
        if number != self.answered:
            self.problem(f"batch {number} is answered, batch {self.answered} was due")
        self.answered += 1
        with self.answers.get_lock():
            self.answers.value += 1
        self.check(number, header.definitions, _arrow.read_batch(body, self.channel.views[header.channel][1]))

    def check(self, number: int, version: int, batch: pa.RecordBatch) -> None:
        columns = {name: batch.column(index).to_numpy(zero_copy_only=False) for index, name in enumerate(batch.schema.names)}
        self.rows += batch.num_rows
        chosen = int(columns["definitions_set"][0])
        self.findings.versions.add((version, chosen))
        expected = {name: feature.expected(self.history, number, self.k) for name, feature in features(chosen).items()}
        if list(columns) != ["definitions_set", "key", *expected, "millrace_row", "millrace_status"]:
            return self.problem(f"batch {number} of set {chosen} has the columns {list(columns)}")
        expected |= {
            "definitions_set": np.full(KEYS, chosen), "key": self.base + self.k, "millrace_row": self.k,
            "millrace_status": np.zeros(KEYS)}
        for name, values in expected.items():
            right = np.allclose(columns[name], values, rtol=1e-12, atol=0) if name.startswith("mean") else np.array_equal(
                columns[name], values)
            if not right:
                self.problem(
                    f"batch {number}, version {version}, set {chosen}, column {name}: {columns[name][:4]} instead of {values[:4]}")

    def problem(self, text: str) -> None:
        if len(self.findings.problems) < 20:
            self.findings.problems.append(text)


class Watcher:
    """A subscriber: every row of the watched keys comes once and in order."""

    def __init__(self, address: str, stop):
        self.stop = stop
        self.server = millrace.connect(address, timeout=60, producer=False)
        self.pushed = self.server.subscribe("watched", timeout=5)
        self.findings = Findings("watch", 0, 0, set(), {}, [])

    def run(self) -> Findings:
        counts: dict[int, int] = {}
        rows = batches = 0
        while not self.stop.is_set():
            try:
                batch = next(self.pushed)
            except TimeoutError:
                break
            batches += 1
            for row in batch.to_pylist():
                rows += 1
                if row["n"] != counts.get(row["key"], row["n"] - 1) + 1 and len(self.findings.problems) < 20:
                    self.findings.problems.append(f"key {row['key']}: {row['n']} is pushed after {counts[row['key']]}")
                counts[row["key"]] = row["n"]
                self.findings.versions.add((self.pushed.definitions, row["definitions_set"]))
        return self.findings._replace(rows=rows, batches=batches)


def work(make, queue, *arguments) -> None:
    """The body of a process."""
    try:
        queue.put(make(*arguments).run())
    except Exception:
        queue.put(Findings(make.__name__, 0, 0, set(), {}, [traceback.format_exc()]))
