"""The demo's processes: started in sessions of their own, adopted when orphaned, all ended at last.

The demo asks the kernel to hand it every orphan of its descendants (a step outlives its executor,
a program its supervisord), so that "nothing is left behind" is looked up and not hoped for.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
_PATIENCE = 25.0  # seconds that `monitord run` may take to stop its three processes in order
_LAST_WORDS = 3.0


def adopt_orphans() -> None:
    """Become the parent of whatever our descendants leave behind."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Processes:
    """What the demo started, newest last. `log` takes what they print."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start one; Ctrl-C on the terminal reaches the demo alone, which ends them in order."""
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def bury(self) -> None:
        """Collect adopted orphans that have ended: a dead one still looks alive to its pid file."""
        own = {process.pid for process in self._started}
        with contextlib.suppress(ChildProcessError):
            while dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if dead.si_pid in own:
                    return
                os.waitpid(dead.si_pid, 0)

    def end(self) -> None:
        """End what was started, newest first, and then every descendant that is still there."""
        for process in reversed(self._started):
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for orphan in _descendants():
            with contextlib.suppress(psutil.NoSuchProcess):
                orphan.send_signal(signal.SIGKILL)
        psutil.wait_procs(_descendants(), timeout=_LAST_WORDS)

    def left(self) -> list[str]:
        """Name the descendants that still live."""
        return [f"process {process.pid} ({process.name()})" for process in _descendants()]


def _descendants() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)
