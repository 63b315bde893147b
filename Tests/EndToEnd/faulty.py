"""Machines that misbehave: a disk that is small, fails or is slow, a bound of memory. What takes rights that are missing here skips its test."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


def allowed(command: list, what: str) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True) if shutil.which(command[0]) else None
    if done is None:
        pytest.skip(f"{what} needs {command[0]}, which is not installed")
    if done.returncode != 0:
        pytest.skip(f"{what} is not allowed here: {' '.join(map(str, command))}: {done.stderr.strip()}")


class SmallDisk:
    """A file system in memory, of a given size, that only those see whose command stands behind `under`."""

    def __init__(self, path: Path, byte_count: int):
        allowed(["unshare", "-m", "mount", "-t", "tmpfs", "none", path], "a mount of one's own")
        self.path = path
        script = 'mount -t tmpfs -o "size=$1" none "$0" && echo mounted && exec sleep infinity'
        self.holder = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", script, str(path), str(byte_count)], stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "mounted\n"
        self.under = ["nsenter", "-t", str(self.holder.pid), "-m", "--"]

    def run(self, *command) -> subprocess.CompletedProcess:
        return subprocess.run([*self.under, *map(str, command)], capture_output=True, text=True)

    def fill(self) -> None:
        """Until nothing fits any more."""
        done = self.run("dd", "if=/dev/zero", f"of={self.path}/filler", "bs=64k")
        assert "No space left" in done.stderr, done.stderr

    def free(self) -> None:
        assert self.run("rm", self.path / "filler").returncode == 0

    def close(self) -> None:
        self.holder.kill()
        self.holder.wait()


def failing(call: str, number: int, trace: Path) -> list:
    """Runs a command whose `number`th call (of each thread) fails as on a broken disk."""
    allowed(["strace", "-qqq", "-e", "trace=none", "true"], "a fault that is injected into system calls")
    return ["strace", "-D", "-f", "-qqq", "-o", trace, "-e", f"trace={call}", "-e", f"inject={call}:error=EIO:when={number}", "--"]


@contextlib.contextmanager
def slow(process: int, call: str, seconds: float, trace: Path) -> Iterator[None]:
    """Each such call of a process that runs takes so much longer."""
    allowed(["strace", "-qqq", "-e", "trace=none", "true"], "a fault that is injected into system calls")
    tracer = subprocess.Popen(
        ["strace", "-f", "-qqq", "-p", str(process), "-o", str(trace), "-e", f"trace={call}", "-e",
         f"inject={call}:delay_enter={int(seconds * 1e6)}"])  # fmt: skip
    try:
        while not all_traced(process):
            assert tracer.poll() is None, "the tracer ended"
            time.sleep(0.01)
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(timeout=60)


def all_traced(process: int) -> bool:
    statuses = [path.read_text() for path in Path(f"/proc/{process}/task").glob("*/status")]
    return all("TracerPid:\t0\n" not in status for status in statuses)


class MemoryGroup:
    """A cgroup with a bound of memory; a server that goes beyond it is killed."""

    def __init__(self, byte_count: int):
        root = Path("/sys/fs/cgroup")
        self.is_unified = (root / "cgroup.controllers").exists()
        self.path = (root if self.is_unified else root / "memory") / f"millrace-{os.getpid()}-{time.monotonic_ns()}"
        try:
            self.path.mkdir()
            (self.path / ("memory.max" if self.is_unified else "memory.limit_in_bytes")).write_text(str(byte_count))
        except OSError as error:
            pytest.skip(f"a cgroup of one's own is not allowed here: {error}")
        self.under = ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(self.path)]

    def kills(self) -> int:
        """Processes that were killed for want of memory."""
        text = (self.path / ("memory.events" if self.is_unified else "memory.oom_control")).read_text()
        return int(dict(line.split() for line in text.splitlines())["oom_kill"])

    def close(self) -> None:
        self.path.rmdir()
