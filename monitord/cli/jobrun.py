"""Runs a job as if we were not there: same stdin, output passed through, exit code kept.

Its end is reported after the fact and in bounded time; nothing that goes wrong on our side stops
the job, delays its start or changes its exit code. What it prints goes on unread by us but for a
tail. Its argv is the caller's own; nothing of a report ever becomes a command.
"""

import contextlib
import functools
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Protocol, TypeVar

T = TypeVar("T")

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
        _complain(text)
        code = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE
        _ours(reports.started)
        _ours(functools.partial(reports.ended, code, text.encode()))
        return code
    with process, _forwarding(process):
        _ours(reports.started)
        copy = _Copy(process)
        ended = _ours(copy.until_ended)
        code = copy.until_closed() if ended is None else ended
        _ours(copy.leave_to_children)
        _ours(functools.partial(reports.ended, code, copy.tail))
    return code


def _ours(part: Callable[[], T]) -> T | None:
    """Do a part that is ours alone; None and a line where it fails: the job goes on."""
    try:
        return part()
    except Exception as error:  # noqa: BLE001 - no bug of ours may become the job's
        _complain(f"monitord: job run: {type(error).__name__}: {error}")
    return None


def _complain(text: str) -> None:
    with contextlib.suppress(OSError):  # stderr is full or gone: there is nobody to tell
        os.write(2, f"{text}\n".encode(errors="replace"))


@contextlib.contextmanager
def _forwarding(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Pass signals on to the job; those that a terminal sends it directly only without one."""
    terminal = os.isatty(0)  # False, too, where standard input is closed
    numbers = _FORWARDED if terminal else (*_FORWARDED, *_FROM_TERMINAL)

    def forward(number: int, _frame: object) -> None:
        process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in numbers}
    if terminal:  # we stay to report how the interrupted job ended
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
        return _as_shell(code)

    def until_closed(self) -> int:
        """Copy until both outputs are closed, where the job's end cannot be watched; give its code.

        This waits for children that still write, too.
        """
        while self._open:
            for key, _ in self._selector.select():
                if key.fd in self._open:
                    self._pass_on(key)
                else:
                    self._selector.unregister(key.fileobj)
        return _as_shell(self._process.wait())

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


def _as_shell(code: int) -> int:
    return _BY_SIGNAL - code if code < 0 else code


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
