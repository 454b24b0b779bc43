"""A monitord process whose wall clock is set by the file that MONITORD_CLOCK names.

    python -m tests.faults.clocked core --config FILE

The file holds the seconds by which the clock is off. The machine's own clock is never touched, and
libfaketime is of no use here: with several threads it now and then lets the real time through.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


def main() -> None:
    """Start the process that the arguments name, on the clock of the file."""
    file = Path(os.environ["MONITORD_CLOCK"])
    real, real_ns = time.time, time.time_ns
    time.time = lambda: real() + int(file.read_text())
    time.time_ns = lambda: real_ns() + int(file.read_text()) * 1_000_000_000
    from monitord.cli import main as monitord

    sys.argv[0] = "monitord"
    monitord()


if __name__ == "__main__":
    main()
