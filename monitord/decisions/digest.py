"""Decides when a person's morning digest is due, and writes it. Pure; it reads and sends nothing.

A digest wakes nobody: it says in the morning what was kept quiet and what the day will ask for.
Where there is nothing to say there is none. One that was missed is told later the same day, once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from monitord.decisions import calendars, cron
from monitord.decisions.sla import SlaClock
from monitord.model.calendar import Calendar
from monitord.model.ids import Instant
from monitord.model.incident import Attempt, Incident
from monitord.model.policy import Digest
from monitord.model.ticket import Event, Order

_MICRO = timedelta(microseconds=1)
_EVENING = time(18)
_MOST = 20  # lines of one kind; the lists have them all
_HALF_A_DAY = timedelta(hours=12) // _MICRO
_LONGEST = timedelta(days=7) // _MICRO  # what a digest looks back on, over holidays too


@dataclass(frozen=True, slots=True)
class Morning:
    """What a digest tells of.

    `quiet` are open incidents that page nobody by their priority. `hidden` are mutes with what they
    hide, `forgotten` acks and takes with what is still bad under them. `repaired` are attempts that
    ended verified since the last digest, `lapsed` those that nobody approved in time, `shadows` the
    lines of the timelines that say how a runbook in shadow would have done. `due` are the clocks of
    service levels that break by the evening.
    """

    quiet: Sequence[Incident] = ()
    hidden: Sequence[tuple[Order, Incident]] = ()
    forgotten: Sequence[tuple[Order, Incident]] = ()
    repaired: Sequence[Attempt] = ()
    lapsed: Sequence[Attempt] = ()
    shadows: Sequence[Event] = ()
    due: Sequence[tuple[SlaClock, Incident]] = ()


def due_today(digest: Digest, zone: str, calendar: Calendar | None, now: Instant) -> Instant | None:
    """Give when the digest of the day that `now` lies in (in `zone`) was due; None: not yet, or no.

    With a calendar there is one on days on which it opens. A time that the clock change skips comes
    at its end, a doubled one once (decisions/cron.py).
    """
    where = calendars.zone_of(zone)
    midnight, following = _day(zone, now)
    line = cron.parse(f"{digest.at.minute} {digest.at.hour} * * *")
    fire = cron.next_fire(line, zone, Instant(midnight - 1))
    if fire is None or fire > now or calendars.wall_time(where, fire) >= _wall(zone, following):
        return None
    if calendar is not None:
        opens = calendars.next_open(calendar, midnight)
        if opens is None or opens >= following:
            return None
    return fire


def since(told: Mapping[str, int], begun: Instant, fire: Instant) -> Instant:
    """Give from when on a digest tells: the last morning on which there was one for anybody.

    `told` says by person when their last one was due, `begun` since when there are digests.
    """
    before = [at for at in told.values() if at <= fire - _HALF_A_DAY]
    return Instant(max(max(before, default=begun), fire - _LONGEST))


def evening(zone: str, now: Instant) -> Instant:
    """Give when the working day of `now` ends: six o'clock in `zone`."""
    where = calendars.zone_of(zone)
    day = calendars.wall_time(where, now).date()
    return calendars.instant_of(where, datetime.combine(day, _EVENING))


def text(morning: Morning, zone: str) -> tuple[str, str] | None:
    """Give title and body of a digest, times on the wall clock of `zone`; None: nothing to say."""

    def wall(at: Instant) -> str:
        return calendars.wall_time(calendars.zone_of(zone), at).strftime("%H:%M")

    parts = [
        ("open and paging nobody", [_incident(one) for one in morning.quiet]),
        ("muted and still bad", [_kept(*pair) for pair in morning.hidden]),
        ("in hand for long and still bad", [_kept(*pair) for pair in morning.forgotten]),
        ("repaired", [f"{one.key} by {one.runbook}" for one in morning.repaired]),
        ("nobody approved", [f"{one.key}: {one.runbook}" for one in morning.lapsed]),
        ("in shadow", [f"incident {one.incident}: {one.text}" for one in morning.shadows]),
        (
            "promised for today",
            [
                f"{wall(clock.due)} {clock.sla}, {clock.promise}: {_incident(one)}"
                for clock, one in morning.due
                if clock.due is not None
            ],
        ),
    ]
    said = [(what, lines) for what, lines in parts if lines]
    if not said:
        return None
    title = "this morning: " + ", ".join(f"{len(lines)} {what}" for what, lines in said)
    return title, "\n".join(line for what, lines in said for line in _part(what, lines))


def _part(what: str, lines: Sequence[str]) -> list[str]:
    more = len(lines) - _MOST
    rest = [f"  and {more} more"] if more > 0 else []
    return [f"{what}:", *(f"  {line}" for line in lines[:_MOST]), *rest]


def _incident(incident: Incident) -> str:
    return f"incident {incident.id}, {incident.priority} {incident.key}: {incident.summary}"


def _kept(order: Order, incident: Incident) -> str:
    return f"{_incident(incident)} ({order.verb} by {order.by}: {order.reason})"


def _day(zone: str, now: Instant) -> tuple[Instant, Instant]:
    """Give the first instants of the day of `now` and of the next, on the wall clock of `zone`."""
    where = calendars.zone_of(zone)
    today = datetime.combine(calendars.wall_time(where, now).date(), time())
    return (
        calendars.instant_of(where, today),
        calendars.instant_of(where, today + timedelta(days=1)),
    )


def _wall(zone: str, at: Instant) -> datetime:
    return calendars.wall_time(calendars.zone_of(zone), at)
