"""The routes that only look: status, lists, one incident, one ticket, jobs, events.

Large lists come in pages: `limit` rows (at most 1000) after the key or number `after`, with `next`
to go on from. What looks at every state or check does so in another thread: on the event loop it
would hold up the checks by tens of milliseconds.
"""

import asyncio
import heapq
import os
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from monitord import __version__, inbound_sources
from monitord.api import ledger, shapes, sla, views
from monitord.api.access import Right
from monitord.api.bodies import BadBodyError
from monitord.api.ports import Engine
from monitord.api.routes import Asked, Route, limit_of, row_number
from monitord.api.services import shown
from monitord.api.streaming import events
from monitord.clock import after, as_instant
from monitord.decisions.ledger import Only
from monitord.decisions.ticket_document import iso
from monitord.errors import NotFoundError
from monitord.model.ids import CheckKey, IncidentId, Instant
from monitord.model.result import Status
from monitord.model.state import CheckState
from monitord.model.ticket import TicketStatus
from monitord.pings import read_secret, token, watched
from monitord.store.contract import View


def _page(name: str, keys: Iterable[str], after: str, limit: int) -> dict[str, Any]:
    """Cut one page out of all keys; gives the answer's frame with the page's keys and `next`."""
    found = heapq.nsmallest(limit + 1, (key for key in keys if key > after))
    return {name: found[:limit], "next": found[limit - 1] if len(found) > limit else None}


def _halt_file(engine: Engine) -> bool:
    return os.path.lexists(Path(engine.catalog.settings.state) / "HALT")


async def status(asked: Asked) -> Any:
    """GET /v1/status."""
    engine, now = asked.engine, asked.engine.now()
    states, settings = engine.states(), engine.catalog.settings

    def work(view: View) -> dict[str, Any]:
        page, in_force = views.status(view, states, now=now), view.orders(at=now)
        return {**page, "hidden": views.hidden(in_force, engine.catalog, states)}

    return {
        "version": __version__,
        "instance": settings.instance,
        "profile": settings.profile,
        "observe": settings.observe,
        "started": iso(Instant(int(engine.counters.started * 1e6))),
        "epoch": engine.counters.epoch,
        "catalog": engine.catalog.hash,
        "hosts": len(engine.catalog.hosts),
        "checks": len(engine.catalog.checks),
        "executor": engine.counters.executor_up,
        "halt_file": _halt_file(engine),
        "problems": list(engine.health().problems),
        "warnings": list(engine.catalog.warnings),
        **await engine.store.read(work),
    }


async def hosts(asked: Asked) -> Any:
    """GET /v1/hosts; `host` is the name of the only one that is wanted."""
    catalog, states = asked.engine.catalog, asked.engine.states()
    after, limit = asked.request.query_params.get("after", ""), limit_of(asked)
    only = asked.request.query_params.get("host")

    def work() -> dict[str, Any]:
        names: Iterable[str] = catalog.hosts if only is None else {only} & catalog.hosts.keys()
        answer = _page("hosts", names, after, limit)
        own: dict[str, list[CheckState]] = {name: [] for name in answer["hosts"]}
        checks: dict[str, list[CheckKey]] = {name: [] for name in answer["hosts"]}
        for one in states:
            if (name := one.key.partition("/")[0]) in own:
                own[name].append(one)
        for key, check in catalog.checks.items():
            if check.host in checks:
                checks[check.host].append(key)
        answer["hosts"] = [
            shapes.host(catalog.hosts[name], checks[name], own[name]) for name in own
        ]
        return answer

    return await asyncio.to_thread(work)


async def checks(asked: Asked) -> Any:
    """GET /v1/checks: `select` is a selector, `host` a host's name, `status` a hard status."""
    engine, wanted = asked.engine, asked.request.query_params
    catalog, states, limit = engine.catalog, engine.states(), limit_of(asked)
    status = _status(wanted["status"]) if "status" in wanted else None

    def work() -> dict[str, Any]:
        select, host = wanted.get("select", ""), wanted.get("host", "")
        one_check = select in catalog.checks
        where = host or (select.partition("/")[0] if one_check else "")
        near = f"{where}/" if where else ""
        own = shapes.by_check(one for one in states if one.key.startswith(near))
        keys: Iterable[str] = {*catalog.checks, *own}
        if select:
            keys = [select] if one_check else engine.orders.preview(select)
        if host:
            keys = [key for key in keys if key.startswith(f"{host}/")]
        if status is not None:
            keys = [key for key in keys if _worst(own, CheckKey(key)) is status]
        answer = _page("checks", keys, wanted.get("after", ""), limit)
        answer["checks"] = [
            shapes.check(key, catalog.checks.get(key), own.get(key, ())) for key in answer["checks"]
        ]
        return answer

    return await asyncio.to_thread(work)


