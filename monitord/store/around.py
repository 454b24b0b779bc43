"""Reads what stands around an incident: earlier ones of its key, its problem, who is on call.

What a ticket says of it is decided by decisions/standing.py; nothing is written here.
"""

import json

from monitord.decisions import oncall
from monitord.decisions.standing import Around
from monitord.model.catalog import Catalog
from monitord.model.ids import Instant
from monitord.model.incident import Incident
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

    steps = json.loads(view.meta("clock_steps") or "[]")
    return Around(
        now=now,
        catalog=catalog,
        steps=[(Instant(wall), delta) for wall, delta in steps],
        former=[(one, view.attempts(incident=one.id)) for one in former if one.id < incident.id],
        on_call=on_call,
        problem=view.problem(incident.problem) if incident.problem else None,
    )
