"""Runs a job as if we were not there: same stdin, output passed through, exit code kept.

Its end is reported after the fact and in bounded time; nothing that goes wrong on our side stops
the job, delays its start or changes its exit code. What it prints goes on unread by us but for a
tail. Its argv is the caller's own; nothing of a report ever becomes a command.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import IO, Protocol

_TAIL = 10 * 1024
_CHUNK = 64 * 1024
_NOT_FOUND, _NOT_EXECUTABLE, _BY_SIGNAL = 127, 126, 128  # as a shell exits
_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_FROM_TERMINAL = (signal.SIGINT, signal.SIGQUIT)  # which the job gets from the terminal itself


class Reports(Protocol):
    """Who is told; neither call raises, and `started` does not wait."""

    def started(self) -> None:
        """Take note that the job began."""
        ...

    def ended(self, exit_code: int, output: bytes) -> None:
        """Take note of its end; may take a few seconds at most."""
        ...


def run(argv: Sequence[str], reports: Reports) -> int:
    """Run a job to its end and give the exit code that it would have given to a shell."""
    try:
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    except OSError as error:
        text = f"monitord: {argv[0]}: {error.strerror}"
        sys.stderr.write(f"{text}\n")
        code = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE
        reports.started()
        reports.ended(code, text.encode())
        return code
    with process, _forwarding(process):
        reports.started()
        copy = _Copy(process)
        code = copy.until_ended()
        copy.leave_to_children()
        reports.ended(code, copy.tail)
    return code


@contextlib.contextmanager
def _forwarding(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Pass signals on to the job; those that a terminal sends it directly only without one."""
    numbers = _FORWARDED if sys.stdin.isatty() else (*_FORWARDED, *_FROM_TERMINAL)

    def forward(number: int, _frame: object) -> None:
        process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in numbers}
    if sys.stdin.isatty():  # we stay to report how the interrupted job ended
        before |= {number: signal.signal(number, signal.SIG_IGN) for number in _FROM_TERMINAL}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Copy:
    """Copies a job's two outputs to ours and keeps the tail of both together."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._selector = selectors.DefaultSelector()
        self.tail = b""
        self._open: dict[int, IO[bytes]] = {}
        for source, target in ((process.stdout, 1), (process.stderr, 2)):
            if source is not None:
                self._open[source.fileno()] = source
                self._selector.register(source, selectors.EVENT_READ, target)

    def until_ended(self) -> int:
        """Copy until the job itself has ended and what it wrote is passed on; give its code."""
        pidfd = os.pidfd_open(self._process.pid)
        try:
            self._selector.register(pidfd, selectors.EVENT_READ, None)
            while pidfd in self._selector.get_map():
                for key, _ in self._selector.select():
                    if key.fd == pidfd:
                        self._selector.unregister(pidfd)
                    else:
                        self._pass_on(key)
        finally:
            os.close(pidfd)
        code = self._process.wait()
        while ready := self._selector.select(0):  # what it wrote last is still in the pipes
            for key, _ in ready:
                self._pass_on(key)
        return _BY_SIGNAL - code if code < 0 else code

    def leave_to_children(self) -> None:
        """Where the job left children that still write, let a process of its own copy for them.

        Without us they would write on after the job's end; closing the pipes would kill them.
        """
        if not self._selector.get_map() or os.fork():
            return
        try:
            os.setsid()
            while self._selector.get_map():
                for key, _ in self._selector.select():
                    self._pass_on(key)
        finally:
            os._exit(0)

    def _pass_on(self, key: selectors.SelectorKey) -> None:
        data = os.read(key.fd, _CHUNK)
        self.tail = (self.tail + data)[-_TAIL:]
        if not data or not _write(key.data, data):
            self._selector.unregister(key.fileobj)
            self._open.pop(key.fd).close()


def _write(target: int, data: bytes) -> bool:
    """Write all of it; False when our reader is gone: the job shall learn that, as without us."""
    while data:
        try:
            data = data[os.write(target, data) :]
        except BlockingIOError:
            time.sleep(0.01)  # an output that somebody made non-blocking is full
        except OSError:
            return False
    return True
