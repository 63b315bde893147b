"""The real binary: commands that end by themselves, and servers that run for the length of a `with`."""

from __future__ import annotations

import resource
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import millrace

from paths import BINARY

COMMAND_SECONDS_MAX = 120
START_SECONDS_MAX = 60


def run(*arguments, input: bytes | None = None, check: bool = True) -> subprocess.CompletedProcess:
    """`millrace ARGUMENTS`, waited for; output as bytes."""
    command = [str(BINARY), *map(str, arguments)]
    done = subprocess.run(command, input=input, capture_output=True, timeout=COMMAND_SECONDS_MAX)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} exited {done.returncode}:\n{done.stderr.decode(errors='replace')}")
    return done


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def limit_descriptors(count: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


class RunningServer:
    """`millrace serve DEFINITIONS`, listening at `address`; stopped by SIGTERM, and expected to exit 0. `under` is a command that runs it, and
    becomes it: the process is the server's own."""

    def __init__(self, definitions: Path, *options, address: str | None = None, descriptors_max: int | None = None, folder: Path,
                 under: Sequence = ()):  # fmt: skip
        self.address = address or f"127.0.0.1:{free_port()}"
        self.log = folder / f"server-{self.address.replace('/', '_')}.log"
        command = [*map(str, under), str(BINARY), "serve", str(definitions), "--listen", self.address, *map(str, options)]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=None if descriptors_max is None else lambda: limit_descriptors(descriptors_max))

    def __enter__(self) -> "RunningServer":
        try:
            self.connect(wait=START_SECONDS_MAX).close()
        except BaseException as error:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not start: {error}\n{self.log_text()}") from error
        return self

    def __exit__(self, kind, *_) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not stop on SIGTERM\n{self.log_text()}") from None
        if kind is None:
            assert code == 0, f"the server exited {code}\n{self.log_text()}"

    def kill(self) -> None:
        """SIGKILL: nothing of the process can say goodbye."""
        self.process.kill()
        self.process.wait()

    def connect(self, **options) -> millrace.Server:
        return millrace.connect(self.address, **options)

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")
