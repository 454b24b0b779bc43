"""Calendars: hours by weekday, rules in their precedence, holidays that exist, other calendars.

It resolves names; which instants are open is decided in decisions/calendars.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from monitord.config.calendar_models import CalendarModel, parse_days, parse_weekdays
from monitord.config.context import Context
from monitord.config.names import nearest
from monitord.config.sections import Entry, Sections
from monitord.config.sentences import Locate, finder
from monitord.decisions.calendars import HORIZON, next_open
from monitord.model.calendar import ALWAYS, Calendar, Day, Rule, Span
from monitord.model.ids import Instant

_RANK_DATE, _RANK_YEARLY, _RANK_YEARLY_NTH, _RANK_MONTHLY, _RANK_NTH = range(5)


def build(context: Context, top: Sections, *, timezone: str, at: Instant) -> dict[str, Calendar]:
    """Make all calendars, the built-in one among them; `at` is when it is asked whether they open.

    One that has mistakes, or leans on one that has, is left out.
    """
    building = _Building(context, top.named["calendars"], timezone)
    for name, entry in building.entries.items():
        calendar = building.calendar(name, entry)
        if calendar is not None and not context.problems and next_open(calendar, at) is None:
            context.warnings.append(
                f"{entry.place}: calendars: {name} does not open within the next {HORIZON} years"
            )
    return {ALWAYS.name: ALWAYS, **{name: one for name, one in building.done.items() if one}}


@dataclass(slots=True)
class _Building:
    """The calendars so far: `done` holds None for one with mistakes, or in the making."""

    context: Context
    entries: Mapping[str, Entry]
    timezone: str
    done: dict[str, Calendar | None] = field(default_factory=dict)
    _path: list[str] = field(default_factory=list)

    def calendar(self, name: str, entry: Entry) -> Calendar | None:
        if name in self.done:
            return self.done[name]
        self._path.append(name)
        self.done[name] = None
        self.done[name] = self._make(name, entry)
        self._path.pop()
        return self.done[name]

    def _make(self, name: str, entry: Entry) -> Calendar | None:
        context, what = self.context, f"calendars: {name}"
        if name == ALWAYS.name:
            context.add(entry.place, f"{what} is built in (give yours another name)")
            return None
        tree = context.as_map(entry.value, entry.place, name)
        model = tree is not None and context.model(CalendarModel, tree, entry.place, prefix=what)
        if tree is None or not model:
            return None
        locate = finder(tree, entry.place)
        if not model.hours and not model.dates and not model.also:
            context.add(
                entry.place, f'{what} has no hours (write hours: {{mon-fri: "08:00-17:00"}})'
            )
        for index, code in enumerate(model.holidays):
            self._must_be_a_country(code, locate, index, what)
        return Calendar(
            name,
            model.timezone or self.timezone,
            self._week(model, locate, what),
            tuple(_rules(model)),
            model.holidays,
            tuple(self._others(model.exclude, "exclude", locate, what)),
            tuple(self._others(model.also, "also", locate, what)),
        )

    def _week(
        self, model: CalendarModel, locate: Locate, what: str
    ) -> tuple[tuple[Span, ...], ...]:
        week: list[tuple[Span, ...]] = [()] * 7
        said: dict[int, str] = {}
        for words, spans in model.hours.items():
            for weekday in parse_weekdays(words):
                if said.setdefault(weekday, words) != words:
                    place, _ = locate(("hours", words), key=True)
                    text = f"{what}.hours: {words} holds a day that stands in {said[weekday]} too"
                    self.context.add_once(place, f"{text} (write it once)")
                week[weekday] = spans
        return tuple(week)

    def _others(
        self, names: tuple[str, ...], key: str, locate: Locate, what: str
    ) -> Iterator[Calendar]:
        for index, name in enumerate(names):
            place, _ = locate((key, index))
            if name == ALWAYS.name:
                yield ALWAYS
            elif name in self._path:
                circle = " → ".join([*self._path[self._path.index(name) :], name])
                self.context.add(place, f"{what}.{key}: runs in a circle: {circle} (remove one)")
            elif name not in self.entries:
                near = nearest(name, [*self.entries, ALWAYS.name])
                self.context.add_missing(place, f"{what}.{key}: there is no calendar {name}{near}")
            else:
                other = self.calendar(name, self.entries[name])
                if other is not None:
                    yield other

    def _must_be_a_country(self, code: str, locate: Locate, index: int, what: str) -> None:
        import holidays  # 70 ms: only where a calendar has some

        country, _, part = code.partition("-")
        known = holidays.list_supported_countries()
        place, _ = locate(("holidays", index))
        if country not in known:
            near = nearest(country, known) or " (write DE, DE-BW or US-NY)"
            self.context.add(place, f"{what}.holidays: there is no country {country}{near}")
        elif part and part not in known[country]:
            near = nearest(part, known[country])
            self.context.add(place, f"{what}.holidays: {country} has no part {part}{near}")


def _rules(model: CalendarModel) -> list[Rule]:
    """Give the rules in their precedence: a date, then what comes once a year, then each month.

    Of two alike, a single day goes before several, and then what is written first.
    """
    found = []
    for place, (words, spans) in enumerate(model.dates.items()):
        first, last, every = parse_days(words)
        order = (_rank(first), first != last, place)
        found.append((order, Rule(first, last, spans, every)))
    return [rule for _, rule in sorted(found, key=lambda pair: pair[0])]


def _rank(day: Day) -> int:
    if day.on is not None:
        return _RANK_DATE
    if day.month:
        return _RANK_YEARLY_NTH if day.nth else _RANK_YEARLY
    return _RANK_NTH if day.nth else _RANK_MONTHLY
