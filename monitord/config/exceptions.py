"""Exceptions: settings that differ on some hosts for a while, and who answers for them.

What it decides: which exceptions are in force at the time of reading, and on which checks. An
expired one is left out and told as a warning, so that nobody keeps a forgotten promise.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitord.clock import as_instant
from monitord.config.context import Context
from monitord.config.hosts import match_hosts
from monitord.config.layers import Layer
from monitord.config.names import glob, is_pattern, nearest
from monitord.config.schema import ExceptionModel
from monitord.config.sections import Entry
from monitord.config.tree import Map, Place
from monitord.model.ids import Instant


@dataclass(slots=True)
class Deviation:
    """One exception in force. `used` tells whether it met any check."""

    layer: Layer
    hosts: frozenset[str]
    checks: tuple[str, ...]
    place: Place
    until: Instant
    used: bool = False

    def covers(self, check: str) -> bool:
        """Tell whether it speaks of a check of this name."""
        return any(glob(pattern)(check) for pattern in self.checks)


@dataclass(slots=True)
class Deviations:
    """All exceptions in force, and when the next one ends (None: there is none)."""

    all: list[Deviation] = field(default_factory=list)
    by_host: dict[str, list[Deviation]] = field(default_factory=dict)
    next_end: Instant | None = None

    def layers(self, host: str, check: str) -> list[Layer]:
        """Give the layers that exceptions put on top of one check."""
        found = []
        for deviation in self.by_host.get(host, ()):
            if deviation.covers(check):
                deviation.used = True
                found.append(deviation.layer)
        return found


def build(
    context: Context,
    entries: tuple[Entry, ...],
    hosts: Mapping[str, Any],
    *,
    at: Instant,
    timezone: str,
) -> Deviations:
    """Read the exceptions section."""
    deviations = Deviations()
    for entry in entries:
        tree = context.as_map(entry.value, entry.place, "exceptions")
        model = tree is not None and context.model(
            ExceptionModel, tree, entry.place, prefix="exceptions"
        )
        if tree is None or not model:
            continue
        until = end_of(model.until, timezone)
        if until <= at:
            context.warnings.append(
                f"{entry.place}: the exception for {', '.join(model.hosts)}/"
                f"{', '.join(model.checks)} ended on {model.until} ({model.owner}: "
                f"{model.reason}); remove it or renew it"
            )
            continue
        _add(context, deviations, entry, tree, model, hosts, until)
    ends = [deviation.until for deviation in deviations.all]
    deviations.next_end = min(ends, default=None)
    return deviations


def _add(
    context: Context,
    deviations: Deviations,
    entry: Entry,
    tree: Map,
    model: ExceptionModel,
    hosts: Mapping[str, Any],
    until: Instant,
) -> None:
    settings = tree["set"]
    if not isinstance(settings, Map) or not settings:
        context.add(tree.value_place("set"), "exceptions.set: is empty (write set: {every: 5m})")
        return
    named = [
        host
        for pattern in model.hosts
        for host in match_hosts(context, pattern, hosts, entry.place, "exceptions.hosts")
    ]
    for pattern in model.checks:
        try:
            glob(pattern)
        except ValueError as error:
            context.add(entry.place, f"exceptions.checks: {error}")
            return
    layer = Layer(settings, tree.value_place("set"), "exception")
    deviation = Deviation(layer, frozenset(named), model.checks, entry.place, until)
    deviations.all.append(deviation)
    for host in deviation.hosts:
        deviations.by_host.setdefault(host, []).append(deviation)


def refuse_unused(
    context: Context, deviations: Deviations, checks: Collection[tuple[str, str]]
) -> None:
    """Note each exception that met none of these checks (host, name).

    A name is wrong, or it is not needed any more.
    """
    for deviation in deviations.all:
        if deviation.used or not deviation.hosts:
            continue
        names = ", ".join(deviation.checks)
        text = f"exceptions.checks: no check {names} on {', '.join(sorted(deviation.hosts)[:3])}"
        known = {name for host, name in checks if host in deviation.hosts}
        text += next(filter(None, (nearest(name, known) for name in deviation.checks)), "")
        if any(is_pattern(name) for name in deviation.checks):
            context.warnings.append(f"{deviation.place}: {text}")
        else:
            context.add_missing(deviation.place, text)


def end_of(until: date, timezone: str) -> Instant:
    """Give the instant at which an exception ends: a plain date ends with its day."""
    zone = ZoneInfo(timezone)
    if isinstance(until, datetime):
        return as_instant(until if until.tzinfo else until.replace(tzinfo=zone))
    if until >= date.max:
        return as_instant(datetime.max.replace(tzinfo=zone))
    start = datetime.combine(until + timedelta(days=1), datetime.min.time(), zone)
    return as_instant(start)
