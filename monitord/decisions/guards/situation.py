"""The words of the guards: what they look at, what they answer, and what follows from a refusal.

Shapes only; no rule stands here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from monitord.decisions.reach import Reach
from monitord.model.catalog import Budgets, Check, Host, Rung
from monitord.model.ids import Instant
from monitord.model.result import Status
from monitord.model.state import CheckState
from monitord.model.ticket import Order


class Then(StrEnum):
    """What follows from a refusal."""

    WAIT = "wait"  # the reason ends by itself: look again
    NEXT = "next"  # this rung is spent: the next one, or a person
    PERSON = "person"  # automation must not act here at all: a person now


@dataclass(frozen=True, slots=True)
class Effects:
    """Counts of attempts that reached an effect, for the budgets.

    `incident` counts rungs of this incident; `rung` those of this runbook in it; `runbook_hour` and
    `runbook_day` this runbook anywhere; the rest what its host and the fleet had.
    """

    incident: int = 0
    rung: int = 0
    runbook_hour: int = 0
    runbook_day: int = 0
    host_hour: int = 0
    host_day: int = 0
    fleet_hour: int = 0
    fleet_day: int = 0


@dataclass(frozen=True, slots=True)
class Running:
    """Other attempts between their plan and their end: in the fleet, and by group of this host."""

    fleet: int = 0
    groups: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class GroupHealth:
    """How one group of the host fares: its `keep_healthy` rule and who in it is not healthy.

    `rule` is how many hosts must stay healthy, None for the rule by size; `members` counts all
    hosts of the group; `others` are the members besides this host that are not healthy, `repairing`
    those of them that an attempt works on.
    """

    name: str
    rule: int | None
    members: int
    others: tuple[str, ...] = ()
    repairing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the guards may know about one rung of one incident at one instant.

    `states` are the beliefs about the incident's items. `halt_order` and `maintenance` are the
    orders in force for it, `halt_runbook` one that names the runbook; `halt_file` tells whether the
    file HALT exists. `last_effect` is when
    this runbook last had an effect on this host, `lock_holder` a text naming who holds one of the
    locks it needs. `looked` is the worst that the look just before the first effect saw of the
    items (by `evidence`; None before that look). `rung_problem` says why no exact plan can be made.
    `changes` is what the runbook does to a host (`Runbook.changes`). `samples` counts how often the
    items were seen bad (a look counts; so does a process that was seen dead). `repairs` counts the
    effects that this check had in a row, `last_repair` is when the last of them ended. `settled` is
    when the host has run long enough since its boot (None: nothing is known of a boot).

    The texts are empty where nothing stands against acting: `person` tells who is at work on the
    host, `broken` why the runbook's circuit breaker is open, `recurring` what was mended too often,
    `frozen` why nothing may be changed now, `vantage` which canaries are lost, `own` what of
    monitord itself the rung would touch.
    `taken` is the TAKE order in force, `unhealthy` the health of each group of the host, `approved`
    whether a person approved this exact plan.
    """

    now: Instant
    check: Check
    host: Host
    rung: Rung
    budgets: Budgets
    states: tuple[CheckState, ...]
    reach: Reach
    observe: bool = False
    halt_file: bool = False
    halt_order: Order | None = None
    halt_runbook: Order | None = None
    maintenance: Order | None = None
    targets: tuple[str, ...] = ()
    effects: Effects = field(default_factory=Effects)
    running: Running = field(default_factory=Running)
    last_effect: Instant | None = None
    lock_holder: str = ""
    looked: Status | None = None
    rung_problem: str = ""
    changes: str = "change"
    samples: int = 2
    repairs: int = 0
    last_repair: Instant | None = None
    settled: Instant | None = None
    taken: Order | None = None
    person: str = ""
    broken: str = ""
    recurring: str = ""
    frozen: str = ""
    vantage: str = ""
    unhealthy: tuple[GroupHealth, ...] = ()
    own: str = ""
    approved: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a guard says no, what follows, and until when it will say so (None: nobody knows)."""

    reason: str
    then: Then
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """A named rule; `judge` gives None to let pass.

    What a `quiet` one refuses needs no person from this incident: somebody works there already,
    another incident carries the news, or it is over.
    """

    name: str
    judge: Callable[[Situation], Refusal | None]
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one guard said. `refusal` is None when it let pass."""

    guard: str
    refusal: Refusal | None


_LOOK_AGAIN = timedelta(seconds=15)


def soon(s: Situation, wait: timedelta = _LOOK_AGAIN) -> Instant:
    """Give when to look again at what ends by itself, nobody knows when."""
    return Instant(s.now + wait // timedelta(microseconds=1))


def evidence(seen: Iterable[Status]) -> Status:
    """Give what a look proves: the worst that was judged bad, else UNKNOWN unless all was OK."""
    statuses = set(seen)
    for bad in (Status.CRITICAL, Status.WARNING):
        if bad in statuses:
            return bad
    return Status.OK if statuses == {Status.OK} else Status.UNKNOWN
