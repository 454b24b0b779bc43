"""The pydantic models of people and rotations: who can be told and how, and who takes turns.

Models judge shape and value; names of people and calendars are resolved in oncall.py.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from monitord.config.calendar_models import WEEKDAYS, parse_spans, parse_weekdays
from monitord.config.fields import Names, User, Zone, shown
from monitord.model.calendar import DAY, Span
from monitord.model.oncall import Every
from monitord.model.spec import SecretText, Spec, parse_duration

Tier = Literal["L1", "L2", "L3", "L4"]
Priority = Literal["P1", "P2", "P3", "P4", "P5"]
Week = tuple[tuple[Span, ...], ...]
ANCHOR = date(2024, 1, 1)
"""A Monday: the first member's turn begins then where no `start` is written."""

_HOUR = timedelta(hours=1)
_LONGEST = timedelta(weeks=53)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250})?")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S")
_WORDS: Mapping[str, Every] = {
    "daily": Every(length=timedelta(days=1)),
    "weekly": Every(length=timedelta(weeks=1)),
    "monthly": Every(months=1),
}


def _every(value: object) -> Every:
    if isinstance(value, Every):
        return value
    if str(value) in _WORDS:
        return _WORDS[str(value)]
    try:
        length = parse_duration(value)
    except ValueError:
        raise ValueError(
            f"{shown(value)} is no length of a turn (write weekly, daily, monthly, 12h or 2w)"
        ) from None
    if length % _HOUR or not _HOUR <= length <= _LONGEST:
        raise ValueError(f"{shown(value)} is no turn of whole hours up to a year (write 12h or 2w)")
    return Every(length=length)


def _time(value: object) -> time:
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError(f"{shown(value)} is no time of day (write 08:00)")
    return time.fromisoformat(value)


def _weekday(value: object) -> int:
    if isinstance(value, int):
        return value
    days = parse_weekdays(value) if isinstance(value, str) else ()
    if len(days) != 1:
        raise ValueError(f"{shown(value)} is not one weekday (write monday)")
    return days[0]


def _start(value: object) -> date:
    if isinstance(value, date):
        return value
    try:
        found = date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{shown(value)} is no date (write 2026-11-30)") from None
    if not datetime(1971, 1, 1).date() <= found <= date(2199, 12, 31):  # noqa: DTZ001 - a day
        raise ValueError(f"{shown(value)} is too far away (write 2026-11-30)")
    return found


def _hours(value: object) -> str | Week:
    """Read the name of a calendar, or `{mon-fri: "08:00-18:00"}`."""
    if isinstance(value, str | tuple):
        return value
    if not isinstance(value, dict):
        raise ValueError(  # noqa: TRY004 - pydantic tells ValueErrors only
            f'{shown(value)} is neither a calendar nor hours (write {{mon-fri: "08:00-18:00"}})'
        )
    week: list[tuple[Span, ...]] = [()] * 7
    for days, spans in value.items():
        for day in parse_weekdays(str(days)):
            week[day] = parse_spans(spans)
    return tuple(week)


def _quiet(value: object) -> tuple[Span, ...]:
    spans = parse_spans(value)
    if len(spans) != 1 or spans[0].end - spans[0].start >= DAY:
        raise ValueError(f'{shown(value)} is not one span (write "22:00-06:00")')
    return spans


def _address(value: Any) -> Any:
    if isinstance(value, str) and not _MAIL.fullmatch(value):
        raise ValueError(f"{value!r} is no mail address (write kim@example.com)")
    return value


def _service(value: Any) -> Any:
    if isinstance(value, str) and not _URL.match(value):
        # It may be half a secret: not repeated.
        raise ValueError("is no Apprise URL (write ntfy://ntfy.example.com/topic)")
    return value


_HOURS_SCHEMA = {
    "anyOf": [{"type": "string"}, {"type": "object"}],
    "examples": ["office", {"mon-fri": "08:00-18:00"}],
}
Turn = Annotated[
    Any, BeforeValidator(_every), WithJsonSchema({"type": "string", "examples": ["weekly", "12h"]})
]
At = Annotated[
    Any, BeforeValidator(_time), WithJsonSchema({"type": "string", "examples": ["08:00"]})
]
On = Annotated[Any, BeforeValidator(_weekday), WithJsonSchema({"enum": list(WEEKDAYS)})]
Start = Annotated[
    Any, BeforeValidator(_start), WithJsonSchema({"type": "string", "examples": ["2026-11-30"]})
]
Hours = Annotated[Any, BeforeValidator(_hours), WithJsonSchema(_HOURS_SCHEMA)]
Members = Annotated[Names, Field(min_length=1, max_length=200)]


class WayModel(Spec):
    """One way to reach a person: exactly one of its kinds, and when it stays silent."""

    email: Annotated[SecretText, AfterValidator(_address)] | None = None
    apprise: Annotated[SecretText, AfterValidator(_service)] | None = Field(
        None, description="An Apprise URL, best as a !secret."
    )
    quiet: Annotated[
        Any,
        BeforeValidator(_quiet),
        WithJsonSchema({"type": "string", "examples": ["22:00-06:00"]}),
    ] = Field((), description="Hours of the person's own zone in which this way is not used.")
    min_priority: Priority = Field("P5", description="What is less urgent does not go this way.")

    @model_validator(mode="after")
    def _one(self) -> "WayModel":
        if len([kind for kind in KINDS if getattr(self, kind) is not None]) != 1:
            raise ValueError(f"needs exactly one of {', '.join(KINDS)}")
        return self


KINDS = ("email", "apprise")
"""The kinds of ways."""


class PersonModel(Spec):
    """Somebody who can be told, in which ways, in their order."""

    login: User = Field("", description="The account in whose name they act; left out: the name.")
    timezone: Zone | None = None
    ways: tuple[WayModel, ...] = ()
    tiers: tuple[Tier, ...] = ()
    skills: Names = ()


class TurnsModel(Spec):
    """When one hands over to the next, and when they are on call at all."""

    every: Turn | None = None
    at: At | None = None
    on: On | None = Field(None, description="The weekday of the hand-over, for turns of weeks.")
    start: Start | None = Field(None, description="The day on which the first member begins.")
    timezone: Zone | None = None
    hours: Hours | None = Field(None, description="A calendar, or hours by weekday.")


class LayerModel(TurnsModel):
    """Members who take turns; what is left out is as in the rotation."""

    members: Members


class RotationModel(TurnsModel):
    """Who is on call: its members, or layers of which a later one lies over those before it."""

    members: Members | None = None
    layers: Annotated[tuple[LayerModel, ...], Field(max_length=20)] = ()
    cover: Hours | None = Field(None, description="When somebody must be on call: gaps are told.")

    @model_validator(mode="after")
    def _one(self) -> "RotationModel":
        if (self.members is None) == (not self.layers):
            raise ValueError("needs members: or layers:, one of them")
        return self
