"""Programs that a test starts on this machine: started, watched, and surely ended."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.world.until import until

SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
READY_WITHIN = 20.0


class PeerError(Exception):
    """A real peer did not start or refused what it was asked; the text holds its own words."""


def find_program(name: str) -> str | None:
    """Return the absolute path of a program, looking in the sbin folders as well."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{SBIN}")


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody uses at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def answers(port: int, address: str = "127.0.0.1") -> bool:
    """Whether something accepts TCP connections there."""
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


class Peer:
    """A program with a private folder (short path, gone at the end). A context manager.

    Subclasses set `argv` and say in `is_ready` when it can be used. `start`, `stop` and `kill`
    may be called in any order in between: breaking it is what it is here for.
    """

    name = "peer"
    stop_signal = signal.SIGTERM

    def __init__(self) -> None:
        # Not below pytest's folder: its long path leaves no room for Unix sockets (107 bytes).
        self._folder = tempfile.TemporaryDirectory(
            prefix=f"peer-{self.name}-", ignore_cleanup_errors=True
        )
        self.folder = Path(self._folder.name)
        self.log = self.folder / "log"
        self.argv: list[str] = []
        # A prefix that changes the user. It comes first: the kernel forgets the parent-death
        # signal when a process changes its user.
        self.become: list[str] = []
        self.environment: Mapping[str, str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def is_ready(self) -> bool:
        """Whether it can be used now."""
        return self.is_running

    @property
    def pid(self) -> int:
        """The pid of the running program; raises PeerError when it does not run."""
        if self._process is None or self._process.poll() is not None:
            raise PeerError(f"{self.name} is not running: {self.last_words()}")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process that `start` started is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it is ready; raise PeerError with its log when it is not."""
        argv = self.argv
        # Only from the main thread: the kernel's "parent" is the thread, and the end of a worker
        # would take the peer along.
        if threading.current_thread() is threading.main_thread():
            # It must not outlive a killed test run.
            argv = ["setpriv", "--pdeathsig", "TERM", *argv]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*self.become, *argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=self.folder,
                start_new_session=True,
            )
        self._process = process
        # Reaped at once, as init does it: a zombie would look like a running process to a probe.
        threading.Thread(target=process.wait, daemon=True).start()
        self._await(lambda: self.is_ready() or not self.is_running)
        if not self.is_running:
            raise PeerError(f"{self.name} did not start: {self.last_words()}")

    def stop(self) -> None:
        """End it in its own orderly way; a stopped one stays stopped."""
        self._signal(self.stop_signal)

    def kill(self) -> None:
        """End it by SIGKILL, as the kernel does it when memory runs out."""
        self._signal(signal.SIGKILL)

    def close(self) -> None:
        """Stop it and remove its folder. A second call does nothing."""
        try:
            self.stop()
        finally:
            if self.is_running:
                self.kill()
            self._folder.cleanup()

    def last_words(self) -> str:
        """Return the tail of its log."""
        if not self.log.exists():
            return "(it never ran)"
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:].strip()

    def _signal(self, number: signal.Signals) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(number)
        until(lambda: process.poll() is not None, within=15, what=f"the end of {self.name}")

    def _await(self, condition: Callable[[], bool]) -> None:
        try:
            until(condition, within=READY_WITHIN)
        except AssertionError:
            words = self.last_words()
            self.close()
            raise PeerError(f"{self.name} is not ready: {words}") from None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def run_program(argv: list[str], *, within: float = 60.0, **environment: str) -> str:
    """Run a program to its end; return its standard output or raise PeerError with its words."""
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
        env={**os.environ, **environment},
    )
    if done.returncode:
        raise PeerError(f"{argv} ended with {done.returncode}: {done.stdout}{done.stderr}".strip())
    return done.stdout
