"""Reads what a service's availability in a span of time is made of: its account.

What the figure is decides decisions/availability.py; nothing is written here.
"""

from collections import defaultdict
from collections.abc import Iterable

from monitord.decisions import report, watched
from monitord.decisions.availability import Account, Period, Piece
from monitord.decisions.calendars import open_periods, zone_of
from monitord.decisions.corrections import for_account
from monitord.decisions.orders import touched
from monitord.decisions.sla import of_services
from monitord.model.catalog import Catalog, Service
from monitord.model.ids import CheckKey, Instant, StateKey, split_state_key
from monitord.model.sla import Sla
from monitord.model.state import CheckState
from monitord.model.ticket import Verb
from monitord.store.contract import View

_MANY = 100_000  # more than any retention keeps


def account_of(
    view: View,
    catalog: Catalog,
    states: Iterable[CheckState],
    service: Service,
    level: Sla,
    window: Period,
) -> Account:
    """Give all that the availability of a service in a window is made of."""
    orders = [
        order
        for order in view.orders(verb=Verb.MAINTENANCE)
        if set(service.checks) <= set(touched(catalog, order.selector, order.verb))
    ]
    # Where rules say when it is down, what one check was does not: then it is itself corrected.
    corrected = () if service.down_when else service.checks
    return Account(
        service.name,
        level.name,
        *window,
        tuple(open_periods(level.calendar, *window)),
        _tracks(view, states, service, window),
        watched.works(orders, window),
        watched.outages(view.meta(watched.OUTAGES) or "[]", window),
        for_account(view.corrections(window[0]), service.name, corrected, window),
    )


def month_account(
    view: View,
    catalog: Catalog,
    states: Iterable[CheckState],
    service: Service,
    month: tuple[int, int],
    now: Instant,
) -> Account:
    """Give the account of a month on the wall clock of the level's calendar, up to now."""
    level = of_services(catalog, [service.name])[0]
    start, end = report.month_of(zone_of(level.calendar.zone), *month)
    return account_of(view, catalog, states, service, level, (min(start, now), min(end, now)))


def _tracks(
    view: View, states: Iterable[CheckState], service: Service, window: Period
) -> dict[str, tuple[Piece, ...]]:
    """Give what each item of the checks was; a check of which nothing is known is there, empty.

    Of a service that says by rules when it is down, what it was itself.
    """
    if service.down_when:
        rows = view.service_changes(service.name, window[0])
        return {f"service {service.name}": watched.service_track(rows, window)}
    tracks: dict[str, tuple[Piece, ...]] = {}
    by_check: dict[CheckKey, list[CheckState]] = defaultdict(list)
    for one in states:
        by_check[split_state_key(one.key)[0]].append(one)
    for check in service.checks:
        known = {one.key: one for one in by_check.get(check, ())}
        moves = view.transitions(check, window[0], _MANY)
        for key in sorted({*known, *(row.key for row in moves)}) or [StateKey(check)]:
            own = [row for row in moves if row.key == key]
            tracks[key] = watched.track(own, known.get(key), window)
    return tracks
