"""Turns a plugin's units into base units: 1000 ms is 1 s, 2 MiB are 2097152 B. Pure.

An unknown unit is dropped and its number kept. Decimal prefixes count in thousands, `Ki`, `Mi` …
in 1024; a lone `m` is minutes. Spelling decides; only bytes and bits are forgiven a wrong case.
"""

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from monitord.model.ranges import Range
from monitord.model.result import Measurement
from monitord.probes.perfdata import Perfdatum

_DECIMAL: Mapping[str, float] = MappingProxyType(
    {
        "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "K": 1e3,
        "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    }
)  # fmt: skip
_BINARY: Mapping[str, float] = MappingProxyType(
    {f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)}
)
_PREFIXED = ("A", "V", "W", "g", "l", "lm", "O", "As", "Ws", "Wh")
_AMOUNTS = ("B", "b")  # bytes and bits: no fractions of them, and binary prefixes too
_FIXED: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        "%": ("%", 1.0), "c": ("c", 1.0), "C": ("C", 1.0), "F": ("F", 1.0), "K": ("K", 1.0),
        "dBm": ("dBm", 1.0), "s": ("s", 1.0), "ms": ("s", 1e-3), "us": ("s", 1e-6),
        "µs": ("s", 1e-6), "μs": ("s", 1e-6), "ns": ("s", 1e-9), "min": ("s", 60.0),
        "m": ("s", 60.0), "h": ("s", 3600.0), "d": ("s", 86400.0), "t": ("g", 1e6),
        "hl": ("l", 100.0), "°C": ("C", 1.0), "°F": ("F", 1.0),
    }
)  # fmt: skip
_SCALED: Mapping[str, tuple[str, float]] = MappingProxyType(
    {"Am": ("As", 60.0), "Ah": ("As", 3600.0), "Ω": ("O", 1.0)}
)


def _amounts() -> Iterator[tuple[str, tuple[str, float]]]:
    for base in _AMOUNTS:
        for prefix, factor in {**_DECIMAL, **_BINARY}.items():
            if factor >= 1:
                yield prefix + base, (base, factor)


def _table() -> Iterator[tuple[str, tuple[str, float]]]:
    bases = {base: (base, 1.0) for base in _PREFIXED} | dict(_SCALED)
    for base, (symbol, size) in bases.items():
        for prefix, factor in _DECIMAL.items():
            yield prefix + base, (symbol, factor * size)
    yield from _amounts()
    yield from _FIXED.items()


_EXACT: Mapping[str, tuple[str, float]] = MappingProxyType(dict(_table()))
# Bits come after bytes and replace them here: whoever writes all small (gib) writes a small b.
_SMALL: Mapping[str, tuple[str, float]] = MappingProxyType(
    {unit.lower(): base for unit, base in _amounts()}
)


def base_unit(unit: str) -> tuple[str, float]:
    """Give the base unit of `unit` and how many of it one is; an unknown one gives empty and 1."""
    return _EXACT.get(unit) or _SMALL.get(unit.lower()) or ("", 1.0)


def to_measurement(item: Perfdatum) -> Measurement:
    """Give the item in its base unit, limits and bounds with it."""
    unit, factor = base_unit(item.unit)
    return Measurement(
        name=item.label,
        value=_times(item.value, factor),
        unit=unit,
        warning=_range_text(item.warning, factor),
        critical=_range_text(item.critical, factor),
        minimum=None if item.minimum is None else _times(item.minimum, factor),
        maximum=None if item.maximum is None else _times(item.maximum, factor),
    )


def _times(value: float, factor: float) -> float:
    # A division by 1000 is exact where a product with 0.001 is not: 200 ms are 0.2 s.
    scaled = value * factor if factor >= 1 else value / round(1 / factor)
    return scaled if math.isfinite(scaled) else value


def _range_text(limit: Range | None, factor: float) -> str:
    if limit is None:
        return ""
    start, end = _times(limit.start, factor), _times(limit.end, factor)
    low = "~" if math.isinf(start) else f"{start:.12g}"
    high = "" if math.isinf(end) else f"{end:.12g}"
    sign = "@" if limit.inside else ""
    return f"{sign}{high}" if start == 0 and high else f"{sign}{low}:{high}"
