"""What end users are told, and what they tell: views and routes.

Nothing internal leaves here: no name of a host, a check or a person, no text of a target, no reason
of an order; services go by what the configuration says end users call them.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from monitord.api import bodies
from monitord.api.access import Right
from monitord.api.bodies import Body, Text
from monitord.api.routes import Asked, Route
from monitord.clock import after
from monitord.decisions import end_users
from monitord.decisions.calendars import zone_of
from monitord.decisions.corrections import for_account
from monitord.decisions.orders import touched
from monitord.decisions.ticket_document import iso
from monitord.decisions.watched import OUTAGES, outages, works
from monitord.errors import NotFoundError
from monitord.model.catalog import Catalog, Service
from monitord.model.ids import CheckKey, Instant
from monitord.model.status_page import StatusPage
from monitord.model.ticket import Order, Verb
from monitord.serving import read_body
from monitord.store.contract import View

_AHEAD = timedelta(days=30)  # planned work that is told of
_SECOND = 1_000_000


class Report(Body):
    """POST /v1/status-page/report: `service` by what the page calls it."""

    service: Text
    text: Text


def document(view: View, catalog: Catalog, *, now: Instant) -> dict[str, Any]:
    """Give the page.

    Raises:
        NotFoundError: there is none.
    """
    page = of(catalog)
    orders = [(one, _bears_on(catalog, one)) for one in view.orders(verb=Verb.MAINTENANCE)]
    stand, zone = view.standings(), zone_of(catalog.settings.timezone)
    period = end_users.window(zone, now)
    away = outages(view.meta(OUTAGES) or "[]", period)
    rows = []
    for name, called in page.services:
        service = catalog.services[name]
        checks = frozenset(service.checks)
        on = [order for order, keys in orders if keys & checks and _in_force(order, now)]
        word, since = end_users.stands(stand.get(name), works(on, (Instant(0), now)))
        whole = [order for order, keys in orders if checks and checks <= keys]
        corrected = for_account(view.corrections(period[0]), name, (), period)
        days = end_users.days(
            zone,
            period,
            view.service_changes(name, period[0]),
            works(whole, period),
            away,
            corrected,
        )
        rows.append(
            {
                "service": called,
                "state": word.value,
                "since": iso(since),
                "days": [_day(one) for one in days],
            }
        )
    return {
        "title": page.title,
        "public": page.public,
        "at": iso(now),
        "timezone": catalog.settings.timezone,
        "services": rows,
        "planned": list(_planned(page, catalog.services, orders, now)),
    }


def of(catalog: Catalog) -> StatusPage:
    """Give the page as configured; NotFoundError where there is none."""
    page = catalog.settings.status
    if page is None:
        raise NotFoundError("there is no status page; write status: {services: {…}}")
    return page


def _bears_on(catalog: Catalog, order: Order) -> frozenset[CheckKey]:
    return frozenset(CheckKey(key) for key in touched(catalog, order.selector, order.verb))


def _in_force(order: Order, now: Instant) -> bool:
    return order.starts <= now < _end(order)


def _end(order: Order) -> Instant:
    return order.expires if order.ended is None else min(order.ended, order.expires)


def _day(of: end_users.Day) -> dict[str, Any]:
    return {
        "day": of.day.isoformat(),
        "state": of.word.value,
        "seconds": {word.value: micros // _SECOND for word, micros in of.times.items()},
    }


def _planned(
    page: StatusPage,
    services: Mapping[str, Service],
    orders: Sequence[tuple[Order, frozenset[CheckKey]]],
    now: Instant,
) -> Iterator[dict[str, Any]]:
    """Give the announced work that is on or will be soon, and on which services it bears."""
    for order, keys in sorted(orders, key=lambda pair: pair[0].starts):
        if _end(order) <= now or order.starts > after(now, _AHEAD):
            continue
        names = [called for name, called in page.services if keys & set(services[name].checks)]
        if names:
            yield {
                "from": iso(order.starts),
                "until": iso(_end(order)),
                "under_way": order.starts <= now,
                "services": names,
            }


async def shown(asked: Asked) -> Any:
    """GET /v1/status-page."""
    catalog, now = asked.engine.catalog, asked.engine.now()
    return await asked.engine.store.read(lambda view: document(view, catalog, now=now))


async def report(asked: Asked) -> Any:
    """POST /v1/status-page/report: from monitord-web, for whoever sees the page."""
    body = bodies.parse(Report, await read_body(asked.request, bodies.LONGEST))
    page = of(asked.engine.catalog)
    service = next((name for name, called in page.services if called == body.service), "")
    if not service:
        raise NotFoundError("the page has no such service; choose one of those that it shows")
    await asked.engine.hearing.report(service, body.text)
    return {"taken": True}


async def reports(asked: Asked) -> Any:
    """GET /v1/status-page/reports: what end users told, the newest first."""
    return {"reports": await asked.engine.hearing.reports()}


STATUS_PAGE = (
    Route("GET", "/v1/status-page", Right.READ, shown, "what end users are told of services"),
    Route(
        "GET",
        "/v1/status-page/reports",
        Right.READ,
        reports,
        "what end users told of, lately",
    ),
    Route(
        "POST",
        "/v1/status-page/report",
        Right.PING,
        report,
        "what an end user tells of, for monitord-web",
        body=Report,
    ),
)
