"""Limits on how long a network probe took, written as `500ms`, as seconds or as a range.

It decides what such a limit means and how seconds are shown; it measures nothing.
"""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from monitord.model.ranges import Range, parse_range
from monitord.model.result import Status
from monitord.model.spec import parse_duration

_WITH_UNIT = re.compile(r"[0-9.]+[a-z][0-9a-z.]*")


def _limit(value: object) -> Range:
    if isinstance(value, Range):
        return value
    text = str(value).strip()
    if _WITH_UNIT.fullmatch(text):
        seconds = parse_duration(text).total_seconds()
        return Range(0.0, seconds, text=f"{seconds:g}")
    return parse_range(text)


Latency = Annotated[
    Range,
    BeforeValidator(_limit),
    PlainSerializer(lambda value: value.text, return_type=str),
    WithJsonSchema({"type": ["string", "number"]}),
]
"""A limit in seconds: `500ms`, `2s`, `0.5`, or a Nagios range of seconds."""


def judge_latency(spec: Any, seconds: float) -> tuple[Status, str] | None:
    """Hold `seconds` against `spec.warning` and `spec.critical`; None when within both."""
    for status, limit in ((Status.CRITICAL, spec.critical), (Status.WARNING, spec.warning)):
        if limit is not None and limit.alerts(seconds):
            return status, f"took {show(seconds)}, the limit is {_bound(limit)}"
    return None


def _bound(limit: Range) -> str:
    plain = limit.start == 0 and not limit.inside
    return show(limit.end) if plain else f"{limit.text} s"


def show(seconds: float) -> str:
    """Give a time for a person: `0.4 ms`, `12 ms`, `1.24 s`, `5 s`."""
    if seconds < 0.00995:  # noqa: PLR2004 - below, one decimal still tells something
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:  # noqa: PLR2004 - above, rounding would show 1000 ms
        return f"{seconds * 1000:.0f} ms"
    return f"{round(seconds, 2):g} s"
