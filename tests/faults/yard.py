"""A house with many equal cases, each broken once: what is done to its processes meanwhile varies.

    with Yard(cases=20) as yard:
        ended = yard.trial(killed("core", 0.8))
        ended.seconds, ended.restart, ended.status

The repair of every other case heals in two steps; that of the others fails at its second step and
is undone. However a trial ends, it raises unless each effect was made once at most, in its order,
the incident is over or a person's with a ticket, and the journal keeps every invariant.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Self

from monitord.control import CoreDownError, CoreSaysNoError
from monitord.model.catalog import Budgets
from monitord.model.incident import LIVE_ATTEMPTS, Attempt, Incident
from monitord.store import audit
from tests.faults.injected import Fault, Injection, injected
from tests.scenarios.house import PREFACE, House, Process
from tests.world.peers import Sshd
from tests.world.until import until

PATIENCE = 90.0
"""Seconds for a trial: a process that is lost in mid-look costs a guard's wait of 15 s or two."""
_MANY = 1000
_EVER = 3600.0
_BUDGETS = Budgets(2, _MANY, _MANY, _MANY, _MANY, 1, 10)
_CASE = """
      case-{n}: {{file: {{path: $folder/case-{n}}}, every: 1h, remediate: [{kind}-{n}]}}"""
_HEALS = """
  heals-{n}:
    steps:
      - command: [sh, -c, "echo one >>$folder/effects-{n}"]
      - command: [sh, -c, "echo two >>$folder/effects-{n}; touch $folder/case-{n}"]
    verify: {{settle: 0s, oks: 1, within: 30s}}
    limits: {{per_incident: 1, cooldown: 0s}}"""
_FAILS = """
  fails-{n}:
    steps:
      - command: [sh, -c, "echo one >>$folder/effects-{n}"]
      - command: ["false"]
    undo:
      - command: [sh, -c, "echo back >>$folder/effects-{n}"]
        undoes: 1
    on_failure: undo
    verify: {{settle: 0s, oks: 1, within: 30s}}
    limits: {{per_incident: 1, cooldown: 0s}}"""
KINDS = {
    "heals": (_HEALS, ["one", "two"], "RESOLVED"),
    "fails": (_FAILS, ["one", "back"], "ESCALATED"),
}
"""What a case's runbook is, what it does, and how its incident ends when nothing befalls it."""


def kind_of(case: int) -> str:
    """Tell whether the repair of a case heals or fails: each kind every other time."""
    return "heals" if case % 2 else "fails"


@dataclass(frozen=True)
class Ended:
    """How a trial ended. `restart` is the longest that a process took to answer again."""

    case: int
    status: str
    effects: tuple[str, ...]
    seconds: float
    restart: float  # 0 where nothing had to be started again
    hits: int

    @property
    def as_if_calm(self) -> bool:
        """Whether all of it came out as if nothing had befallen it."""
        _, effects, status = KINDS[kind_of(self.case)]
        return self.status == status and list(self.effects) == effects


Trouble = Callable[["Yard"], AbstractContextManager[Injection | None]]


