"""The `composite` kind: what a check says by the states of others. It looks at nothing itself.

Which checks a selector means is settled at loading (config/composites.py), and what their states
come to by decisions/composite.py.
"""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from monitord.decisions import composite
from monitord.model.ids import Instant
from monitord.model.kinds import MembersRecord, Record, RecordProbe
from monitord.model.result import Result
from monitord.model.spec import Spec


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Selectors = Annotated[
    tuple[str, ...],
    BeforeValidator(_as_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class CompositeSpec(Spec):
    """Other checks: all of them, any, or at least so many must work (exactly one is said)."""

    example: ClassVar[str] = """\
composite: {at_least: 2, of: "web*/site"}
"""
    rhythm = MappingProxyType({"every": "60s", "attempts": 1, "recoveries": 1})

    all: Selectors = Field(
        default=(), description="Every check must work.", examples=[["db1/pg", "www/vip"]]
    )
    any: Selectors = Field(
        default=(), description="One check must work.", examples=[["sw1/reach", "sw2/reach"]]
    )
    at_least: int = Field(default=0, ge=0, description="So many checks of `of` must work.")
    of: Selectors = Field(
        default=(), description="The checks of `at_least`.", examples=["web*/site"]
    )
    members: Literal["quiet", "loud"] = Field(
        default="quiet",
        description="quiet: while this check is critical, people hear of it alone; loud: of each.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> "CompositeSpec":
        counts = bool(self.at_least or self.of)
        if sum((bool(self.all), bool(self.any), counts)) != 1:
            raise ValueError('needs exactly one of all:, any:, or at_least: with of: "web*/site"')
        if counts and not (self.at_least and self.of):
            lacks = "of: (which checks?)" if self.at_least else "at_least: (how many must work?)"
            raise ValueError(f"lacks {lacks}")
        return self

    def selectors(self) -> tuple[str, tuple[str, ...]]:
        """Give the key that tells which checks are meant, and its lines."""
        for key in ("all", "any"):
            if found := getattr(self, key):
                return key, found
        return "of", self.of


def judge(_spec: CompositeSpec, record: Record, _now: Instant) -> Sequence[Result]:
    """Give the one result that the members come to."""
    if not isinstance(record, MembersRecord):
        raise TypeError(f"composite is judged by a MembersRecord, not by {type(record).__name__}")
    return (composite.judge(record),)


# Its members have been looked at as often as they ask for: one verdict is not a single sample.
KIND = RecordProbe("composite", CompositeSpec, "members", judge, sees_death=True)
