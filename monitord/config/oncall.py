"""People and rotations: every name in them exists, every hand-over has its time; gaps are told.

Names and times only; who is on call when is decided in decisions/oncall.py.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from monitord.clock import after
from monitord.config.context import Context
from monitord.config.names import nearest
from monitord.config.oncall_models import (
    ANCHOR,
    KINDS,
    PersonModel,
    RotationModel,
    TurnsModel,
    WayModel,
    Week,
)
from monitord.config.policies import mail_servers
from monitord.config.sections import Sections
from monitord.config.sentences import Locate, finder
from monitord.decisions import calendars, oncall
from monitord.model.calendar import ALWAYS, Calendar
from monitord.model.ids import Instant
from monitord.model.oncall import Every, Layer, Person, Rotation, Way

LOOKED_AHEAD = timedelta(weeks=4)
"""How far gaps are looked for."""

_WEEK = timedelta(weeks=1)
_HANDS_OVER = time(9)


def people(context: Context, top: Sections, *, timezone: str) -> dict[str, Person]:
    """Make the people; no two of them act in the name of one account."""
    found: dict[str, Person] = {}
    logins: dict[str, str] = {}
    unserved = bool(top.named["policies"]) and not mail_servers(top)
    for entry in top.named["people"].values():
        tree = context.as_map(entry.value, entry.place, entry.name)
        what = f"people: {entry.name}"
        model = tree is not None and context.model(PersonModel, tree, entry.place, prefix=what)
        if tree is None or not model:
            continue
        login = model.login or entry.name
        other = logins.setdefault(login, entry.name)
        if other != entry.name:
            text = f"{what}: {login} is {other}'s login already (one account is one person)"
            context.add(tree.value_place("login") if "login" in tree else entry.place, text)
        if not model.ways:
            context.warnings.append(f"{entry.place}: {what}: no ways: nothing can be told to them")
        if unserved and any(way.email is not None for way in model.ways):
            text = "no email backend carries their mails (add one to tickets:)"
            context.warnings.append(f"{entry.place}: {what}: {text}")
        found[entry.name] = Person(
            entry.name,
            login,
            model.timezone or timezone,
            tuple(_way(way) for way in model.ways),
            model.tiers,
            model.skills,
        )
    return found


def _way(model: WayModel) -> Way:
    kind = next(name for name in KINDS if getattr(model, name) is not None)
    low, high = (model.quiet[0].start, model.quiet[0].end) if model.quiet else (0, 0)
    return Way(kind, getattr(model, kind), low, high % 86_400, model.min_priority)


def rotations(
    context: Context,
    top: Sections,
    times: Mapping[str, Calendar],
    *,
    timezone: str,
    at: Instant,
) -> dict[str, Rotation]:
    """Make the rotations, and warn of the first time in four weeks that one leaves uncovered."""
    found = {}
    for entry in top.named["rotations"].values():
        tree = context.as_map(entry.value, entry.place, entry.name)
        what = f"rotations: {entry.name}"
        model = tree is not None and context.model(RotationModel, tree, entry.place, prefix=what)
        if tree is None or not model:
            continue
        maker = _Maker(context, top, times, finder(tree, entry.place), what, timezone)
        made = maker.rotation(entry.name, model, f"{entry.place}")
        if made is not None:
            found[entry.name] = made
            _tell_gaps(context, made, at)
    return found


class _Maker:
    """Makes one rotation, noting its mistakes where they stand."""

    def __init__(
        self,
        context: Context,
        top: Sections,
        times: Mapping[str, Calendar],
        locate: Locate,
        what: str,
        timezone: str,
    ) -> None:
        self._context, self._top, self._times = context, top, times
        self._locate, self._what, self._timezone = locate, what, timezone

    def rotation(self, name: str, model: RotationModel, place: str) -> Rotation | None:
        before = len(self._context.problems)
        layers: tuple[Layer, ...]
        if model.members is not None:
            layers = (self._layer(model, model.members, model, ()),)
        else:
            layers = tuple(
                self._layer(layer, layer.members, model, ("layers", number))
                for number, layer in enumerate(model.layers)
            )
        cover = self._calendar(model.cover, model.timezone or self._timezone, ("cover",))
        if len(self._context.problems) > before:
            return None
        return Rotation(name, layers, cover or ALWAYS, place)

    def _layer(
        self,
        own: TurnsModel,
        members: tuple[str, ...],
        outer: RotationModel,
        path: tuple[str | int, ...],
    ) -> Layer:
        self._must_be_people(members, path)
        zone = own.timezone or outer.timezone or self._timezone
        every = own.every or outer.every or Every(length=_WEEK)
        weekly = not every.months and not every.length % _WEEK
        on = own.on if own.on is not None else outer.on if weekly else None
        if on is not None and not weekly:
            place, _ = self._locate((*path, "on") if own.on is not None else ("on",), key=True)
            self._context.add_once(
                place, f"{self._what}: on: is for turns of weeks (leave it out, or write 1w)"
            )
        day = _on(own.start or outer.start or ANCHOR, on)
        begins = datetime.combine(day, own.at or outer.at or _HANDS_OVER)
        hours = own.hours if own.hours is not None else outer.hours
        where = (*path, "hours") if own.hours is not None else ("hours",)
        return Layer(members, every, begins, zone, self._calendar(hours, zone, where))

    def _must_be_people(self, members: tuple[str, ...], path: tuple[str | int, ...]) -> None:
        known = self._top.named["people"]
        for number, name in enumerate(members):
            if name not in known:
                place, _ = self._locate((*path, "members", number))
                text = f"{self._what}: there is no person {name}{nearest(name, known)}"
                self._context.add_missing(place, text)

    def _calendar(
        self, hours: str | Week | None, zone: str, path: tuple[str | int, ...]
    ) -> Calendar | None:
        if hours is None:
            return None
        if isinstance(hours, tuple):
            return Calendar(f"hours of {self._what}", zone, hours)
        if hours not in self._times and hours not in self._top.named["calendars"]:
            near = nearest(hours, self._times)
            text = f"{self._what}: {path[-1]}: there is no calendar {hours}{near}"
            self._context.add_missing(self._locate(path)[0], text)
        return self._times.get(hours)


def _on(day: date, weekday: int | None) -> date:
    """Give the first such weekday from a day on."""
    return day if weekday is None else day + timedelta(days=(weekday - day.weekday()) % 7)


def _tell_gaps(context: Context, rotation: Rotation, at: Instant) -> None:
    found = oncall.gaps(rotation, (), at, after(at, LOOKED_AHEAD))
    if not found:
        return
    zone = calendars.zone_of(rotation.layers[0].zone)
    first, last = (f"{calendars.wall_time(zone, edge):%a %Y-%m-%d %H:%M}" for edge in found[0])
    more = f", and {len(found) - 1} more in four weeks" if len(found) > 1 else ""
    context.warnings.append(
        f"{rotation.place}: rotations: {rotation.name}: nobody is on call from {first} to {last}"
        f" ({zone.key}){more} (add a layer, or say in cover: when somebody must be)"
    )
