"""Decides whether a state flaps: Icinga's formula over the last 20 results, with hysteresis.

A bit says whether a result differed from the one before it. Which results count is decided in
state.py (UNKNOWN, PENDING and what a parent's outage explains do not).
"""

_WINDOW = 20
_MASK = (1 << _WINDOW) - 1
_HALF = _WINDOW // 2
_LOWER = (1 << _HALF) - 1
# A change weighs 1.18 as the newest result and 0.02 less for each one after it, down to 0.80.
# In hundredths the sums are whole numbers, so that 25 % is exactly 25 and not 24.999….
_WEIGHTS = tuple(118 - 2 * age for age in range(_WINDOW))


def _sums(weights: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(
        sum(weight for place, weight in enumerate(weights) if bits >> place & 1)
        for bits in range(1 << len(weights))
    )


# Two tables of 1,024 sums: this is asked for every result of every check that lately changed.
_NEWER, _OLDER = _sums(_WEIGHTS[:_HALF]), _sums(_WEIGHTS[_HALF:])


def push(bits: int, changed: bool) -> int:
    """Take one more result into the window of 20; the newest is the lowest bit."""
    return (bits << 1 | changed) & _MASK


def percent(bits: int) -> float:
    """Give the weighted share of changes, 0 to 99 %: 100 · Σ weight / 20.

    Source: Icinga 2, lib/icinga/checkable-flapping.cpp (the formula, not the code).
    """
    return (_NEWER[bits & _LOWER] + _OLDER[bits >> _HALF & _LOWER]) / _WINDOW


def is_flapping(before: bool, percent: float, *, low: float, high: float) -> bool:
    """Tell whether it flaps now: starts above `high`, stops at or below `low`, else stays."""
    return percent > (low if before else high)
