"""System calls of a running process that fail, or kill it, from outside: strace does it.

    with injected(pid, WRITE, number=3) as injection:    # its third write to a database fails
        ...
    injection.hits                                       # how often it came to that

Nothing of the process knows of it. `1+` is every call from the first on. The count is kept for each
thread; children are left alone.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.world.until import until


@dataclass(frozen=True)
class Fault:
    """What befalls which process: at its N-th of these calls an error, or SIGKILL."""

    name: str
    process: str
    calls: str
    what: str

    @property
    def kills(self) -> bool:
        """Whether the process ends with it."""
        return self.what.startswith("signal=")


WRITE = Fault("write: disk full", "core", "pwrite64", "error=ENOSPC")
FSYNC = Fault("fsync: I/O error", "core", "fdatasync,fsync", "error=EIO")
SPAWN = Fault("spawn: no more processes", "executor", "clone,clone3,vfork,fork", "error=EAGAIN")
CHANNEL = Fault("SSH channel: reset", "executor", "sendto", "error=ECONNRESET")
AT_COMMIT = Fault("kill -9 of the core at a commit", "core", "fdatasync,fsync", "signal=KILL")
AT_WORD = Fault("kill -9 of the core at a word to others", "core", "write", "signal=KILL")
AT_SPAWN = Fault(
    "kill -9 of the executor at a spawn", "executor", "clone,clone3,vfork,fork", "signal=KILL"
)
AT_ANSWER = Fault("kill -9 of the executor at an answer", "executor", "sendto", "signal=KILL")


class Injection:
    """One strace on all threads of one process."""

    def __init__(self, pid: int, fault: Fault, number: int | str) -> None:
        self._log = Path(tempfile.mkstemp(prefix="strace-")[1])
        threads = [f"--attach={one.name}" for one in Path(f"/proc/{pid}/task").iterdir()]
        calls = [f"--trace={fault.calls}", f"--inject={fault.calls}:{fault.what}:when={number}"]
        log = ["-qq", f"--output={self._log}"]
        self._process = subprocess.Popen(["strace", *log, *calls, *threads])
        until(lambda: self._is_on(pid), within=10, what="strace")

    def _is_on(self, pid: int) -> bool:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
            return "TracerPid:\t0" not in text
        return True

    @property
    def hits(self) -> int:
        """How many calls were hit so far."""
        text = self._log.read_text(encoding="utf-8", errors="replace")
        return text.count("(INJECTED)") + text.count("killed by SIGKILL")

    def end(self) -> None:
        """Let go of the process."""
        self._process.terminate()
        self._process.wait(10)


@contextlib.contextmanager
def injected(pid: int, fault: Fault, number: int | str) -> Iterator[Injection]:
    """Let a fault befall a process as long as this lasts; `hits` stays readable."""
    injection = Injection(pid, fault, number)
    try:
        yield injection
    finally:
        injection.end()
