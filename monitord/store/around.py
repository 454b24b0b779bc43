"""Reads what stands around an incident: earlier ones of its key, its problem, who is on call.

What a ticket says of it is decided by decisions/standing.py; nothing is written here.
"""

import json
from collections.abc import Callable

from monitord.decisions import oncall, promises
from monitord.decisions.orders import bears_on
from monitord.decisions.promises import Facts
from monitord.decisions.standing import Around, checks_of
from monitord.model.catalog import Catalog, Check
from monitord.model.ids import CheckKey, Instant
from monitord.model.incident import Incident
from monitord.model.ticket import Order, Verb
from monitord.store.contract import View

_SHOWN = 3


def around(view: View, catalog: Catalog, incident: Incident, now: Instant) -> Around:
    """Give it as it stands in this view."""
    former = view.incidents_of(incident.key, limit=_SHOWN + 1)

    def on_call(rotation: str, at: Instant) -> tuple[str, ...]:
        known = catalog.rotations.get(rotation)
        if known is None:  # a reload took it away
            return ()
        rows = view.shift_changes(rotation=rotation, since=at, until=Instant(at + 1))
        return oncall.on_call(known, oncall.of_people(rows, catalog.people), at)

    facts = clock_facts(view, catalog, incident)
    return Around(
        now=now,
        catalog=catalog,
        steps=facts.steps,
        former=[(one, view.attempts(incident=one.id)) for one in former if one.id < incident.id],
        on_call=on_call,
        problem=view.problem(incident.problem) if incident.problem else None,
        parts=view.parts(incident.id),
        pauses=facts.pauses,
        works=facts.works,
    )


def clock_facts(view: View, catalog: Catalog, incident: Incident) -> Facts:
    """Give the rows that bear on an incident's clocks."""
    return Facts(
        view.events(incident.id),
        _steps(view),
        view.pauses(incident.id),
        _Works(view, catalog).of(incident),
    )


def clock_facts_of(
    view: View, catalog: Catalog, since: Instant, until: Instant
) -> Callable[[Incident], Facts]:
    """Give what gives the facts of each incident that opened in a span of time.

    All is read at once, and of the timelines only the lines that bear on clocks: asked one by one,
    ten thousand incidents are fifty thousand statements.
    """
    told = view.told_of_opened(promises.BEARING, since, until)
    pauses = view.pauses_of_opened(since, until)
    steps, works = _steps(view), _Works(view, catalog)

    def facts(incident: Incident) -> Facts:
        own = incident.id
        return Facts(told.get(own, ()), steps, pauses.get(own, ()), works.of(incident))

    return facts


def _steps(view: View) -> list[tuple[Instant, int]]:
    steps = json.loads(view.meta("clock_steps") or "[]")
    return [(Instant(wall), delta) for wall, delta in steps]


class _Works:
    """The excused maintenance; which of it bears on a check is looked up once."""

    def __init__(self, view: View, catalog: Catalog) -> None:
        self._catalog = catalog
        self._orders = [order for order in view.orders(verb=Verb.MAINTENANCE) if order.excused]
        self._bearing: dict[CheckKey, frozenset[int]] = {}

    def of(self, incident: Incident) -> list[Order]:
        """Give those that bear on all of what an incident is about."""
        if not self._orders:
            return []
        each = [self._on(check) for check in checks_of(self._catalog, incident)]
        bearing = frozenset.intersection(*each) if each else frozenset[int]()
        return [order for order in self._orders if order.id in bearing]

    def _on(self, check: Check) -> frozenset[int]:
        found = self._bearing.get(check.key)
        if found is None:
            host = self._catalog.hosts[check.host]
            found = self._bearing[check.key] = frozenset(
                order.id
                for order in self._orders
                if bears_on(order.selector, order.verb, host, check)
            )
        return found
