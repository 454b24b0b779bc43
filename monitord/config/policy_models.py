"""The pydantic models of policies, vendors and routes: who is told, and which backends hear.

Models judge shape and value; names of people, rotations and calendars are resolved elsewhere.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from monitord.config.fields import Gap, Names, shown
from monitord.config.oncall_models import At
from monitord.model.policy import AFTER, PRIORITIES
from monitord.model.spec import Spec, parse_duration

Tier = Literal["L1", "L2", "L3", "L4"]
Priority = Literal["P1", "P2", "P3", "P4", "P5"]


def _waits(value: object) -> object:
    """Read `15m`, or `{P1: 5m, P2: 15m}` in which what is left out keeps its default."""
    if isinstance(value, dict):
        unknown = [key for key in value if key not in PRIORITIES]
        if unknown:
            raise ValueError(f"{shown(unknown[0])} is not a priority (write P1 to P5)")
        return {**AFTER, **{key: parse_duration(wait) for key, wait in value.items()}}
    return dict.fromkeys(PRIORITIES, parse_duration(value))


_WAITS_SCHEMA = {
    "anyOf": [
        {"type": "string", "examples": ["15m"]},
        {
            "type": "object",
            "properties": {name: {"type": "string"} for name in PRIORITIES},
            "additionalProperties": False,
        },
    ]
}
Waits = Annotated[Mapping[str, timedelta], BeforeValidator(_waits), WithJsonSchema(_WAITS_SCHEMA)]


class PolicyStepModel(Spec):
    """One tier: who is told, and how long the tier before it may stay silent."""

    tier: Tier
    tell: Annotated[Names, Field(min_length=1)] = Field(
        description="Rotations, people and vendors.", examples=["rotation/linux", "person/kim"]
    )
    after: Waits | None = None


class PolicyModel(Spec):
    """Who is told of an incident, tier after tier, while nobody answers."""

    steps: Annotated[tuple[PolicyStepModel, ...], Field(min_length=1)]
    repeat: Annotated[int, Field(ge=0, le=20)] = Field(
        0, description="How often all steps are told again while nobody answers."
    )
    hours: Mapping[Priority, str] = Field(
        default={},
        description="By priority, the calendar in which it pages, or never.",
        examples=[{"P3": "office", "P4": "never"}],
    )


class VendorModel(Spec):
    """Who stands behind a thing by contract, and how they are reached."""

    contract: Annotated[str, Field(min_length=1)]
    contact: Annotated[str, Field(min_length=1)]
    respond: Gap | None = Field(None, description="Within what they must answer.")
    resolve: Gap | None = Field(None, description="Within what they must have repaired it.")
    calendar: str = Field("", description="In which open time; left out: around the clock.")


class DigestModel(Spec):
    """The message of the morning: what was kept quiet, and what the day will ask for."""

    at: At = Field(description="When, on each one's own wall clock.", examples=["07:30"])
    to: Annotated[Names, Field(min_length=1)] = Field(
        description="Rotations and people.", examples=["rotation/linux", "person/kim"]
    )
    calendar: str = Field("", description="A calendar: only on days on which it opens.")


class NotifyModel(Spec):
    """How single people are told."""

    mail: str = Field("", description="The email backend whose server carries people's mails.")
    remind: Gap = timedelta(hours=4)
    most: Annotated[int, Field(ge=1, le=1000)] = 10
    digest: DigestModel | None = Field(None, description="With one, P4 and P5 page nobody.")
    audit_head: Names = Field(
        (),
        description="Rotations and people who are sent the end of the audit chain each day.",
        examples=["person/kim"],
    )
    reports: Names = Field(
        (),
        description="Rotations and people who are sent the report of a month once it is sealed.",
        examples=["person/ann"],
    )


class RecurringModel(Spec):
    """When what keeps coming back is a problem of its own."""

    after: Annotated[int, Field(ge=2, le=1000)] = 3
    within: Gap = timedelta(days=1)


class RouteModel(Spec):
    """Which ticket backends hear of what: the first route that fits decides."""

    to: Names
    on: Annotated[str, Field(min_length=1)] = "*"
    tier: Annotated[
        tuple[Tier, ...],
        BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    ] = ()
    priority: Annotated[
        tuple[Priority, ...],
        BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    ] = ()
    during: str = Field("", description="A calendar: the route fits while it is open.")