def _worst(own: dict[CheckKey, list[CheckState]], key: CheckKey) -> Status:
    return shapes.worst(one.hard for one in own.get(key, ()))


def _status(name: str) -> Status:
    try:
        return Status[name.upper()]
    except KeyError:
        known = ", ".join(status.name for status in Status)
        raise BadBodyError(f"status={name}: no status; use {known}") from None


async def incidents(asked: Asked) -> Any:
    """GET /v1/incidents: those not closed, or `all=1`; the newest `limit` of them."""
    every = asked.request.query_params.get("all") == "1"
    limit = limit_of(asked)
    return await asked.engine.store.read(
        lambda view: views.incidents(view, every=every, limit=limit)
    )


async def incident(asked: Asked) -> Any:
    """GET /v1/incidents/{id}."""
    number, now = row_number(asked, "incident"), asked.engine.now()

    def work(view: View) -> dict[str, Any]:
        return views.incident_document(view, number, now=now, catalog=asked.engine.catalog)

    return await asked.engine.store.read(work)


async def attempt(asked: Asked) -> Any:
    """GET /v1/attempts/{id}."""
    number = row_number(asked, "attempt")
    return await asked.engine.store.read(lambda view: views.attempt_document(view, number))


async def tickets(asked: Asked) -> Any:
    """GET /v1/tickets: those not closed, or `all=1`."""
    every = asked.request.query_params.get("all") == "1"
    which = frozenset(TicketStatus) if every else views.LIVE_TICKETS
    rows = await asked.engine.store.read(lambda view: view.tickets(which))
    return {"tickets": [shapes.ticket(one) for one in rows[-limit_of(asked) :]]}


async def ticket(asked: Asked) -> Any:
    """GET /v1/tickets/{id}."""
    number, catalog, now = row_number(asked, "ticket"), asked.engine.catalog, asked.engine.now()

    def work(view: View) -> dict[str, Any]:
        instance = catalog.settings.instance
        return views.ticket_document(view, number, catalog=catalog, instance=instance, now=now)

    return await asked.engine.store.read(work)


async def orders(asked: Asked) -> Any:
    """GET /v1/orders: those in force, or `all=1`; of one `host`; and what they keep from people."""
    engine, now, limit = asked.engine, asked.engine.now(), limit_of(asked)
    every = asked.request.query_params.get("all") == "1"
    states, catalog = engine.states(), engine.catalog
    name = asked.request.query_params.get("host", "")
    if name and name not in catalog.hosts:
        raise NotFoundError(f"there is no host {name}; GET /v1/hosts lists them")
    return await engine.store.read(
        lambda view: views.orders(
            view, states, catalog, every=every, limit=limit, now=now, host=name
        )
    )


async def effectiveness(asked: Asked) -> Any:
    """GET /v1/ledger: `runbook`, `check` (a name), `host`, `since` (left out: 30 days ago)."""
    wanted = asked.request.query_params
    only = Only(
        wanted.get("runbook", ""), wanted.get("check", ""), wanted.get("host", ""), _since(asked)
    )
    found = await asked.engine.store.read(lambda view: ledger.document(view, only))
    return {**found, "standing": await asked.engine.trusting.standing()}


async def service_levels(asked: Asked) -> Any:
    """GET /v1/sla: `service` narrows it to one, and adds its availability; `incident` to one."""
    engine, now = asked.engine, asked.engine.now()
    service = asked.request.query_params.get("service", "")
    only, catalog, states = _one_incident(asked), engine.catalog, engine.states()
    return await engine.store.read(
        lambda view: sla.document(view, catalog, states, service=service, now=now, only=only)
    )


def _one_incident(asked: Asked) -> IncidentId | None:
    text = asked.request.query_params.get("incident")
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise BadBodyError(f"incident={text}: no number of an incident; write incident=7")
    return IncidentId(int(text))


def _since(asked: Asked) -> Instant:
    text = asked.request.query_params.get("since")
    if text is None:
        return after(asked.engine.now(), -ledger.WINDOW)
    try:
        return as_instant(datetime.fromisoformat(text))
    except ValueError:
        raise BadBodyError(
            f"since={text}: no point in time with a zone; write since=2027-01-31T18:00:00Z"
        ) from None


