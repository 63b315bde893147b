"""Other systems on the benchmark's events: DuckDB over a whole table at once, and exact light features in Redis."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from encode import COLUMNS
from generate import ROW

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build"
PIPELINED = 100


def duckdb(definitions: Path, rows: Path, events_max: int) -> Callable[[], float]:
    """Measures nanoseconds an event of the view that the definitions make; all cores, nothing returned but sums of its columns."""
    import duckdb

    def measure() -> float:
        read = np.fromfile(rows, dtype=ROW, count=events_max)
        source = pa.table({name: np.ascontiguousarray(read[column].astype(kind)) for name, (column, kind) in COLUMNS.items()})
        connection = duckdb.connect()
        connection.execute(f"SET threads = {os.cpu_count()}")
        connection.register("source", source)
        connection.execute("CREATE TABLE events AS SELECT * FROM source")
        text = definitions.read_text()
        connection.execute(text[text.index("CREATE VIEW") :])
        view = re.search(r"CREATE VIEW (\w+)", text).group(1)
        columns = [row[0] for row in connection.execute(f"DESCRIBE {view}").fetchall()]
        start = time.perf_counter()
        connection.execute(f"SELECT {', '.join(f'sum({column})' for column in columns)} FROM {view}").fetchall()
        return (time.perf_counter() - start) / len(read) * 1e9

    return measure


def install_redis() -> None:
    if shutil.which("redis-server") is None or not Path("/usr/include/hiredis/hiredis.h").exists():
        subprocess.run(["apt-get", "install", "-y", "-qq", "redis-server", "libhiredis-dev"], check=True)
    subprocess.run(["cc", "-O2", "-o", BUILD / "redis_light", HERE / "floors/redis_light.c", "-lhiredis"], check=True)


def redis(rows: Path, events: int) -> float:
    """Nanoseconds an event: a fresh server that keeps nothing on disk, `PIPELINED` events under way."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with open(BUILD / "redis.log", "wb") as log:
        server = subprocess.Popen(serve, stdout=log, stderr=log)
    try:
        for _ in range(200):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        said = subprocess.run(
            [BUILD / "redis_light", rows, str(port), str(events), str(PIPELINED)], capture_output=True, text=True, check=True)
        return float(said.stdout)
    finally:
        server.terminate()
        server.wait(timeout=60)
