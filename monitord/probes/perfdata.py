"""Reads what a Nagios plugin printed: status line, long output, performance data. Pure.

It keeps units and limits as the plugin wrote them (probes/units.py turns them into base units) and
refuses single items, never the whole. Where the known parsers disagree, docs/decisions/perfdata.md
says which way was taken and why.
"""

import math
import re
from dataclasses import dataclass

from monitord.model.ranges import Range, parse_range
from monitord.model.text import one_line

MOST_ITEMS = 1000
"""Items that are read from one output; a plugin that prints more is broken or hostile."""

_MOST_REJECTED = 20
_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
# The length limit on a label keeps the search linear: an unclosed quote is given up early.
_TOKEN = re.compile(r"'(?P<label>(?:[^']|''){0,256})'=(?P<value>\S*)|(?P<plain>\S+)")
_VALUE = re.compile(rf"(?P<number>{_NUMBER})(?P<unit>[A-Za-z%°µμΩ/]{{0,16}})")
_PLAIN_NUMBER = re.compile(_NUMBER)
_RANGE = re.compile(rf"@?(?:(?:~|{_NUMBER})?:)?(?:{_NUMBER})?%*")


@dataclass(frozen=True, slots=True)
class Perfdatum:
    """One item of performance data, in the unit and with the limits that the plugin gave."""

    label: str
    value: float
    unit: str = ""
    warning: Range | None = None
    critical: Range | None = None
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class PluginText:
    """A plugin's whole output; `rejected` holds the items that made no sense, as written."""

    text: str
    long_text: str
    perfdata: tuple[Perfdatum, ...]
    rejected: tuple[str, ...]


def parse_output(output: str) -> PluginText:
    """Cut an output at its bars.

    The first line is text, then perfdata behind a bar. What follows is long text up to a second
    bar, and perfdata from there to the end (Monitoring Plugins guidelines, "Plugin output").
    """
    first, _, rest = output.replace("\r\n", "\n").partition("\n")
    text, _, perfdata = first.partition("|")
    long_text, _, more = rest.partition("|")
    items, rejected = parse_perfdata(f"{perfdata} {more}")
    lines = "\n".join(line.strip() for line in long_text.strip("\n").split("\n"))
    return PluginText(text.strip(), lines.strip(), items, rejected)


def parse_perfdata(text: str) -> tuple[tuple[Perfdatum, ...], tuple[str, ...]]:
    """Read `'label'=value[unit][;[warn];[crit];[min];[max]]` items, apart by white space.

    Gives the items and the texts that are none. A value `U` (unknown) gives neither. The label
    `prefix::name` hands its prefix on to the labels after it, as check_multi means it.
    """
    found: list[Perfdatum] = []
    rejected: list[str] = []
    prefix = ""
    for match in _TOKEN.finditer(text):
        if len(found) >= MOST_ITEMS:
            break
        label, value = _parts(match)
        if value == "U":
            continue
        head, colons, _ = label.rpartition("::")
        prefix = head if colons else prefix
        name = f"{prefix}::{label}" if prefix and not colons else label
        item = _item(name, value) if label else None
        if item is not None:
            found.append(item)
        elif len(rejected) < _MOST_REJECTED:
            rejected.append(one_line(match[0], 80))
    return tuple(found), tuple(rejected)


def _parts(match: re.Match[str]) -> tuple[str, str]:
    if match["plain"] is None:
        return match["label"].replace("''", "'").strip(), match["value"].removesuffix(",")
    label, _, value = match["plain"].partition("=")
    return label, value.removesuffix(",")


def _item(label: str, text: str) -> Perfdatum | None:
    value, *rest = text.split(";")
    match = _VALUE.fullmatch(value)
    warning, critical, low, high, *_ = (*rest, "", "", "", "")
    try:
        if match is None:
            return None
        return Perfdatum(
            label=label,
            value=_finite(match["number"]),
            unit=match["unit"],
            warning=_limit(warning),
            critical=_limit(critical),
            minimum=_bound(low),
            maximum=_bound(high),
        )
    except ValueError:
        return None  # garbled limits: the value beside them is no better


def _limit(text: str) -> Range | None:
    if not text:
        return None
    if not _RANGE.fullmatch(text):
        raise ValueError(text)
    return parse_range(text)


def _bound(text: str) -> float | None:
    if not text:
        return None
    if not _PLAIN_NUMBER.fullmatch(text):
        raise ValueError(text)
    return _finite(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