async def explain(asked: Asked) -> Any:
    """GET /v1/explain/{key}: of a check, or of a service by its name.

    `config=0` leaves out where each value is written, for which all files are read.
    """
    key = asked.request.path_params["key"]
    written = asked.request.query_params.get("config") != "0"
    answer = dict(await asked.engine.commands.explain(key, written=written))
    if key in asked.engine.catalog.services:
        answer["service"] = await shown(asked, key)
    return answer


async def preview(asked: Asked) -> Any:
    """GET /v1/preview?selector=…."""
    selector = asked.request.query_params.get("selector", "")
    return {"touches": await asyncio.to_thread(asked.engine.orders.preview, selector)}


async def promotion(asked: Asked) -> Any:
    """GET /v1/promotion?runbook=…."""
    name = asked.request.query_params.get("runbook", "")
    return dict(await asked.engine.trusting.promotion(name, by=asked.person.name))


async def plan(asked: Asked) -> Any:
    """GET /v1/plan."""
    return {"lines": list(await asked.engine.plan())}


async def jobs(asked: Asked) -> Any:
    """GET /v1/jobs: who may command also gets each job's ping path, which is a capability."""
    catalog = asked.engine.catalog
    keys = list(watched(catalog.checks))
    if Right.OPERATE not in asked.person.rights:
        return {"jobs": [{"key": key} for key in keys]}
    secret = read_secret(Path(catalog.settings.state))
    records = await asked.engine.store.read(
        lambda view: {key: shapes.job_of(view, key) for key in keys}
    )
    states = shapes.by_check(asked.engine.states())
    return {
        "jobs": [
            {
                "key": key,
                "status": shapes.status_of_job(states, key),
                "ping": f"/ping/{token(secret, key)}",
                "record": shapes.job(records[key]),
            }
            for key in keys
        ],
        "base": f"http://{catalog.settings.web}",
    }


async def inbound(asked: Asked) -> Any:
    """GET /v1/inbound: who may send results, for monitord-web, which lets them in."""
    sources = asked.engine.catalog.inbound.values()
    return {"sources": [inbound_sources.to_json(source) for source in sources]}


READING = (
    Route("GET", "/v1/status", Right.READ, status, "everything on one page"),
    Route(
        "GET",
        "/v1/hosts",
        Right.READ,
        hosts,
        "hosts with their states; `host`",
        query=("host", "after", "limit"),
    ),
    Route(
        "GET",
        "/v1/checks",
        Right.READ,
        checks,
        "checks; `select`, `host`, `status`",
        query=("select", "host", "status", "after", "limit"),
    ),
    Route(
        "GET",
        "/v1/incidents",
        Right.READ,
        incidents,
        "incidents not closed; `all=1`",
        query=("all", "limit"),
    ),
    Route("GET", "/v1/incidents/{id:int}", Right.READ, incident, "one incident with its rows"),
    Route("GET", "/v1/attempts/{id:int}", Right.READ, attempt, "one attempt, its plan and steps"),
    Route(
        "GET",
        "/v1/tickets",
        Right.READ,
        tickets,
        "tickets not closed; `all=1`",
        query=("all", "limit"),
    ),
    Route("GET", "/v1/tickets/{id:int}", Right.READ, ticket, "one ticket, whole"),
    Route(
        "GET",
        "/v1/orders",
        Right.READ,
        orders,
        "orders in force; `all=1`, `host`",
        query=("all", "limit", "host"),
    ),
    Route(
        "GET",
        "/v1/ledger",
        Right.READ,
        effectiveness,
        "what runbooks are worth; `since`",
        query=("runbook", "check", "host", "since"),
    ),
    Route(
        "GET",
        "/v1/sla",
        Right.READ,
        service_levels,
        "service levels, clocks; `service`, `incident`",
        query=("service", "incident"),
    ),
    Route(
        "GET",
        "/v1/explain/{key:path}",
        Right.READ,
        explain,
        "all that bears on a key; `config=0` faster",
        query=("config",),
    ),
    Route(
        "GET", "/v1/preview", Right.READ, preview, "what a `selector` touches", query=("selector",)
    ),
    Route(
        "GET",
        "/v1/promotion",
        Right.READ,
        promotion,
        "what promoting a `runbook` changes",
        query=("runbook",),
    ),
    Route("GET", "/v1/plan", Right.ADMIN, plan, "what a reload would change"),
    Route("GET", "/v1/jobs", Right.READ, jobs, "job checks and their ping paths"),
    Route("GET", "/v1/inbound", Right.PING, inbound, "who may send results, for monitord-web"),
    Route("GET", "/v1/events", Right.READ, events, "what happens, as it happens"),
)
