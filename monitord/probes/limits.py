"""From a number and its two limits to a finding, and how amounts are written for a person.

It decides severity and wording only; what the number is, and its limits, the probes decide.
"""

import math

from monitord.model.facts import Facts
from monitord.model.ranges import Range
from monitord.model.result import Cause, Result, Status
from monitord.model.text import one_line
from monitord.probes.verdict import Finding

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_FEW = 10


def severity(
    value: float, warning: Range | None, critical: Range | None
) -> tuple[Status, Range] | None:
    """Give the worst limit that `value` breaks, or None; the critical one is looked at first."""
    for status, limit in ((Status.CRITICAL, critical), (Status.WARNING, warning)):
        if limit is not None and limit.alerts(value):
            return status, limit
    return None


def over(
    sentence: str, value: float, warning: Range | None, critical: Range | None, unit: str = ""
) -> Finding | None:
    """Give `sentence (limit 95 %)` with its severity when `value` breaks a limit."""
    broken = severity(value, warning, critical)
    if broken is None:
        return None
    status, limit = broken
    return status, f"{sentence} ({show_limit(limit, unit)})"


def show_limit(limit: Range, unit: str = "") -> str:
    """Say a range in words: `limit 95 %`, `at least 10 %`, `allowed 2–4`, `not 5–10`."""
    after = f" {unit}" if unit else ""
    span = f"{limit.start:g}–{limit.end:g}{after}"
    if limit.inside:
        return f"not {span}"
    if math.isinf(limit.end):
        return f"at least {limit.start:g}{after}"
    if limit.start == 0 or math.isinf(limit.start):
        return f"limit {limit.end:g}{after}"
    return f"allowed {span}"


def show_bytes(amount: float) -> str:
    """Write bytes with three digits at most: `512 B`, `1.2 GiB`, `310 MiB`."""
    for unit in _UNITS:
        if abs(amount) < 1000 or unit == _UNITS[-1]:  # noqa: PLR2004 - a fourth digit tells nothing
            break
        amount /= 1024
    return (
        f"{amount:.1f} {unit}" if 0 < abs(amount) < _FEW and unit != "B" else f"{amount:.0f} {unit}"
    )


def show_percent(value: float) -> str:
    """Write a percentage that broke a limit: with a decimal, lest 95.2 read as the limit itself."""
    return f"{value:.1f}".removesuffix(".0")


def show_age(seconds: float, units: int = 2) -> str:
    """Write a span in its largest units: `45 s`, `3 min`, `2 h 10 min`, `4 d 3 h`.

    One unit is for what is well: a line that changes every minute is stored every minute.
    """
    rest = int(abs(seconds))
    sign = "−" if seconds <= -1 else ""
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return sign + " ".join(parts[:units])


def untold(facts: Facts, *keys: str) -> Result | None:
    """Give UNKNOWN when one of these sections could not be told, saying which and why."""
    for key in keys:
        if key in facts.errors:
            name = key.partition(":")[0]
            reason = one_line(facts.errors[key])
            return Result.unknown(f"the host cannot tell {name}: {reason}", Cause.MISSING)
    return None


def absent(name: str) -> Result:
    """Give UNKNOWN for a section that neither came nor failed."""
    return Result.unknown(f"no facts about {name} came", Cause.MISSING)
