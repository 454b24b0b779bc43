"""Sends the report of a month, once it is over and sealed, to those it is set for.

How it reads is decided by decisions/month_mail.py. That a month was told is a row, written with the
notices: a restart tells nobody twice, and a daemon that was down tells the newest when it is up.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from monitord.clock import after
from monitord.decisions import report, seals
from monitord.decisions.availability import measure
from monitord.decisions.calendars import zone_of
from monitord.decisions.month_mail import Kept, write
from monitord.decisions.sla import of_services
from monitord.decisions.verbs import IN_HAND
from monitord.engine.duty import named
from monitord.engine.instance import Instance
from monitord.engine.mailing import message
from monitord.store.contract import Tx, View
from monitord.store.measured import month_account

_TOLD = "reports-told"  # the meta row: the last month (2027-01) that was told of
_SETTLES = seals.SETTLES + timedelta(minutes=30)
"""So long after its end a month is told of: it has been sealed by then."""


@dataclass(slots=True)
class Monthly:
    """Looks whether a month is over that was not told of."""

    instance: Instance
    _month: str = field(default="", init=False)

    async def look(self) -> None:
        """Tell of the last month that is over, once."""
        instance, now = self.instance, self.instance.now()
        settings = instance.catalog.settings
        if not settings.notify.reports or settings.observe:
            return
        zone = zone_of(settings.timezone)
        year, number = report.month_at(zone, after(now, -_SETTLES), back=1)
        month = f"{year:04}-{number:02}"
        if month == self._month:
            return
        told = await instance.store.read(lambda view: view.meta(_TOLD))
        if not told:  # the first one is that of the month that runs now
            await instance.store.write(lambda tx: tx.put_meta(_TOLD, month))
        elif told < month:
            written = await instance.store.read(lambda view: self._text(view, (year, number)))
            await instance.store.write(lambda tx: self._tell(tx, month, *written))
            instance.wake()
        self._month = month

    def _text(self, view: View, month: tuple[int, int]) -> tuple[str, str]:
        catalog, now = self.instance.catalog, self.instance.now()
        period = report.month_of(zone_of(catalog.settings.timezone), *month)
        states, kept = view.states(), []
        for name in sorted(catalog.services):
            service = catalog.services[name]
            found = measure(month_account(view, catalog, states, service, month, now))
            level = of_services(catalog, [name])[0]
            promised = level.availability if level.window == "month" else None
            kept.append(Kept(name, found, promised))
        told = view.told_of_opened([verb.value for verb in IN_HAND], *period)
        counted = report.count(
            view.incidents_opened(*period),
            view.attempts(since=period[0]),
            {number: events[0].at for number, events in told.items()},
        )
        name = f"{month[0]:04}-{month[1]:02}"
        return write(name, catalog.settings.instance, kept, counted)

    def _tell(self, tx: Tx, month: str, title: str, body: str) -> None:
        if tx.meta(_TOLD) == month:
            return
        tx.put_meta(_TOLD, month)
        now, wanted = self.instance.now(), self.instance.catalog.settings.notify.reports
        for person in sorted(named(tx, self.instance, wanted)):
            tx.add_notice(message(person, title, body, now))
