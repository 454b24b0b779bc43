"""Sends the end of the audit chain outwards once a day: into the log, and to whom it is set for.

Whoever can write the database can make a whole chain anew, and it holds. What was noted elsewhere
before they did cannot be made anew: `monitord log verify --head` asks whether the chain knows it.
Nothing is decided here about who did what.
"""

from dataclasses import dataclass, field

from monitord.clock import as_datetime
from monitord.decisions.ticket_document import iso
from monitord.engine.duty import named
from monitord.engine.instance import Instance
from monitord.engine.mailing import message
from monitord.log import get_logger
from monitord.model.ids import Instant
from monitord.model.ticket import AuditRow
from monitord.store.contract import Tx

log = get_logger(__name__)

_TOLD = "audit-told"  # the meta row: the day (ISO, UTC) on which the ends were sent last


@dataclass(slots=True)
class Heading:
    """Looks whether a day has begun of which the ends of the chain were not told."""

    instance: Instance
    _day: str = field(default="", init=False)

    async def look(self) -> None:
        """Tell of the ends, once a day; nothing to tell where nobody did anything yet."""
        instance, now = self.instance, self.instance.now()
        day = as_datetime(now).date().isoformat()
        if day == self._day:
            return
        told, ends = await instance.store.read(lambda view: (view.meta(_TOLD), view.audit_ends()))
        if not ends:
            return
        if told != day:
            await instance.store.write(lambda tx: self._tell(tx, day, ends, now))
            for row in ends:
                log.info(
                    "audit head", node=row.node, link=row.id, written=iso(row.at), digest=row.digest
                )
            instance.wake()
        self._day = day

    def _tell(self, tx: Tx, day: str, ends: list[AuditRow], now: Instant) -> None:
        tx.put_meta(_TOLD, day)
        if self.instance.catalog.settings.observe:
            return
        wanted = self.instance.catalog.settings.notify.audit_head
        for person in sorted(named(tx, self.instance, wanted)):
            tx.add_notice(message(person, f"the end of the audit chain on {day}", _text(ends), now))


def _text(ends: list[AuditRow]) -> str:
    links = [f"node {row.node!r}, link {row.id} of {iso(row.at)}:\n{row.digest}" for row in ends]
    return "\n".join(
        [*links, "", "Keep this. `monitord log verify --head DIGEST` asks whether it still holds."]
    )
