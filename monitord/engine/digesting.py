"""Writes each person's morning digest as a notice, once a morning, from what the rows say.

When it is due and how it reads is decided by decisions/digest.py. That it was told is a row,
written with the notice: a restart tells nobody twice, and who was missed is told later that day.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from monitord.clock import after
from monitord.decisions import digest as decisions
from monitord.decisions.digest import Morning
from monitord.decisions.handing import last_handed_on
from monitord.decisions.verbs import IN_HAND
from monitord.engine import clocks
from monitord.engine.duty import on_call
from monitord.engine.instance import Instance
from monitord.engine.mailing import message
from monitord.engine.situation import order_over
from monitord.model.ids import EPOCH, Instant
from monitord.model.incident import OPEN_STATUSES, AttemptStatus, Incident
from monitord.model.oncall import Person
from monitord.model.policy import Digest
from monitord.model.ticket import Order, Verb
from monitord.store.contract import Tx, View

_TOLD = "digests"  # the meta row: {"begun": µs, "told": {person: when their last was due}}
_QUIET = "P4"  # from this priority on nobody is paged where there is a digest
_PLANNED_BEFORE = timedelta(days=1)  # an attempt that ended since then was planned after that
_ALL = 10_000


@dataclass(frozen=True, slots=True)
class Digesting:
    """Looks whose digest is due."""

    instance: Instance

    async def look(self) -> None:
        """Write the notices of those whose morning has come."""
        instance, now = self.instance, self.instance.now()
        settings = instance.catalog.settings
        digest = settings.notify.digest
        if digest is None or settings.observe:
            return
        row = await instance.store.read(_row)
        if row is None:  # the first one comes on the next morning
            await instance.store.write(lambda tx: _put(tx, {"begun": now, "told": {}}))
            return
        due = await instance.store.read(lambda view: _due(view, instance, digest, row, now))
        for person, fire in due:
            await self._one(person, fire, decisions.since(row["told"], row["begun"], fire), now)
        if due:
            instance.wake()

    async def _one(self, person: Person, fire: Instant, since: Instant, now: Instant) -> None:
        """Gather beside the writer, then write: it is bounded, but not small."""
        store = self.instance.store
        written = await store.read(lambda view: _text(view, self.instance, person, since, now))
        await store.write(lambda tx: _tell(tx, person, fire, written, now))


def _row(view: View) -> dict[str, Any] | None:
    found: dict[str, Any] | None = json.loads(view.meta(_TOLD) or "null")
    return found


def _put(tx: Tx, row: dict[str, Any]) -> None:
    tx.put_meta(_TOLD, json.dumps(row))


def _due(
    view: View, instance: Instance, digest: Digest, row: dict[str, Any], now: Instant
) -> list[tuple[Person, Instant]]:
    """Give whose digest is due and was not told, and when it was due."""
    catalog, found = instance.catalog, []
    calendar = catalog.calendars.get(digest.calendar)
    for person in catalog.people.values():
        fire = decisions.due_today(digest, person.zone, calendar, now)
        told = max(row["told"].get(person.name, 0), row["begun"])
        if fire is not None and fire > told and _is_for(view, instance, digest, person, fire):
            found.append((person, fire))
    return found


def _is_for(view: View, instance: Instance, digest: Digest, person: Person, fire: Instant) -> bool:
    """Tell whether a person is among those whom it is for: by name, or on call when it is due."""
    for word in digest.to:
        kind, _, name = word.partition("/")
        if kind == "person" and name == person.name:
            return True
        if kind == "rotation" and person.name in on_call(view, instance, name, fire):
            return True
    return False


def _tell(
    tx: Tx, person: Person, fire: Instant, written: tuple[str, str] | None, now: Instant
) -> None:
    row = _row(tx)
    if row is None or row["told"].get(person.name, 0) >= fire:
        return
    _put(tx, {**row, "told": {**row["told"], person.name: fire}})
    if written is None:
        return
    title, body = written
    tx.add_notice(message(person.name, title, body, now))


def _text(
    view: View, instance: Instance, person: Person, since: Instant, now: Instant
) -> tuple[str, str] | None:
    """Gather what a person's digest tells of since then, and write it."""
    opened = [one for one in view.incidents(OPEN_STATUSES, limit=_ALL) if not one.part_of]
    attempts = view.attempts(
        statuses=[AttemptStatus.FIXED, AttemptStatus.VOID], since=after(since, -_PLANNED_BEFORE)
    )
    ended = [one for one in attempts if one.finished is not None and one.finished >= since]
    voided = [one for one in ended if one.status is AttemptStatus.VOID]
    morning = Morning(
        quiet=[one for one in opened if one.priority >= _QUIET],
        hidden=_under(view, instance, opened, (Verb.MUTE,), now),
        forgotten=_forgotten(view, instance, opened, now),
        repaired=[one for one in ended if one.status is AttemptStatus.FIXED],
        lapsed=[one for one in voided if one.finished is not None and one.finished >= one.deadline],
        shadows=view.told(["shadow-ended"], since),
        due=[
            (clock, one)
            for one in opened
            for clock in clocks.running(view, instance, one, now)
            if clock.stopped is None and not clock.breached and clock.due is not None
            if clock.due <= decisions.evening(person.zone, now)
        ],
    )
    return decisions.text(morning, person.zone)


def _forgotten(
    view: View, instance: Instance, opened: Sequence[Incident], now: Instant
) -> list[tuple[Order, Incident]]:
    """Give what somebody has had in hand for longer than they are reminded."""
    old = after(now, -instance.catalog.settings.notify.remind)
    found = _under(view, instance, opened, IN_HAND, now)
    return [(order, incident) for order, incident in found if order.given <= old]


def _under(
    view: View,
    instance: Instance,
    opened: Sequence[Incident],
    verbs: Sequence[Verb],
    now: Instant,
) -> list[tuple[Order, Incident]]:
    """Give the incidents that orders of these verbs are over; who handed one on has it no more."""
    given = [order for order in view.orders(at=now) if order.verb in verbs]
    if not given:
        return []
    found = []
    for incident in opened:
        since = last_handed_on(view.events(incident.id)) if verbs is IN_HAND else EPOCH
        order = order_over(view, instance, verbs, incident, now, since=since)
        if order is not None:
            found.append((order, incident))
    return found
