"""Escalation policies: who is told at which tier, and after how long without an answer.

They hold what was written; who is on call and what is due is decided in decisions/paging.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from types import MappingProxyType

from monitord.model.calendar import ALWAYS, Calendar

TIERS = ("L1", "L2", "L3", "L4")
PRIORITIES = ("P1", "P2", "P3", "P4", "P5")

AFTER: Mapping[str, timedelta] = MappingProxyType(
    {
        "P1": timedelta(minutes=5),
        "P2": timedelta(minutes=15),
        "P3": timedelta(hours=1),
        "P4": timedelta(days=1),
        "P5": timedelta(days=1),
    }
)
"""How long a step waits for an answer before the next is told, where nothing is written."""

NEVER = "never"
"""In `hours`: nobody is paged in this priority; it stands in the digest."""


@dataclass(frozen=True, slots=True)
class PolicyStep:
    """One tier of a policy.

    `tell` names them: `rotation/<name>`, `person/<name>`, `vendor/<name>`. `after` is, by priority,
    how long the step before it may stay unanswered.
    """

    tier: str
    tell: tuple[str, ...] = ()
    after: Mapping[str, timedelta] = field(default_factory=lambda: AFTER)


@dataclass(frozen=True, slots=True)
class Policy:
    """The steps in their order, told again from the first `repeat` times while nobody answers.

    `hours` says, by priority, in which calendar a page may go out (`never`: in none); a priority
    that is not in it pages at any time.
    """

    name: str
    steps: tuple[PolicyStep, ...] = ()
    repeat: int = 0
    hours: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Vendor:
    """Who stands behind a thing by contract: tier L4.

    Within `respond` of open time they answer, within `resolve` they give it back repaired.
    """

    name: str
    contract: str = ""
    contact: str = ""
    respond: timedelta | None = None
    resolve: timedelta | None = None
    calendar: Calendar = ALWAYS


@dataclass(frozen=True, slots=True)
class Digest:
    """The message of the morning: when, on the wall clock of each, and for whom.

    `to` names them: `person/<name>`, `rotation/<name>`. With a calendar there is one on days on
    which it opens.
    """

    at: time
    to: tuple[str, ...]
    calendar: str = ""


@dataclass(frozen=True, slots=True)
class Notify:
    """How single people are told.

    `mail` is the ticket backend whose mail server carries their mails (empty: the first of its
    kind). Whoever acknowledged is reminded each `remind`. `most` notices go to one person in ten
    minutes; the rest waits and comes as one. Where there is a `digest`, P4 and P5 page nobody.
    `audit_head` are sent the end of the audit chain each day (`person/<name>`, `rotation/<name>`),
    `reports` each month's report.
    """

    mail: str = ""
    remind: timedelta = timedelta(hours=4)
    most: int = 10
    digest: Digest | None = None
    audit_head: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recurring:
    """When what keeps coming back is a problem: so many times within so long."""

    after: int = 3
    within: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Route:
    """Which ticket backends hear of an incident: of the first route that fits, `to`.

    `on` is a selector; empty tiers, priorities and calendar fit always.
    """

    to: tuple[str, ...]
    on: str = "*"
    tiers: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    during: str = ""
