"""What probes of services share: a pair of limits as a mapping, numbers of a hostile text, growth.

It decides how a limit is written and when a counter has grown; what is measured the probes decide.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field

from monitord.model.ranges import parse_range
from monitord.model.result import Measurement, Result
from monitord.model.spec import Spec, Threshold
from monitord.probes.limits import over
from monitord.probes.verdict import Finding


class Limits(Spec):
    """Two limits on one number."""

    warning: Threshold | None = Field(
        None, description="WARNING when the number is outside this.", examples=["80", "10:"]
    )
    critical: Threshold | None = Field(
        None, description="CRITICAL when the number is outside this.", examples=["95", "5:"]
    )

    def judge(self, sentence: str, value: float, unit: str = "") -> Finding | None:
        """Give the sentence with the broken limit behind it, or None."""
        return over(sentence, value, self.warning, self.critical, unit)

    def measured(self, name: str, value: float, unit: str = "") -> Measurement:
        """Give the number with these limits."""
        return Measurement(
            name,
            round(value, 6),
            unit,
            self.warning.text if self.warning else "",
            self.critical.text if self.critical else "",
        )


def limits(warning: str | None = None, critical: str | None = None) -> Limits:
    """Give limits for a default, from texts as in YAML."""
    return Limits(
        warning=parse_range(warning) if warning is not None else None,
        critical=parse_range(critical) if critical is not None else None,
    )


def number(text: Any) -> float:
    """Read a number that a server wrote.

    Raises:
        ValueError: none, or one that cannot be kept (nan, inf).
    """
    if isinstance(text, bool):
        raise ValueError(f"{text} is no number")  # noqa: TRY004 - to callers it is one more bad text
    try:
        value = float(text)
    except (TypeError, OverflowError):
        raise ValueError(f"{type(text).__name__} is no number") from None
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number")
    return value


def grown(memory: Mapping[str, Any], name: str, value: float) -> float:
    """Tell by how much a counter grew since the last look; 0 at the first, or after a restart."""
    before = memory.get(name)
    if not isinstance(before, int | float) or value < before:
        return 0.0
    return value - before


def remembering(result: Result, **counters: float) -> Result:
    """Give the result with the counters that the next look compares with."""
    return replace(result, memory=counters)
