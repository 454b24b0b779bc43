"""Writes the notice by which somebody tries how a person is told: a row like any other.

It is delivered by the notifying stage. Nothing is sent here.
"""

from typing import Protocol

from monitord.config.names import nearest
from monitord.errors import CommandRefusedError, NotFoundError
from monitord.model.catalog import Catalog
from monitord.model.ids import IncidentId, Instant
from monitord.model.notice import Notice, NoticeKind, NoticeStatus
from monitord.model.oncall import Person
from monitord.store.contract import Store, Tx


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

    def wake(self) -> None:
        """Have what is due looked at now."""
        ...


class Trying:
    """What people ask of the ways by which somebody is told."""

    def __init__(self, here: Here) -> None:
        self._here = here

    async def test(self, person: str, *, way: int | None, by: str) -> int:
        """Tell a person that this is a test, from a way on (from 1); gives the notice's number.

        Raises:
            NotFoundError: there is no such person.
            CommandRefusedError: they have no such way.
        """
        known, now = self._here.catalog.people, self._here.now()
        if person not in known:
            raise NotFoundError(f"there is no person {person}{nearest(person, known)}")
        notice = _notice(known[person], way, by, now)

        def work(tx: Tx) -> int:
            asked = f"way {way}" if way else "by the first way that works"
            tx.add_audit(now, by, "notify-test", f"person {person}", asked)
            return tx.add_notice(notice)

        number = await self._here.store.write(work)
        self._here.wake()
        return number


def _notice(person: Person, way: int | None, by: str, now: Instant) -> Notice:
    count = len(person.ways)
    if way is not None and not 1 <= way <= count:
        ways = ", ".join(f"{n} {one.kind}" for n, one in enumerate(person.ways, 1)) or "none"
        raise CommandRefusedError(f"{person.name} has no way {way}; their ways are {ways}")
    return Notice(
        id=0,
        incident=IncidentId(0),
        person=person.name,
        kind=NoticeKind.TEST,
        priority="P5",
        title="a test: nothing is wrong",
        body=f"{by} asked monitord to try how you are told. You need do nothing.",
        status=NoticeStatus.PENDING,
        created=now,
        due_at=now,
        way=(way or 1) - 1,
    )
