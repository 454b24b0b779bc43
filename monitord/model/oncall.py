"""People and rotations as written, and the changes to shifts that people give.

They hold names, wall-clock times and rows; who is on call when is decided in decisions/oncall.py.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from monitord.model.calendar import ALWAYS, Calendar
from monitord.model.ids import Instant


@dataclass(frozen=True, slots=True)
class Way:
    """One way to reach a person: a kind and whom it names (a text or a `SecretRef`).

    Between `quiet_from` and `quiet_until` (seconds since midnight in the person's zone; equal:
    never) it stays silent; nor does it carry what is less urgent than `min_priority`.
    """

    kind: str
    to: Any
    quiet_from: int = 0
    quiet_until: int = 0
    min_priority: str = "P5"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can be told. `login` is the account in whose name they act; `ways` in order."""

    name: str
    login: str
    zone: str = "UTC"
    ways: tuple[Way, ...] = ()
    tiers: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Every:
    """How long a turn is on the wall clock: so many months, or a time of whole hours."""

    months: int = 0
    length: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Layer:
    """Members who take turns, one after the other.

    `start` is a wall-clock time of `zone` at which the first member's turn begins; the turns go on
    before and after it for ever. Only while `hours` is open is anybody of it on call (None:
    always).
    """

    members: tuple[str, ...]
    every: Every
    start: datetime
    zone: str = "UTC"
    hours: Calendar | None = None


@dataclass(frozen=True, slots=True)
class Rotation:
    """Layers; where a later one has somebody on call, it lies over those before it.

    Somebody must be on call while `cover` is open; `place` is file:line.
    """

    name: str
    layers: tuple[Layer, ...]
    cover: Calendar = ALWAYS
    place: str = field(default="", compare=False)


class ShiftKind(StrEnum):
    """How somebody came to a shift that the rotation gives to another."""

    OVERRIDE = "override"  # said by anybody who may command
    SWAP = "swap"  # proposed by one of the two, and it counts once the other has agreed
    TAKEN = "taken"  # by whoever is on from then on


@dataclass(frozen=True, slots=True)
class Override:
    """A row: `person` is on call in `rotation` from `starts` to `ends`, whatever is written.

    With `instead` only where that person would be on; with `beside` along with whoever is. What a
    swap gives back is a row of its own, whose `pair` is the first one's id: they count together.
    """

    id: int
    rotation: str
    person: str
    starts: Instant
    ends: Instant
    kind: ShiftKind
    by: str
    given: Instant
    reason: str
    instead: str = ""
    beside: bool = False
    pair: int = 0
    agreed_by: str = ""
    agreed: Instant | None = None
    ended: Instant | None = None
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for: who is on call in a rotation, from when to when, and why."""

    rotation: str
    person: str
    starts: Instant
    ends: Instant
    reason: str
    instead: str = ""
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Shift:
    """One person on call from `starts` to `ends` (not included).

    `layer` counts from 1; 0: by the override whose id is `override`.
    """

    person: str
    starts: Instant
    ends: Instant
    layer: int = 1
    override: int = 0
    beside: bool = False
