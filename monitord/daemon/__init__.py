"""The composition root: builds the three processes from their parts, starts, reloads, stops them.

`run_core`, `run_executor` and `run_web` are what the systemd units start; `run_all` starts all
three in the foreground under one supervisor. No decision about a check or a host is made here.
"""

from pathlib import Path

from monitord.daemon.memory import hold_off

CANNOT_START = 78
"""Exit code (EX_CONFIG of sysexits.h) of a process that an error made for people ends."""


def run_all(config: Path) -> int:
    """Start core, executor and web in the foreground until Ctrl-C; gives the exit code."""
    from monitord.daemon.foreground import run

    return run(config)


def run_core(config: Path) -> int:
    """Run the core in this process; gives the exit code."""
    hold_off()
    from monitord.daemon.core import run
    from monitord.daemon.tied import tie_to_parent

    tie_to_parent()
    return run(config)


def run_executor(config: Path) -> int:
    """Run the executor in this process; gives the exit code."""
    hold_off()
    from monitord.daemon.others import run_executor as run
    from monitord.daemon.tied import tie_to_parent

    tie_to_parent()
    return run(config)


def run_web(config: Path) -> int:
    """Run monitord-web in this process; gives the exit code."""
    hold_off()
    from monitord.daemon.others import run_web as run
    from monitord.daemon.tied import tie_to_parent

    tie_to_parent()
    return run(config)
