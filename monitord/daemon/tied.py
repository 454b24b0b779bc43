"""Ends a process whose supervisor has died without a word (kill -9): it asks the kernel to tell it.

Only for `monitord run`; under systemd the units have their own lives.
"""

import ctypes
import os
import signal

from monitord import log

_PR_SET_PDEATHSIG = 1  # prctl(2)


def tie_to_parent() -> None:
    """Have SIGTERM sent to us when our supervisor dies; nothing without MONITORD_PARENT."""
    parent = os.environ.get("MONITORD_PARENT")
    if parent is None:
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):  # it died before we asked
        os.kill(os.getpid(), signal.SIGTERM)


def configure_log() -> None:
    """Log for a person under `monitord run` (what is worth a warning), for a journal otherwise."""
    if "MONITORD_PARENT" in os.environ:
        log.configure("warning", json=False)
    else:
        log.configure()
