"""Writes a month's report as a message: what was promised and kept, what broke, who repaired it.

Pure: what is counted, and when it is sent, is decided elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitord.decisions.availability import Availability, Time
from monitord.decisions.report import Month, Took
from monitord.model.spec import format_duration
from monitord.model.text import one_line

_SHOWN = 5  # of what came back
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A service's availability in the month, and the share (0 to 1) that was promised, if any."""

    service: str
    found: Availability
    promised: float | None = None

    @property
    def is_broken(self) -> bool:
        """Whether less was kept than was promised."""
        share = self.found.share if self.found.watched else None
        return self.promised is not None and share is not None and share < self.promised


def write(month: str, instance: str, kept: Sequence[Kept], counted: Month) -> tuple[str, str]:
    """Give title and body of the message about a month (`2027-01`)."""
    broken = [one.service for one in kept if one.is_broken]
    head = f"{instance}: report of {month}"
    told = f"{', '.join(broken)} below what was promised" if broken else _count(counted)
    lines = [_service(one) for one in kept] or ["No service is configured."]
    lines += ["", *_incidents(counted)]
    lines += ["", f"The whole of it: `monitord report {month}`, or Reports in the console."]
    return one_line(f"{head}: {told}", 200), "\n".join(lines)


def _count(counted: Month) -> str:
    return f"{counted.incidents} incident{'' if counted.incidents == 1 else 's'}"


def _service(one: Kept) -> str:
    name = one_line(one.service, 80)
    if not one.found.watched:
        return f"{name}: not watched"
    down = one.found.times[Time.DOWN] / _MICRO
    lasted = f", down for {_span(down)}" if down else ""
    promised = ""
    if one.promised is not None:
        word = "BROKEN" if one.is_broken else "kept"
        promised = f" (promised {one.promised:.3%}: {word})"
    return f"{name}: {_floor(one.found)}{promised}{lasted}; seal {one.found.seal}"


def _floor(found: Availability) -> str:
    """Give a share cut off, never rounded up: 99.9996 % are not 100 %."""
    return f"{found.times[Time.UP] * 100_000 // found.denominator / 1000:.3f} %"


def _incidents(counted: Month) -> list[str]:
    lines = [f"{_count(counted)}: {_ended(counted)}" if counted.incidents else "No incident."]
    if counted.automation is not None:
        lines.append(
            f"Repaired by automation alone: {counted.automation:.0%} of those that are over"
        )
    lines += _took("Until a person answered", counted.acknowledged)
    lines += _took("Until it was over", counted.repaired)
    if counted.unanswered:
        lines.append(f"Handed to people and never answered: {counted.unanswered}")
    lines += [
        f"Came back: {one_line(one.key, 120)}, {one.count} times, {_span(one.seconds)} in all"
        for one in counted.recurring[:_SHOWN]
    ]
    return lines


def _ended(counted: Month) -> str:
    return ", ".join(f"{number} {how.value}" for how, number in counted.ended.items() if number)


def _took(what: str, took: Took) -> list[str]:
    if took.mean is None or took.p95 is None:
        return []
    return [f"{what}: {_span(took.mean)} on average, 95 % within {_span(took.p95)}"]


def _span(seconds: float) -> str:
    """Give a length of time to the minute; below one to the second."""
    step = 60 if seconds >= 60 else 1  # noqa: PLR2004 - a minute
    return format_duration(timedelta(seconds=round(seconds / step) * step))
