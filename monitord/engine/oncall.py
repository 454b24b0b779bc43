"""Overrides, swaps, taken shifts, signed hand-overs: rows, each with its line in the audit chain.

Who is on call by them is decided in decisions/oncall.py. People act as the account that asked.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

from monitord.clock import after
from monitord.config.names import nearest
from monitord.decisions import oncall
from monitord.decisions.ticket_document import iso
from monitord.errors import CommandRefusedError, NotFoundError
from monitord.model.catalog import Catalog
from monitord.model.ids import Instant
from monitord.model.incident import OPEN_STATUSES
from monitord.model.oncall import Override, Person, Rotation, Shift, ShiftKind, Wanted
from monitord.store.contract import Store, Tx, View

SIGNED = "handover"
"""Where the last signed hand-over stands in the store's `meta`, as JSON; the chain keeps all."""

_LONGEST = timedelta(days=400)
_LOOKED_AHEAD = timedelta(days=35)
_MOST_PARTS = 100
_LONGEST_SWAP = timedelta(days=100)


class Here(Protocol):
    """What of the core is needed."""

    @property
    def catalog(self) -> Catalog:
        """The catalog in force now."""
        ...

    @property
    def store(self) -> Store:
        """The store."""
        ...

    def now(self) -> Instant:
        """Give the wall time."""
        ...


def who(view: View, catalog: Catalog, rotation: str, at: Instant) -> tuple[str, ...]:
    """Give who of a rotation is on call; nobody of one that is gone."""
    known = catalog.rotations.get(rotation)
    if known is None:
        return ()
    return oncall.on_call(known, changes(view, catalog, known, at, Instant(at + 1)), at)


def changes(
    view: View, catalog: Catalog, rotation: Rotation, start: Instant, end: Instant
) -> list[Override]:
    """Give what was changed between two instants, but for people who are gone."""
    found = view.shift_changes(rotation=rotation.name, since=start, until=end)
    return oncall.of_people(found, catalog.people)


class OnCall:
    """What people say about shifts."""

    def __init__(self, here: Here) -> None:
        self._here = here

    async def override(self, wanted: Sequence[Wanted], *, by: str) -> list[Override]:
        """Put people on call, all of them or none.

        Raises:
            NotFoundError: no such rotation or person.
            CommandRefusedError: it would be over before it begins, has no reason, or is too long.
        """
        now = self._here.now()
        rows = [self._row(one, ShiftKind.OVERRIDE, by, now) for one in wanted]
        return await self._here.store.write(lambda tx: [_add(tx, row, now) for row in rows])

    async def take(
        self, rotation: str, *, by: str, reason: str, until: Instant | None
    ) -> list[Override]:
        """Put who asks on call now, until the shift that is on ends, or until then."""
        known, now, person = self._rotation(rotation), self._here.now(), self._person_of(by)

        def work(tx: Tx) -> list[Override]:
            on = self._shifts(tx, known, now, after(now, _LOOKED_AHEAD))
            mine = [one for one in on if one.person == person.name and one.starts <= now]
            if mine:
                raise CommandRefusedError(f"{person.name} is on call already in {rotation}")
            ends = until or _end_of(on, now)
            if ends is None:
                raise CommandRefusedError(f"nobody is on call in {rotation}; say --until when")
            wanted = Wanted(rotation, person.name, now, ends, reason or "taken")
            return [_add(tx, self._row(wanted, ShiftKind.TAKEN, by, now), now)]

        return await self._here.store.write(work)

    async def swap(self, wanted: Wanted, *, by: str) -> list[Override]:
        """Propose that who asks and another exchange their shifts in a span of time.

        Nothing changes until the other agrees.

        Raises:
            CommandRefusedError: who asks is nobody of `people:`, or neither is on call then.
        """
        now, known, own = self._here.now(), self._rotation(wanted.rotation), self._person_of(by)
        first = self._row(wanted, ShiftKind.SWAP, by, now)
        other = wanted.person
        if other == own.name:
            raise CommandRefusedError(f"{other} cannot swap with {other}; name somebody else")
        if wanted.ends - wanted.starts > _LONGEST_SWAP // timedelta(microseconds=1):
            raise CommandRefusedError("a swap spans at most 100 days; make several")

        def work(tx: Tx) -> list[Override]:
            instead = {own.name: other, other: own.name}
            parts = [
                replace(
                    first, person=instead[one.person], instead=one.person, starts=one.starts,
                    ends=one.ends,
                )
                for one in self._shifts(tx, known, Instant(max(wanted.starts, now)), wanted.ends)
                if one.person in instead and not one.beside
            ]  # fmt: skip
            if not parts:
                raise CommandRefusedError(
                    f"neither {own.name} nor {other} is on call in {known.name} then;"
                    f" `monitord oncall {known.name}` shows who is"
                )
            if len(parts) > _MOST_PARTS:
                raise CommandRefusedError("that are more than 100 shifts; make several swaps")
            added = [_add(tx, parts[0], now)]
            added += [_add(tx, replace(part, pair=added[0].id), now) for part in parts[1:]]
            return added

        return await self._here.store.write(work)

    async def agree(self, number: int, *, by: str) -> list[Override]:
        """Agree to a swap, as the other of the two."""
        now, own = self._here.now(), self._person_of(by)

        def work(tx: Tx) -> list[Override]:
            parts = _together(tx, number)
            _must_wait(parts, own, by, now)
            for part in parts:
                tx.agree_shift_change(part.id, now, by)
                tx.add_audit(now, by, "agree", f"shift {part.id}", _told(part))
            return _together(tx, number)

        return await self._here.store.write(work)

    async def end(self, number: int, *, by: str) -> list[Override]:
        """End a change, or say no to a swap; what counts together ends together."""
        now = self._here.now()

        def work(tx: Tx) -> list[Override]:
            parts = _together(tx, number)
            ended = [tx.end_shift_change(part.id, now, by) for part in parts]
            if not any(ended) or all(part.ends <= now for part in parts):
                raise CommandRefusedError(f"shift change {number} is over already")
            tx.add_audit(now, by, "end", f"shift {parts[0].id}", _told(parts[0]))
            return _together(tx, number)

        return await self._here.store.write(work)

    async def sign(self, *, leaving: bool, note: str, by: str) -> dict[str, Any]:
        """Sign a hand-over: first who leaves, then who comes; gives it as it stands then."""
        now, catalog = self._here.now(), self._here.catalog
        person = oncall.person_of(catalog.people, by)
        name = person.name if person else by

        def work(tx: Tx) -> dict[str, Any]:
            signed = json.loads(tx.meta(SIGNED) or "{}")
            if leaving:
                signed = {}
            elif not signed.get("left") or signed.get("came"):
                raise CommandRefusedError(
                    "nobody has signed who leaves; `monitord handover sign --leaving` comes first"
                )
            elif signed["left"]["by"] == name:
                raise CommandRefusedError(f"{name} leaves: who comes signs in their own name")
            opened = len(tx.incidents(OPEN_STATUSES, limit=100_000))
            own = {"by": name, "at": iso(now), "note": note, "open": opened}
            signed["left" if leaving else "came"] = own
            tx.put_meta(SIGNED, json.dumps(signed))
            detail = f"{'leaves' if leaving else 'comes'}, {opened} open: {note}"
            tx.add_audit(now, by, "handover", name, detail)
            return {"left": signed["left"], "came": signed.get("came")}

        return await self._here.store.write(work)

    def _shifts(self, tx: Tx, rotation: Rotation, start: Instant, end: Instant) -> list[Shift]:
        found = changes(tx, self._here.catalog, rotation, start, end)
        return oncall.shifts(rotation, found, start, end)

    def _row(self, wanted: Wanted, kind: ShiftKind, by: str, now: Instant) -> Override:
        self._rotation(wanted.rotation)
        for name in filter(None, (wanted.person, wanted.instead)):
            self._person(name)
        if wanted.person == wanted.instead:
            raise CommandRefusedError(f"{wanted.person} cannot stand in for themselves")
        if not wanted.reason.strip():
            raise CommandRefusedError("it needs a reason; add --reason '…'")
        if wanted.ends <= max(wanted.starts, now):
            raise CommandRefusedError("it would be over before it begins; give a later end")
        if after(wanted.starts, _LONGEST) < wanted.ends or after(now, _LONGEST) < wanted.starts:
            raise CommandRefusedError(
                "more than 400 days are not planned in advance; change the rotation itself"
            )
        return Override(
            0, wanted.rotation, wanted.person, wanted.starts, wanted.ends, kind, by, now,
            wanted.reason, wanted.instead, wanted.beside,
        )  # fmt: skip

    def _rotation(self, name: str) -> Rotation:
        known = self._here.catalog.rotations
        if name not in known:
            raise NotFoundError(f"there is no rotation {name}{nearest(name, known)}")
        return known[name]

    def _person(self, name: str) -> Person:
        known = self._here.catalog.people
        if name not in known:
            raise NotFoundError(f"there is no person {name}{nearest(name, known)}")
        return known[name]

    def _person_of(self, login: str) -> Person:
        found = oncall.person_of(self._here.catalog.people, login)
        if found is None:
            raise CommandRefusedError(
                f"{login} is nobody's login; write login: {login} to somebody in people:"
            )
        return found