class Yard:
    """A running house of `cases`, over SSH with `sshd`. A context manager."""

    def __init__(self, cases: int, sshd: Sshd | None = None) -> None:
        numbers = range(1, cases + 1)
        scenario = (
            "hosts:\n  here:\n    address: 127.0.0.1\n    login: $login\n    checks:"
            + "".join(_CASE.format(n=n, kind=kind_of(n)) for n in numbers)
            + "\nrunbooks:"
            + "".join(KINDS[kind_of(n)][0].format(n=n) for n in numbers)
        )
        preface = PREFACE.replace(": 100", f": {_MANY}")
        login = "{local: {act: true}}"
        if sshd is not None:
            login = (
                f"{{ssh: {{user: {sshd.user}, key: {sshd.key}, port: {sshd.port},"
                f" known_hosts: {sshd.known_hosts}, act: {{}}}}}}"
            )
        self.house = House(scenario, preface=preface, names={"login": login})
        self.fresh = iter(numbers)
        self.restart = 0.0
        self.commits: list[str] = []  # by name, of the longest case that `dying` has counted
        for n in numbers:
            (self.house.folder / f"case-{n}").touch()

    def __enter__(self) -> Self:
        self.house.__enter__()
        return self

    def __exit__(self, *ending: object) -> None:
        self.house.close()

    def process(self, name: str) -> Process:
        """Give the core or the executor."""
        return self.house.core if name == "core" else self.house.executor

    def trial(self, trouble: Trouble) -> Ended:
        """Break the next case under a trouble, see to its end, and judge it."""
        number, began = next(self.fresh), time.monotonic()
        self.restart = 0.0
        with trouble(self) as injection:
            (self.house.folder / f"case-{number}").unlink()
            incident = self._await_end(number)
        seconds = time.monotonic() - began
        self.revive()
        file = self.house.folder / f"effects-{number}"
        effects = file.read_text().split() if file.exists() else []
        hits = injection.hits if injection is not None else 0
        self._must_hold(number, incident, effects)
        status = str(incident.status)
        return Ended(number, status, tuple(effects), seconds, self.restart, hits)

    def _await_end(self, number: int) -> Incident:
        what = f"the end of case {number}"
        try:
            found = until(lambda: self._over(number), within=PATIENCE, every=0.05, what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._story(number)}") from None
        assert found is not None
        return found

    def _story(self, number: int) -> str:
        """Give what a person needs to see of a case."""
        house = self.house
        lines = [process.last_words() for process in (house.executor, house.core)]
        for incident in house.incidents(f"here/case-{number}"):
            lines.append(f"--- {incident.key} {incident.status} {incident.waiting_for}")
            lines += [f"{e.at / 1e6:.3f} {e.kind}: {e.text}" for e in house.events(incident)]
        return "\n".join(lines)

    def revive(self) -> None:
        """Start again what has died, as a supervisor does."""
        for process in (self.house.executor, self.house.core):
            if not process.is_running:
                began = time.monotonic()
                if process is self.house.executor:  # what a dead one leaves looks like a live one
                    (self.house.state / "executor.sock").unlink(missing_ok=True)
                process.start()
                self.restart = max(self.restart, time.monotonic() - began)

    def _over(self, number: int) -> Incident | None:
        """Have the case looked at until it is an incident, and give that once it is over."""
        self.revive()
        key = f"here/case-{number}"
        found = self.house.incidents(key)
        # Its own schedule looks once an hour: what could not be seen is looked at again by us.
        if not found or found[-1].status == "WAITING":
            with contextlib.suppress(CoreDownError, CoreSaysNoError):
                self.house.post("/v1/run-check", key=key)
            return None
        incident = found[-1]
        over = incident.status in {"RESOLVED", "ESCALATED", "CLOSED"}
        busy = any(_is_busy(attempt) for attempt in self.house.tried(incident))
        return incident if over and not busy else None

    def _must_hold(self, number: int, incident: Incident, effects: list[str]) -> None:
        story = f"case {number}: {effects} {incident.status}\n{self._story(number)}"
        in_order = [one for one in KINDS[kind_of(number)][1] if one in effects]
        assert effects == in_order, story
        assert incident.status != "ESCALATED" or incident.ticket is not None, story
        broken = self.house.rows(lambda view: audit(view, _BUDGETS))
        assert broken == [], story


def _is_busy(attempt: Attempt) -> bool:
    return attempt.status in LIVE_ATTEMPTS or attempt.due_at is not None


@contextlib.contextmanager
def calm(yard: Yard) -> Iterator[None]:
    """Nothing happens."""
    del yard
    yield


def failing(fault: Fault, number: int | str, seconds: float = 0) -> Trouble:
    """Give the trouble that befalls a process at its N-th call; it may end after some seconds."""

    @contextlib.contextmanager
    def trouble(yard: Yard) -> Iterator[Injection]:
        with (
            injected(yard.process(fault.process).pid, fault, number) as injection,
            after(seconds or _EVER, injection.end),
        ):
            yield injection

    return trouble


def locked(seconds: float) -> Trouble:
    """Give the trouble of a backup that holds the database's write lock for so long."""

    @contextlib.contextmanager
    def trouble(yard: Yard) -> Iterator[None]:
        path = yard.house.state / "state.db"
        database = sqlite3.connect(path, timeout=20, check_same_thread=False)
        database.isolation_level = None
        with contextlib.closing(database):
            database.execute("BEGIN IMMEDIATE")
            with after(seconds, lambda: database.execute("ROLLBACK")):
                yield

    return trouble


def dying(point: str) -> Trouble:
    """Give the trouble that kills the core at a commit, such as `before any 3` (see dying.py)."""

    @contextlib.contextmanager
    def trouble(yard: Yard) -> Iterator[None]:
        yard.house.core.kill()
        yard.house.start_mortal(point)
        yard.house.commits.touch()
        yield
        names = yard.house.commits.read_text().splitlines()
        yard.commits = max(yard.commits, names, key=len)
        yard.house.commits.unlink()

    return trouble


def killed(names: str, seconds: float) -> Trouble:
    """Give the trouble that kills processes (`core executor`) some seconds after the break."""

    @contextlib.contextmanager
    def trouble(yard: Yard) -> Iterator[None]:
        processes = [yard.process(name) for name in names.split()]
        # It waits until each is dead and reaped: on a loaded machine that is not at once.
        with after(seconds, lambda: [process.kill() for process in processes]):
            yield

    return trouble


@contextlib.contextmanager
def after(seconds: float, call: Callable[[], object]) -> Iterator[None]:
    """Do something in so many seconds, unless it is over by then."""
    timer = threading.Timer(seconds, call)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
