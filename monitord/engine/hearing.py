"""Takes what end users report: a line on the timeline of the open outage, and in a short list.

It opens nothing and calls nobody: that something is wrong is what checks are for. Who reports is
not known and not asked; how many are taken is bounded.
"""

import json
from collections import deque
from datetime import timedelta
from typing import Any

from monitord.clock import after
from monitord.decisions.standing import checks_of
from monitord.decisions.ticket_document import iso
from monitord.engine.oncall import Here
from monitord.errors import CommandRefusedError
from monitord.model.catalog import Catalog
from monitord.model.ids import Instant
from monitord.model.incident import OPEN_STATUSES, Incident
from monitord.model.text import one_line
from monitord.model.ticket import Event
from monitord.store.contract import Tx, View

REPORTED = "reported"
"""The kind of the line."""

_LIST = "status-reports"  # the meta row: the newest, as JSON
_KEPT, _LONGEST = 100, 500
_MOST, _WITHIN = 20, timedelta(minutes=10)
_ALL = 100_000


class Hearing:
    """What end users say."""

    def __init__(self, here: Here) -> None:
        self._here = here
        self._taken: deque[Instant] = deque(maxlen=_MOST)

    async def report(self, service: str, text: str) -> None:
        """Note a report about a service.

        Raises:
            CommandRefusedError: too many came just now.
        """
        catalog, now = self._here.catalog, self._here.now()
        if len(self._taken) == _MOST and self._taken[0] > after(now, -_WITHIN):
            raise CommandRefusedError("many have told of problems just now; nobody need tell more")
        self._taken.append(now)
        said = one_line(text, _LONGEST)

        def work(tx: Tx) -> None:
            incident = _outage(tx, catalog, service)
            if incident is not None:
                line = f"an end user of {service} reports: {said}"
                tx.add_events([Event(incident.id, now, REPORTED, line, "an end user", {})])
            number = incident.id if incident is not None else None
            row = {"at": iso(now), "service": service, "text": said, "incident": number}
            tx.put_meta(_LIST, json.dumps([*_rows(tx), row][-_KEPT:]))

        await self._here.store.write(work)

    async def reports(self) -> list[dict[str, Any]]:
        """Give the newest, the newest first: {"at", "service", "text", "incident" or null}."""
        return (await self._here.store.read(_rows))[::-1]


def _rows(view: View) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(view.meta(_LIST) or "[]")
    return found


def _outage(view: View, catalog: Catalog, service: str) -> Incident | None:
    """Give the open incident of a service that tells people of it: of several the most urgent."""
    found = [
        one
        for one in view.incidents(OPEN_STATUSES, limit=_ALL)
        if any(service in check.services for check in checks_of(catalog, one))
    ]
    return min(found, key=lambda one: (one.part_of != 0, one.priority, one.id), default=None)
