"""Decides how much of the promised availability a window has left. Pure.

What a service may be away in a window is agreed for the whole of it; what it was away is known up
to now. docs/services.md says it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from monitord.decisions.availability import Availability, Period, Time


@dataclass(frozen=True, slots=True)
class Budget:
    """µs of agreed time: that a service may be away in the window, and that it was."""

    allowed: int
    used: int

    @property
    def left(self) -> int:
        """What is left of it; negative once the promise of this window is broken."""
        return self.allowed - self.used


def budget(found: Availability, agreed: Iterable[Period], target: float | None) -> Budget | None:
    """Give the budget of a window, or None where no availability is promised.

    Args:
        found: the figure up to now.
        agreed: the agreed periods of the whole window, those to come too.
        target: the share that is promised (0 to 1).
    """
    if target is None:
        return None
    whole = sum(end - start for start, end in agreed) - found.times[Time.EXCUSED]
    return Budget(round((1 - target) * whole), found.denominator - found.times[Time.UP])
