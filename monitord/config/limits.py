"""Limits that can never do what they say: the wrong way round, over all there is, past the timeout.

What it decides: whether a probe's own settings contradict each other. Goes by the names that all
probes share (`warning`, `critical`, `inodes_warning` …), so that a new kind is judged too. Pure.
"""

import math
from collections.abc import Iterator
from datetime import timedelta
from functools import cache

from pydantic import BaseModel

from monitord.config.sentences import Path, model_in
from monitord.model.ranges import Range
from monitord.model.spec import Spec, format_duration

_LESS_IS_WORSE = frozenset({"expires"})
"""Maps in which a duration is what must be left, not what may pass."""

_ALL = 100.0


def contradictions(spec: Spec) -> Iterator[tuple[Path, str]]:
    """Give each contradiction: the setting to look at, and the sentence about it."""
    yield from _below(spec, ())


def too_late(spec: Spec, timeout: timedelta) -> Iterator[tuple[Path, str]]:
    """Give each time limit of a network probe that ends after the probe has been given up."""
    for name in ("warning", "critical"):
        limit = getattr(spec, name, None)
        seconds = limit.total_seconds() if isinstance(limit, timedelta) else math.inf
        if isinstance(limit, Range) and not limit.inside and limit.start <= 0:
            seconds = limit.end
        if timeout.total_seconds() < seconds < math.inf:
            text = (
                f"{name}: {seconds:g}s is never reached, for timeout: {format_duration(timeout)} "
                "comes first (make one of them fit)"
            )
            yield (name,), text


@cache
def _judged(model: type[BaseModel]) -> tuple[str, ...]:
    """Give the fields that may hold limits: most specs are judged thousands of times."""
    return tuple(
        name
        for name, field in model.model_fields.items()
        if "warning" in name or "critical" in name or model_in(field.annotation) is not None
    )


def _below(model: BaseModel, path: Path) -> Iterator[tuple[Path, str]]:
    for name in _judged(type(model)):
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _below(value, (*path, name))
            continue
        if isinstance(value, Range) and "%" in value.text and _ALL < value.end < math.inf:
            yield (*path, name), f"{name}: {value.text} is over 100% (write 0% to 100%)"
        other = name.replace("warning", "critical")
        if other == name or getattr(model, other, None) is None or value is None:
            continue
        at = path[-1] if path else ""
        if _is_beyond(value, getattr(model, other), less_is_worse=at in _LESS_IS_WORSE):
            yield (*path, name), _sentence(name, value, other, getattr(model, other))


def _sentence(name: str, value: object, other: str, limit: object) -> str:
    return (
        f"{name}: {_shown(value)} lies beyond {other}: {_shown(limit)}, so it would never be "
        "WARNING (swap them)"
    )


def _is_beyond(warning: object, critical: object, *, less_is_worse: bool) -> bool:
    """Tell whether every value that is bad enough for `warning` is CRITICAL already."""
    if isinstance(warning, timedelta) and isinstance(critical, timedelta):
        return warning < critical if less_is_worse else warning > critical
    if isinstance(warning, int) and isinstance(critical, int):
        return warning > critical
    if not isinstance(warning, Range) or not isinstance(critical, Range):
        return False
    if warning.inside or critical.inside:
        return False
    if warning.end == critical.end == math.inf:
        return warning.start < critical.start
    return warning.start == critical.start and warning.end > critical.end


def _shown(value: object) -> str:
    if isinstance(value, timedelta):
        return format_duration(value)
    return value.text if isinstance(value, Range) else str(value)
