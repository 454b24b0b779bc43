"""Pauses, deadlines and corrections: what people say that bears on service levels, as rows.

Each has its reason and its line in the audit chain. What a clock makes of it is decided in
decisions/promises.py, what a figure makes of it in decisions/availability.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from monitord.clock import between
from monitord.config.names import nearest
from monitord.decisions import promises
from monitord.decisions.corrections import approver
from monitord.decisions.ticket_document import iso
from monitord.engine import clocks, ticketing
from monitord.engine.instance import Instance
from monitord.errors import CommandRefusedError, NotFoundError
from monitord.model.ids import EPOCH, IncidentId, Instant
from monitord.model.incident import OPEN_STATUSES, Incident
from monitord.model.sla import SAID, Corrected, Paused
from monitord.model.spec import format_duration
from monitord.model.ticket import Event
from monitord.store.contract import Tx

_Work = Callable[[Tx, Incident, Instant], Event]


@dataclass(frozen=True, slots=True)
class Levels:
    """What people say that bears on service levels."""

    instance: Instance

    async def pause(
        self, number: IncidentId, *, by: str, reason: str, expires: Instant, vendor: str = ""
    ) -> None:
        """Have an incident's clocks stand still until then; with a vendor, who holds it.

        Raises:
            NotFoundError: no such incident is open, or there is no such vendor.
            CommandRefusedError: it has no reason, is over before it begins, or lasts already.
        """
        vendors = self.instance.catalog.vendors
        if not reason.strip():
            raise CommandRefusedError("a pause needs a reason; add --reason '…'")
        if vendor and vendor not in vendors:
            raise NotFoundError(f"there is no vendor {vendor}{nearest(vendor, vendors)}")

        def work(tx: Tx, incident: Incident, now: Instant) -> Event:
            if expires <= now:
                raise CommandRefusedError("the pause would be over already; give a later end")
            for row in tx.pauses(number):
                held = row in promises.held_by([row])
                if row.vendor == vendor and (held or promises.lasting([row], now)):
                    who = f"vendor {vendor} holds it" if vendor else "its clocks stand still"
                    raise CommandRefusedError(
                        f"{who} since {iso(row.starts)} until {iso(row.expires)}: {row.reason};"
                        f" monitord incident {number} resume comes first"
                    )
            row = Paused(0, number, now, expires, reason, by, vendor)
            added = tx.add_pause(row)
            what = f"vendor {vendor} holds it" if vendor else "the clocks stand still"
            text = f"{what} until {iso(expires)}: {reason}"
            lasts = format_duration(between(now, expires))
            tx.add_audit(now, by, "pause", f"incident {number}", f"{text} (pause {added}, {lasts})")
            facts = {"pause": added, "vendor": vendor, "until": expires}
            return Event(incident.id, now, promises.PAUSED, text, by, facts)

        await self._write(number, work)

    async def resume(self, number: IncidentId, *, by: str) -> None:
        """End the pauses of an incident before their time: its vendor has given it back.

        Raises:
            NotFoundError: no such incident is open.
            CommandRefusedError: nothing pauses it.
        """

        def work(tx: Tx, incident: Incident, now: Instant) -> Event:
            rows = tx.pauses(number)
            on = [
                row
                for row in rows
                if row.ended is None and (row.vendor or promises.lasting([row], now))
            ]
            if not on:
                raise CommandRefusedError(f"nothing pauses the clocks of incident {number}")
            for row in on:
                tx.change_pause(row.id, ended=now, ended_by=by)
            whose = [f"vendor {row.vendor} gave it back" for row in on if row.vendor]
            text = "; ".join([*whose, "the clocks go on"])
            tx.add_audit(now, by, "unpause", f"incident {number}", text)
            return Event(incident.id, now, promises.WENT_ON, text, by)

        await self._write(number, work)

    async def answered(self, number: IncidentId, *, by: str, vendor: str = "") -> None:
        """Note that the vendor who holds an incident has answered: they are at work.

        Raises:
            NotFoundError: no such incident is open.
            CommandRefusedError: no vendor holds it whose answer is awaited, or several do.
        """

        def work(tx: Tx, incident: Incident, now: Instant) -> Event:
            held = promises.held_by(tx.pauses(number))
            rows = [row for row in held if row.answered is None and vendor in ("", row.vendor)]
            if len(rows) != 1:
                several = ", ".join(row.vendor for row in rows)
                raise CommandRefusedError(
                    f"{several} hold incident {number}; say which with --vendor"
                    if rows
                    else f"no vendor holds incident {number} whose answer is awaited"
                )
            tx.change_pause(rows[0].id, answered=now)
            text = f"vendor {rows[0].vendor} has answered"
            tx.add_audit(now, by, "answered", f"incident {number}", text)
            facts = {"vendor": rows[0].vendor}
            return Event(incident.id, now, promises.ANSWERED, text, by, facts)

        await self._write(number, work)

    async def deadline(
        self, number: IncidentId, at: Instant | None, *, by: str, whose: str = "", reason: str
    ) -> None:
        """Note by when a customer (`whose`) wants an incident to be over; None: not any more.

        Raises:
            NotFoundError: no such incident is open.
            CommandRefusedError: it has no reason, or has passed.
        """
        if not reason.strip():
            raise CommandRefusedError("a deadline needs a reason; add --reason '…'")

        def work(tx: Tx, incident: Incident, now: Instant) -> Event:
            if at is not None and at <= now:
                raise CommandRefusedError("the deadline has passed already; give a later one")
            named = f"deadline {iso(at)} of {whose or by}" if at else "no deadline any more"
            text = f"{named}: {reason}"
            tx.add_audit(now, by, "deadline", f"incident {number}", text)
            facts = {"due": at, "whose": whose or by, "reason": reason}
            return Event(incident.id, now, promises.DEADLINE, text, by, facts)

        await self._write(number, work)

    async def correct(self, wanted: Corrected) -> Corrected:
        """Say what a service or check really was in a time that has passed.

        `wanted` is the row as it is to be; its number and `given` are filled in.

        Raises:
            NotFoundError: there is no such service or check, or no such approver.
            CommandRefusedError: it has no reason, no time that has passed, or approves itself.
        """
        catalog, now = self.instance.catalog, self.instance.now()
        known = [*catalog.services, *catalog.checks]
        if wanted.about not in known:
            near = nearest(wanted.about, known)
            raise NotFoundError(f"there is no service or check {wanted.about}{near}")
        if not wanted.reason.strip():
            raise CommandRefusedError("a correction needs a reason; add --reason '…'")
        if wanted.said not in SAID:
            raise CommandRefusedError(f"{wanted.said!r}: a time was {', '.join(SAID)}")
        if not wanted.starts < wanted.ends <= now:
            raise CommandRefusedError("only a time that has passed can be corrected: --from, --to")
        yes = approver(catalog.people, wanted.by, wanted.approved_by)
        row = replace(wanted, given=now, approved_by=yes)

        def work(tx: Tx) -> Corrected:
            added = replace(row, id=tx.add_correction(row))
            tx.add_audit(now, row.by, "correct", row.about, _told(added))
            return added

        return await self.instance.store.write(work)

    async def revoke(self, number: int, *, by: str, reason: str) -> None:
        """Take a correction back.

        Raises:
            CommandRefusedError: it has no reason, or somebody has taken it back.
            NotFoundError: there is none of this number.
        """
        now = self.instance.now()
        if not reason.strip():
            raise CommandRefusedError("it needs a reason; add --reason '…'")

        def work(tx: Tx) -> None:
            found = next((row for row in tx.corrections(EPOCH) if row.id == number), None)
            if found is None:
                text = f"there is no correction {number}; `monitord sla corrections` lists them"
                raise NotFoundError(text)
            if not tx.revoke_correction(number, now, by):
                raise CommandRefusedError(f"{found.revoked_by} has revoked correction {number}")
            tx.add_audit(now, by, "revoke", found.about, f"correction {number}: {reason}")

        await self.instance.store.write(work)

    async def _write(self, number: IncidentId, work: _Work) -> None:
        """Do it to an open incident; whoever waits for its clocks looks again."""
        instance, now = self.instance, self.instance.now()

        def write(tx: Tx) -> list[Event]:
            incident = tx.incident(number)
            if incident is None or incident.status not in OPEN_STATUSES:
                text = f"no incident {number} is open; `monitord incidents` lists them"
                raise NotFoundError(text)
            before = clocks.next_call(tx, instance, incident, now)
            event = work(tx, incident, now)
            tx.add_events([event])
            clocks.changed(tx, instance, number, before, now)
            more: list[Event] = []
            if incident.ticket is not None:
                more = ticketing.open_or_update(tx, instance, number, now)
            return [event, *more]

        instance.tell(await instance.store.write(write))
        instance.wake()


def _told(row: Corrected) -> str:
    span = f"{iso(row.starts)} to {iso(row.ends)}"
    return f"{row.said}, {span}: {row.reason} (correction {row.id}, yes of {row.approved_by})"
