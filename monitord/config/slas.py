"""Service levels and the table of priorities: calendars that exist, shares that rise.

Names and numbers only; what they make of an incident is decided in decisions/sla.py.
"""

from collections.abc import Mapping
from types import MappingProxyType

from monitord.config.calendar_models import SlaModel, TargetModel, UrgencyModel
from monitord.config.context import Context
from monitord.config.names import nearest
from monitord.config.sections import Entry, Sections
from monitord.config.sentences import Locate, finder
from monitord.config.tree import Map
from monitord.model.calendar import ALWAYS, Calendar
from monitord.model.policy import PRIORITIES
from monitord.model.sla import DEFAULT, IMPACTS, PRIORITY_TABLE, URGENCIES, Sla, Target


def build(context: Context, top: Sections, calendars: Mapping[str, Calendar]) -> dict[str, Sla]:
    """Make all service levels; `default` is there, written or not."""
    found = {DEFAULT.name: DEFAULT}
    for entry in top.named["slas"].values():
        tree = context.as_map(entry.value, entry.place, entry.name)
        what = f"slas: {entry.name}"
        model = tree is not None and context.model(SlaModel, tree, entry.place, prefix=what)
        if tree is not None and model:
            reader = _Reader(context, top, calendars, finder(tree, entry.place), what)
            found[entry.name] = reader.sla(entry.name, model)
    return found


class _Reader:
    """Reads one service level; what is not there is noted, and 24x7 stands in for it."""

    def __init__(
        self,
        context: Context,
        top: Sections,
        calendars: Mapping[str, Calendar],
        locate: Locate,
        what: str,
    ) -> None:
        self._context, self._written = context, top.named["calendars"]
        self._calendars, self._locate, self._what = calendars, locate, what

    def sla(self, name: str, model: SlaModel) -> Sla:
        calendar = self._calendar(model.calendar, ALWAYS, ("calendar",))
        targets = {
            priority: self._target(priority, getattr(model, priority), calendar)
            for priority in PRIORITIES
        }
        if list(model.warn) != sorted(set(model.warn)) or max(model.warn, default=0) >= 1:
            place, _ = self._locate(("warn",))
            self._context.add(
                place,
                f"{self._what}.warn: the shares must rise and lie below 100% (write [50%, 80%])",
            )
        promised = {key: target for key, target in targets.items() if target is not None}
        return Sla(
            name,
            MappingProxyType(promised),
            model.warn,
            calendar,
            model.availability,
            model.window,
        )

    def _target(self, priority: str, model: TargetModel | None, of: Calendar) -> Target | None:
        if model is None:
            given = DEFAULT.targets.get(priority)
            return given and Target(given.respond, given.resolve, of)
        if (
            model.respond is not None
            and model.resolve is not None
            and model.resolve < model.respond
        ):
            place, _ = self._locate((priority, "resolve"))
            self._context.add(
                place, f"{self._what}.{priority}: resolve: is shorter than respond: (swap them)"
            )
        calendar = self._calendar(model.calendar, of, (priority, "calendar"))
        return Target(model.respond, model.resolve, calendar)

    def _calendar(self, name: str, instead: Calendar, path: tuple[str, ...]) -> Calendar:
        if name and name not in self._calendars and name not in self._written:
            place, _ = self._locate(path)
            what = ".".join((self._what, *path))
            near = nearest(name, self._calendars)
            self._context.add_missing(place, f"{what}: there is no calendar {name}{near}")
        return self._calendars.get(name, instead)


def must_be_there(context: Context, top: Sections) -> None:
    """Note each service level that a service names and that is not there."""
    known = {DEFAULT.name: None, **top.named["slas"]}
    for entry in top.named["services"].values():
        name = entry.value.get("sla") if isinstance(entry.value, Map) else None
        if isinstance(name, str) and name and name not in known:
            place = entry.value.value_place("sla")
            near = nearest(name, known)
            context.add_missing(place, f"{entry.name}.sla: there is no service level {name}{near}")


def priorities(context: Context, top: Sections) -> Mapping[tuple[str, str], str]:
    """Give the table of priorities: what is written in place of what is built in."""
    table = dict(PRIORITY_TABLE)
    for impact, entry in top.named["priorities"].items():
        if impact not in IMPACTS:
            near = nearest(impact, IMPACTS) or f" (known: {', '.join(IMPACTS)})"
            context.add(entry.place, f"priorities: there is no impact {impact}{near}")
            continue
        for urgency, name in _row(context, entry).items():
            table[impact, urgency] = name
    return MappingProxyType(table)


def _row(context: Context, entry: Entry) -> dict[str, str]:
    what = f"priorities: {entry.name}"
    tree = context.as_map(entry.value, entry.place, what)
    model = tree is not None and context.model(UrgencyModel, tree, entry.place, prefix=what)
    if not model:
        return {}
    row = {urgency: getattr(model, urgency) for urgency in URGENCIES}
    return {urgency: name for urgency, name in row.items() if name is not None}
