"""Reads what stands around an incident: earlier ones of its key, its problem, who is on call.

What a ticket says of it is decided by decisions/standing.py; nothing is written here.
"""

import json

from monitord.decisions import oncall
from monitord.decisions.orders import bears_on
from monitord.decisions.promises import Facts
from monitord.decisions.standing import Around, checks_of
from monitord.model.catalog import Catalog
from monitord.model.ids import Instant
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
    steps = json.loads(view.meta("clock_steps") or "[]")
    works = [order for order in view.orders(verb=Verb.MAINTENANCE) if order.excused]
    return Facts(
        view.events(incident.id),
        [(Instant(wall), delta) for wall, delta in steps],
        view.pauses(incident.id),
        [order for order in works if _bears_on_all(order, catalog, incident)],
    )


def _bears_on_all(order: Order, catalog: Catalog, incident: Incident) -> bool:
    checks = checks_of(catalog, incident)
    return bool(checks) and all(
        bears_on(order.selector, order.verb, catalog.hosts[check.host], check) for check in checks
    )
