"""The command line. Importing this package imports nothing else, so that `--help` is quick."""

import os
import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    _fill_closed()
    from monitord.cli.app import app

    app(prog_name="monitord")


def _fill_closed() -> None:
    """Take the numbers of closed standard files, so that no other file of ours gets them.

    What is written to a closed standard output still fails, and children find closed what was.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            # Output opened for reading: each write says EBADF. Errors have nobody to go to.
            taken = os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)  # noqa: PLR2004 - stderr
            if taken == number:
                setattr(sys, name, os.fdopen(number, mode, closefd=False))
