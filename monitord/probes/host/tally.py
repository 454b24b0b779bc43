"""Counts over a sliding span what each look tells once: kept in a probe's memory between the looks.

Pure; limits are judged elsewhere.
"""

from collections.abc import Mapping, Sequence
from typing import Any

_MOST = 120  # entries kept for one name; more are joined with their neighbours


def counted(
    kept: Any, fresh: Mapping[str, int], *, now: float, span: float
) -> dict[str, list[list[float]]]:
    """Give for each name when how many came, within `span` seconds before `now`, with the fresh.

    `kept` is what this gave at the last look (whatever a store made of it).
    """
    before = kept if isinstance(kept, Mapping) else {}
    found: dict[str, list[list[float]]] = {}
    for name, number in fresh.items():
        pairs = [[float(at), float(n)] for at, n in before.get(name, ()) if now - span < at <= now]
        if number:
            pairs.append([round(now, 1), float(number)])
        found[name] = _joined(pairs)
    return found


def total(pairs: Sequence[Sequence[float]]) -> int:
    """Give how many came within the span."""
    return int(sum(number for _, number in pairs))


def _joined(pairs: list[list[float]]) -> list[list[float]]:
    """Join neighbours, at the later time: nothing that is within the span is forgotten early."""
    while len(pairs) > _MOST:
        pairs = [
            [pairs[at + 1][0], pairs[at][1] + pairs[at + 1][1]]
            for at in range(0, len(pairs) - 1, 2)
        ] + (pairs[-1:] if len(pairs) % 2 else [])
    return pairs
