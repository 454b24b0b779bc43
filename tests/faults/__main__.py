"""`make faults`: what kills or starves monitord, at every named point and at random instants.

    python -m tests.faults [--random 200] [--seed N] [--only WORD]

Each section takes a house of its own and one case of it after another; a case passes the steps of a
repair, every other one a failure and an undo. After each the journal is audited. It ends with a
table, and with exit code 1 where anything was done twice, lost, or took too long.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tests.faults import injected
from tests.faults.injected import Fault
from tests.faults.yard import Ended, Trouble, Yard, calm, dying, failing, killed, locked
from tests.world.needs import obstacle_of
from tests.world.peers import Sshd

RESTART = 5.0
"""Seconds within which a killed process must answer again."""
LOAD = 2.0
"""Runnable processes per core up to which that is judged: beyond, others take the seconds."""
_LONGEST = 1.6  # seconds that a calm case takes: the instants of a kill are spread over it
_MOST = 120  # cases of one house
_MOST_WRITES = 450  # a repair writes some 230 pages; budgets allow 1000 effects an hour


@dataclass
class Row:
    """What came of one section."""

    name: str
    ends: list[Ended] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    late: int = 0

    def line(self) -> str:
        """Give its line of the table."""
        ends = self.ends
        calm_ones = sum(one.as_if_calm for one in ends)
        restarts = sorted(one.restart for one in ends if one.restart) or [0.0]
        slowest = max((one.seconds for one in ends), default=0)
        return (
            f"{self.name:<46} {len(ends):>6} {calm_ones:>12} {len(ends) - calm_ones:>10}"
            f" {slowest:>8.1f} {statistics.median(restarts):>8.1f} {restarts[-1]:>5.1f}"
            f" {len(self.broken):>7}"
        )

    @property
    def is_good(self) -> bool:
        """Whether nothing was broken, and every restart was in time."""
        return not self.broken and not self.late

    def judge_restart(self, what: str, seconds: float) -> None:
        """Say what was late, and count it unless the machine had no time for it."""
        load = os.getloadavg()[0]
        if seconds > RESTART:
            self.late += load <= LOAD * (os.cpu_count() or 1)
            print(f"\n{what}: answered only after {seconds:.1f} s, load {load:.1f}")


Tries = Iterator[tuple[str, Trouble]]
Section = Callable[[Yard, Row], Tries]


def every_commit(yard: Yard, row: Row) -> Tries:
    """Kill the core before and after each commit of both kinds of case."""
    del row
    for _ in range(2):
        yield "calm", dying("never any 0")
    names = yard.commits
    for when, (number, name) in itertools.product(("before", "after"), enumerate(names, 1)):
        yield f"{when} {name}", dying(f"{when} any {number}")
        yield f"{when} {name}", dying(f"{when} any {number}")


def until_clean(fault: Fault) -> Section:
    """Let a fault befall the N-th call, for N = 1 until a run comes through without it."""

    def tries(yard: Yard, row: Row) -> Tries:
        del yard
        clean = 0
        for number in itertools.count(1):
            yield f"call {number}", failing(fault, number)
            clean = clean + 1 if row.ends and row.ends[-1].hits == 0 else 0
            if clean > 1:  # both kinds of case came through
                return

    return tries


def instants(count: int, seed: int) -> Section:
    """Kill core, executor or both at random instants of a case."""
    chance = random.Random(seed)  # noqa: S311 - instants, no secrets

    def tries(yard: Yard, row: Row) -> Tries:
        del yard, row
        for _ in range(count):
            names, at = chance.choice(_KILLED), chance.uniform(0, _LONGEST)
            yield f"{names} at {at:.3f} s", killed(names, at)

    return tries


_KILLED = ("core", "core", "executor", "core executor")


def some(*troubles: tuple[str, Trouble]) -> Section:
    """Try each of these on both kinds of case."""

    def tries(yard: Yard, row: Row) -> Tries:
        del yard, row
        for name, trouble in troubles:
            yield name, trouble
            yield name, trouble

    return tries


def sections(count: int, seed: int) -> dict[str, Section]:
    """Give all sections by name, in their order."""
    sweeps = (
        *(injected.AT_COMMIT, injected.AT_WORD, injected.AT_SPAWN, injected.AT_ANSWER),
        *(injected.WRITE, injected.FSYNC, injected.SPAWN, injected.CHANNEL),
    )
    full = failing(injected.WRITE, "1+", 10)
    return {
        "calm": some(("calm", calm)),
        "kill -9 of the core around each named commit": every_commit,
        f"kill -9 at {count} random instants": instants(count, seed),
        **{f"{fault.name}, N-th": until_clean(fault) for fault in sweeps},
        "disk full for 10 s": some(("full", full)),
        "database locked for 60 s": some(("locked", locked(60))),
    }


def go_through(name: str, section: Section) -> Row:
    """Run one section on a house of its own, showing how far it is."""
    row = Row(name)
    with contextlib.ExitStack() as stack:
        sshd = stack.enter_context(Sshd()) if name.startswith("SSH") else None
        cases = _MOST_WRITES if name.startswith(("write", "kill -9 at")) else _MOST
        yard = stack.enter_context(Yard(cases, sshd))
        for what, trouble in section(yard, row):
            _show(f"{name}: {len(row.ends) + 1}: {what}")
            try:
                row.ends.append(yard.trial(trouble))
            except AssertionError as error:
                row.broken.append(f"{name}: {what}: {error}")
                print(f"\nBROKEN {row.broken[-1]}", flush=True)
                return row
            row.judge_restart(what, row.ends[-1].restart)
    return row


def _show(text: str) -> None:
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    else:
        print(text, flush=True)


def table(rows: Iterable[Row]) -> str:
    """Give the figures."""
    head = f"{'what befell it':<46} {'trials':>6} {'as if calm':>12} {'otherwise':>10}"
    head += f" {'slowest':>8} {'restart':>8} {'max':>5} {'broken':>7}"
    notes = (
        "as if calm: each effect once, in its order, and the same end. otherwise: handed to a\n"
        "person with a ticket, or begun no further; never twice. Each journal kept all invariants\n"
        "unless it is broken. slowest, restart (half of them sooner), max: seconds (a restart may\n"
        f"take {RESTART:.0f} while at most {LOAD:.0f} processes want each core)."
    )
    return "\n".join(["", head, *(row.line() for row in rows), "", notes])


def main() -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__.partition("\n")[0])
    parser.add_argument("--random", type=int, default=200, help="how many random instants")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 10_000)
    parser.add_argument("--only", default="", help="sections whose names hold this word")
    asked = parser.parse_args()
    if obstacle := obstacle_of("strace"):
        print(f"faults: {obstacle}")
        return 1
    print(f"seed {asked.seed}")
    chosen = sections(asked.random, asked.seed)
    rows = [go_through(name, each) for name, each in chosen.items() if asked.only in name]
    print(table(rows))
    return 0 if all(row.is_good for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
