"""Seals each service's availability of a month once the month is over, and again when corrected.

When that is, and what a seal holds, is decided in decisions/seals.py. What was missed while the
daemon was down is sealed when it is up again. A seal is a row that nothing changes; a correction
makes another, which names the one that it replaces.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from monitord.clock import after
from monitord.decisions import report, seals
from monitord.decisions.availability import Account, measure
from monitord.decisions.calendars import zone_of
from monitord.decisions.sla import of_services
from monitord.engine.instance import Instance
from monitord.errors import StoreError
from monitord.log import get_logger
from monitord.model.ids import EPOCH, Instant
from monitord.model.sla import Corrected, Sealed
from monitord.store.contract import Tx, View
from monitord.store.measured import month_account

log = get_logger(__name__)

_BACK = 3  # months: a daemon that was down for longer has seen nothing of what is before them
_ACTOR = "monitord"


@dataclass(slots=True)
class Sealing:
    """Looks which months are to be sealed; one account at a time, beside the writer."""

    instance: Instance
    _done: set[tuple[str, str]] = field(default_factory=set, init=False)  # (service, month)
    _looked: Instant = field(default=EPOCH, init=False)  # at corrections

    async def look(self) -> None:
        """Seal what is over, then what was corrected since."""
        try:
            await self._over()
            await self._corrected()
        except StoreError as error:
            log.warning("seals wait for the store", error=str(error))
        except Exception:
            log.exception("sealing failed")  # the next look tries again

    async def _over(self) -> None:
        store = self.instance.store
        for service, (year, number) in self._due():
            month = f"{year:04}-{number:02}"
            if not await store.read(partial(_sealed, service=service, month=month)):
                found = await store.read(self._account(service, (year, number)))
                if seals.is_known(found):
                    await self._write(month, found, None, "")
            self._done.add((service, month))

    def _due(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Give the services and the months, the oldest first, that may not be sealed yet."""
        catalog, now = self.instance.catalog, self.instance.now()
        settled = after(now, -seals.SETTLES)
        for service in catalog.services:
            zone = zone_of(of_services(catalog, [service])[0].calendar.zone)
            for back in range(_BACK, 0, -1):
                year, number = report.month_at(zone, settled, back=back)
                if (service, f"{year:04}-{number:02}") not in self._done:
                    yield service, (year, number)

    def _account(self, service: str, month: tuple[int, int]) -> Callable[[View], Account]:
        catalog, now = self.instance.catalog, self.instance.now()
        one = catalog.services[service]
        return lambda view: month_account(view, catalog, view.states(), one, month, now)

    async def _corrected(self) -> None:
        """Seal again what a correction bears on that came, or was taken back, since the last look.

        Those that retention deletes soon say nothing of months that it has reached.
        """
        instance, now = self.instance, self.instance.now()
        kept = after(now, -instance.catalog.settings.retention.incidents)
        rows = await instance.store.read(lambda view: view.corrections(kept))
        new = [one for one in rows if max(one.given, one.revoked or EPOCH) >= self._looked]
        for number, account, reason in (
            await instance.store.read(lambda view: _stale(view, rows, new, kept)) if new else ()
        ):
            row = await instance.store.read(partial(_numbered, number=number))
            if row is not None:
                await self._write(row.month, account, row, reason)
        self._looked = now

    async def _write(
        self, month: str, account: Account, before: Sealed | None, reason: str
    ) -> None:
        """Store a seal, if nobody has meanwhile."""
        now = self.instance.now()
        replaces = 0 if before is None else before.id
        seal, packed = measure(account).seal, seals.packed(account)
        row = Sealed(0, account.service, month, seal, packed, now, replaces, reason)

        def work(tx: Tx) -> None:
            newest = _sealed(tx, row.service, month)
            if (newest.id if newest else 0) == replaces:
                number = tx.add_seal(row)
                why = f", replaces seal {replaces}: {reason}" if replaces else ""
                about, told = f"{row.service} {month}", f"{seal} (seal {number}{why})"
                tx.add_audit(now, _ACTOR, "seal", about, told)

        await self.instance.store.write(work)
        log.info("month sealed", service=row.service, month=month, seal=seal, replaces=replaces)


def _sealed(view: View, service: str, month: str) -> Sealed | None:
    return next(reversed(view.seals(service=service, month=month)), None)


def _numbered(view: View, number: int) -> Sealed | None:
    return view.seal(number)


def _stale(
    view: View, rows: list[Corrected], new: list[Corrected], kept: Instant
) -> list[tuple[int, Account, str]]:
    """Give the newest seals whose corrections are not those that hold now, as they are to be."""
    newest = {(one.service, one.month): one for one in view.seals()}
    found = []
    for row in newest.values():
        if not seals.holds(row):  # somebody changed the row; the report's page says so
            log.error("a seal does not hold", seal=row.id, service=row.service, month=row.month)
            continue
        account = seals.account_in(row)
        if account.start < kept or not any(
            one.starts < account.end and one.ends > account.start for one in new
        ):
            continue
        again = seals.corrected(account, rows)
        if again.corrections != account.corrections:
            found.append((row.id, again, seals.what_came(account, again)))
    return found
