"""Nagios threshold ranges: parsed once, asked often. Pure.

`10` alerts outside 0..10, `10:` below 10, `~:10` above 10, `10:20` outside, `@10:20` inside; both
ends belong to the range. A trailing `%` is ignored. Source: Monitoring Plugins guidelines; a start
above the end is refused, as monitoring-plugins does.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """Alert when a value lies outside start..end, or inside it when `inside`."""

    start: float
    end: float
    inside: bool = False
    text: str = ""

    def alerts(self, value: float) -> bool:
        """Tell whether `value` is bad."""
        return (self.start <= value <= self.end) is self.inside


def parse_range(text: str) -> Range:
    """Read a range.

    Raises:
        ValueError: not a range; the message gives the value and an example.
    """
    body = text.strip()
    inside = body.startswith("@")
    body = body.removeprefix("@").rstrip("%")
    low, colon, high = body.rpartition(":")
    if not colon:
        low = "0"
    start = -math.inf if low == "~" else _number(low or "0", text)
    end = _number(high, text) if high else math.inf
    if not body or math.isnan(start) or math.isnan(end):
        raise ValueError(f"{text!r} is not a threshold (write 80, 10:, ~:5, 10:20 or @10:20)")
    if start > end:
        raise ValueError(f"{text!r} starts above its end (write {high}:{low})")
    return Range(start, end, inside, text.strip())


def _number(digits: str, text: str) -> float:
    try:
        return float(digits)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a threshold (write 80, 10:, ~:5, 10:20 or @10:20)"
        ) from None