def _add(tx: Tx, row: Override, now: Instant) -> Override:
    added = replace(row, id=tx.add_shift_change(row))
    tx.add_audit(now, row.by, str(row.kind), f"rotation {row.rotation}", _told(added))
    return added


def _end_of(on: Sequence[Shift], now: Instant) -> Instant | None:
    """Give when the shift ends that is on now."""
    return next((one.ends for one in on if one.starts <= now and not one.beside), None)


def _together(tx: Tx, number: int) -> list[Override]:
    """Give a change and all that counts with it, the first of them first."""
    found = tx.shift_change(number)
    if found is None:
        raise NotFoundError(f"there is no shift change {number}; `monitord oncall` lists them")
    head = found.pair or found.id
    near = tx.shift_changes(rotation=found.rotation, since=found.given)
    return [one for one in near if head in (one.id, one.pair)]


def _must_wait(parts: Sequence[Override], own: Person, by: str, now: Instant) -> None:
    """Refuse a yes to what does not wait for it, or of somebody whom it does not wait for."""
    first = parts[0]
    if first.kind is not ShiftKind.SWAP:
        raise CommandRefusedError(f"shift change {first.id} is no swap: it needs nobody's yes")
    if first.ended is not None or all(part.ends <= now for part in parts):
        raise CommandRefusedError(f"swap {first.id} is over; propose another")
    if first.agreed is not None:
        raise CommandRefusedError(f"{first.agreed_by} has agreed to swap {first.id} already")
    if by == first.by or own.name not in (first.person, first.instead):
        others = f"{first.person} or {first.instead}"
        raise CommandRefusedError(
            f"{own.name} cannot agree to swap {first.id}: {first.by} proposed it, and of"
            f" {others} the other one must"
        )


def _told(row: Override) -> str:
    instead = f" instead of {row.instead}" if row.instead else " beside" if row.beside else ""
    span = f"{iso(row.starts)} to {iso(row.ends)}"
    return f"{row.person}{instead}, {span}: {row.reason} (shift {row.id})"
