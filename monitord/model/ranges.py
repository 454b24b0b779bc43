"""Nagios threshold ranges: parsed once, asked often. Pure.

`10` alerts outside 0..10, `10:` below 10, `~:10` above 10, `10:20` outside, `@10:20` inside; both
ends belong to the range. A `%` after a number is ignored. Source: Monitoring Plugins guidelines; a
start above the end is refused, as monitoring-plugins does.
"""

import math
import re
from dataclasses import dataclass

# What strtod reads without its inf, nan and hexadecimals; float() alone would take `1_0` and `nan`.
_NUMBER = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)%*")


@dataclass(frozen=True, slots=True)
class Range:
    """Alert when a value lies outside start..end, or inside it when `inside`.

    NaN lies nowhere: it alerts unless `inside`.
    """

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
    low, colon, high = body.removeprefix("@").rpartition(":")
    if not (colon or high):
        raise _not_a_range(text)
    start = -math.inf if low == "~" else _number(low or "0", text)
    end = _number(high, text) if high else math.inf
    if start > end:
        low, high = (part.rstrip("%") or "0" for part in (low, high))
        raise ValueError(f"{text!r} starts above its end (write {'@' * inside}{high}:{low})")
    return Range(start, end, inside, body)


def _number(digits: str, text: str) -> float:
    match = _NUMBER.fullmatch(digits)
    number = float(match[1]) if match else math.inf
    if not math.isfinite(number):
        raise _not_a_range(text)
    return number


def _not_a_range(text: str) -> ValueError:
    return ValueError(f"{text!r} is not a threshold (write 80, 10:, ~:5, 10:20 or @10:20)")
