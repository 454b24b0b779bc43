"""Service levels as configured: how fast, by which calendar, how available; and the priorities.

What they make of an incident is decided in decisions/sla.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from monitord.model.calendar import ALWAYS, Calendar
from monitord.model.ids import IncidentId, Instant

IMPACTS = ("high", "normal", "low")
URGENCIES = ("down", "critical", "warning", "unknown")
"""What is the matter: a whole service is down; a check is CRITICAL, WARNING or UNKNOWN."""


@dataclass(frozen=True, slots=True)
class Target:
    """Within which open time of `calendar` somebody answers, and it is over. None: no promise."""

    respond: timedelta | None = None
    resolve: timedelta | None = None
    calendar: Calendar = ALWAYS


def _targets() -> Mapping[str, Target]:
    hours = {"P1": (0.25, 4), "P2": (0.5, 8), "P3": (4, 48), "P4": (24, 120)}
    return MappingProxyType(
        {
            name: Target(timedelta(hours=respond), timedelta(hours=resolve))
            for name, (respond, resolve) in hours.items()
        }
    )


@dataclass(frozen=True, slots=True)
class Sla:
    """One service level. A priority that `targets` does not name has no clocks.

    `warn` are the shares (0 to 1, rising) of a clock at which it calls before it breaks.
    `availability` is the share of the agreed time (`calendar`) that the service must be up (None:
    no promise) in each `window`: month, quarter or year, of the calendar's zone.
    """

    name: str
    targets: Mapping[str, Target] = field(default_factory=_targets)
    warn: tuple[float, ...] = (0.5, 0.8)
    calendar: Calendar = ALWAYS
    availability: float | None = None
    window: str = "month"


DEFAULT = Sla("default")
"""Holds for services and checks that name none, unless `slas:` writes one of this name."""


def _table() -> Mapping[tuple[str, str], str]:
    rows = {
        "high": ("P1", "P2", "P4", "P4"),
        "normal": ("P2", "P3", "P4", "P4"),
        "low": ("P3", "P4", "P5", "P5"),
    }
    return MappingProxyType(
        {
            (impact, urgency): name
            for impact, names in rows.items()
            for urgency, name in zip(URGENCIES, names, strict=True)
        }
    )


PRIORITY_TABLE: Mapping[tuple[str, str], str] = _table()
"""(impact, urgency) → P1 to P5, where `priorities:` says nothing else."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A time that does not count, and why. `end` None: it still lasts, nobody knows how long.

    What a `vendor` holds does not count for the end of the outage; to respond is still ours.
    """

    start: Instant
    end: Instant | None
    reason: str
    vendor: str = ""


@dataclass(frozen=True, slots=True)
class Paused:
    """A row: a person paused the clocks of an incident, or a `vendor` holds it.

    It ends by itself at `expires`. `answered` is when the vendor did, whose own clock runs.
    """

    id: int
    incident: IncidentId
    starts: Instant
    expires: Instant
    reason: str
    by: str
    vendor: str = ""
    answered: Instant | None = None
    ended: Instant | None = None
    ended_by: str = ""

    @property
    def end(self) -> Instant:
        """Give when it ends, or ended."""
        return self.expires if self.ended is None else min(self.ended, self.expires)


SAID = ("up", "down", "excluded")
"""What a person can say that a time was."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A row: what a service or a check really was (`said`: up, down, excluded) in a time.

    One person says so and why, another approves. `about` is a service's name or a check's key.
    """

    id: int
    about: str
    starts: Instant
    ends: Instant
    said: str
    reason: str
    by: str
    given: Instant
    approved_by: str
    revoked: Instant | None = None
    revoked_by: str = ""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A row: what a service's availability of a month (`2027-01`) was sealed as, and never changes.

    `account` is the sealed text, packed (decisions/seals.py). `replaces` is the number of the seal
    before it of that month (0: it is the first), and `reason` says what came since.
    """

    id: int
    service: str
    month: str
    seal: str
    account: str
    made: Instant
    replaces: int = 0
    reason: str = ""
