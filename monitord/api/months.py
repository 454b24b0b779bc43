"""Reports of a month: views and routes. What is counted, and how, stands in decisions/report.py.

It reads rows and shapes them. Each availability bears its seal; whoever has the account that
belongs to it can compute both again (docs/sla.md).
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from starlette.responses import Response

from monitord.api import ledger, month_seals, shapes, sla
from monitord.api.access import Right
from monitord.api.bodies import BadBodyError
from monitord.api.month_seals import Proof, proof
from monitord.api.months_table import COLUMNS, rows
from monitord.api.routes import Asked, Route
from monitord.clock import after
from monitord.decisions import promises, report
from monitord.decisions.availability import Period, measure
from monitord.decisions.calendars import zone_of
from monitord.decisions.promises import Facts
from monitord.decisions.report import Took
from monitord.decisions.sla import of_services
from monitord.decisions.ticket_document import iso
from monitord.decisions.verbs import IN_HAND
from monitord.errors import NotFoundError
from monitord.model.catalog import Catalog, Service
from monitord.model.ids import CheckKey, IncidentId, Instant
from monitord.model.incident import Incident
from monitord.model.problem import Problem
from monitord.model.state import CheckState
from monitord.model.table import csv_of
from monitord.store.around import clock_facts_of
from monitord.store.contract import View
from monitord.store.measured import month_account

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_SECOND = 1_000_000
_YEARS = range(2000, 9000)  # what calendars can count with
Grouped = Mapping[CheckKey, Sequence[CheckState]]


def document(
    view: View, catalog: Catalog, states: Sequence[CheckState], month: str, *, now: Instant
) -> dict[str, Any]:
    """Give the report of a month (`2027-01`; empty: the last that is over), up to now.

    Raises:
        BadBodyError: it is no month, or has not begun.
    """
    zone = zone_of(catalog.settings.timezone)
    year, number = _read(month) if month else report.month_at(zone, now, back=1)
    period = report.month_of(zone, year, number)
    if period[0] > now:
        raise BadBodyError(f"month={month}: it has not begun; write one that has")
    incidents = view.incidents_opened(*period)
    counted = report.count(incidents, view.attempts(since=period[0]), _answered(view, period))
    facts_of = clock_facts_of(view, catalog, *period)
    promised = _promises(catalog, incidents, facts_of, now)
    kept = after(now, -catalog.settings.retention.incidents)
    return {
        "month": _name((year, number)),
        "from": iso(period[0]),
        "until": iso(min(period[1], now)),
        "over": period[1] <= now,
        "whole": period[0] >= kept,
        "timezone": catalog.settings.timezone,
        "instance": catalog.settings.instance,
        "made": iso(now),
        "services": _services(view, catalog, states, (year, number), promised, now),
        "incidents": _month(counted),
        "runbooks": ledger.between(view, *period),
        "drills": _drills(catalog, states, incidents),
        "problems": [_problem(one) for one in view.problems() if _lived(one, period)],
    }


def account(
    view: View,
    catalog: Catalog,
    states: Sequence[CheckState],
    month: str,
    name: str,
    *,
    now: Instant,
    seal: int = 0,
) -> dict[str, Any]:
    """Give what a service's availability in a month is made of, as the text that is sealed.

    `seal` is the number of one that was replaced since; 0: the newest.
    """
    if name not in catalog.services:
        known = ", ".join(sorted(catalog.services)) or "none is configured"
        raise NotFoundError(f"there is no service {name}; there are: {known}")
    service, grouped = catalog.services[name], shapes.by_check(states)
    found = _proof(view, catalog, grouped, service, _read(month), now)
    return {"service": name, **month_seals.text(found, seal)}


def _read(month: str) -> tuple[int, int]:
    found = _MONTH.fullmatch(month)
    if found is None or int(found[1]) not in _YEARS:
        raise BadBodyError(f"month={month}: no month; write month=2027-01")
    return int(found[1]), int(found[2])


def _name(month: tuple[int, int]) -> str:
    return f"{month[0]:04}-{month[1]:02}"


def _answered(view: View, period: Period) -> dict[IncidentId, Instant]:
    told = view.told_of_opened([verb.value for verb in IN_HAND], *period)
    return {number: events[0].at for number, events in told.items()}


def _proof(
    view: View,
    catalog: Catalog,
    grouped: Grouped,
    service: Service,
    month: tuple[int, int],
    now: Instant,
) -> Proof:
    """Give what a service's figure of a month is of: what was sealed, or its rows up to now."""
    own = [one for key in service.checks for one in grouped.get(key, ())]
    computed = month_account(view, catalog, own, service, month, now)
    rows = view.seals(service=service.name, month=_name(month))
    kept = after(now, -catalog.settings.retention.incidents)
    return proof(rows, computed, whole=computed.start >= kept)


def _services(
    view: View,
    catalog: Catalog,
    states: Sequence[CheckState],
    month: tuple[int, int],
    promised: Mapping[str, Any],
    now: Instant,
) -> list[dict[str, Any]]:
    grouped = shapes.by_check(states)
    answer = []
    for name in sorted(catalog.services):
        service, level = catalog.services[name], of_services(catalog, [name])[0]
        proven = _proof(view, catalog, grouped, service, month, now)
        found = measure(proven.account)
        share, target = found.share, level.availability if level.window == "month" else None
        answer.append(
            {
                "service": name,
                "sla": level.name,
                "target": level.availability,
                "window": level.window,
                "share": None if share is None else round(share, 6),
                "watched": found.watched,
                "met": share >= target if found.watched and share is not None and target else None,
                "agreed_s": found.agreed / _SECOND,
                "times_s": {one.value: micros / _SECOND for one, micros in found.times.items()},
                "promises": promised.get(name, {}),
                "corrections": len(proven.account.corrections),
                "over": report.month_of(zone_of(level.calendar.zone), *month)[1] <= now,
                **proven.shown(),
            }
        )
    return answer


def _drills(
    catalog: Catalog, states: Sequence[CheckState], incidents: Sequence[Incident]
) -> list[dict[str, Any]]:
    """Give what each restore drill last proved (as of now), and how often it failed then."""
    grouped, failed = shapes.by_check(states), Counter(one.key for one in incidents)
    return [
        {
            **{name: shown[name] for name in ("key", "status", "summary")},
            "failed": failed[str(key)],
        }
        for key, check in sorted(catalog.checks.items())
        if check.kind == "drill"
        for shown in [shapes.check(key, check, grouped.get(key, ()))]
    ]


def _promises(
    catalog: Catalog,
    incidents: Sequence[Incident],
    facts_of: Callable[[Incident], Facts],
    now: Instant,
) -> dict[str, dict[str, dict[str, int]]]:
    """Count by service and promise (respond, resolve) how many were kept, broken, still run."""
    found: dict[str, dict[str, Counter[str]]] = {}
    for incident in incidents:
        names = sla.services_of(catalog, incident)
        if not names or incident.part_of:
            continue
        facts = facts_of(incident)
        for name in names:
            level = of_services(catalog, [name])
            for clock in promises.running(incident, level, {}, facts, now):
                word = "broken" if clock.breached else "kept" if clock.stopped else "running"
                of_name = found.setdefault(name, {})
                of_name.setdefault(clock.promise.value, Counter())[word] += 1
    return {
        name: {
            promise: {word: tally[word] for word in ("kept", "broken", "running")}
            for promise, tally in sorted(own.items())
        }
        for name, own in found.items()
    }


def _month(of: report.Month) -> dict[str, Any]:
    return {
        "opened": of.incidents,
        "parts": of.parts,
        "priorities": dict(of.priorities),
        "ended": {how.value: number for how, number in of.ended.items()},
        "automation": None if of.automation is None else round(of.automation, 4),
        "acknowledged": _took(of.acknowledged),
        "unanswered": of.unanswered,
        "repaired": _took(of.repaired),
        "recurring": [asdict(one) for one in of.recurring],
    }


def _took(of: Took) -> dict[str, Any]:
    rounded = {name: None if s is None else round(s, 1) for name, s in asdict(of).items()}
    return {**rounded, "count": of.count}


def _problem(of: Problem) -> dict[str, Any]:
    return {
        "problem": of.id,
        "key": of.key,
        "status": of.status.value,
        "title": of.title,
        "incidents": of.incidents,
        "cause": of.cause,
        "cure": of.cure,
    }


def _lived(of: Problem, period: Period) -> bool:
    return of.opened < period[1] and (of.closed is None or of.closed >= period[0])


async def shown(asked: Asked) -> Any:
    """GET /v1/reports: `month`; left out: the last that is over."""
    engine, now = asked.engine, asked.engine.now()
    catalog, states = engine.catalog, engine.states()
    month = asked.request.query_params.get("month", "")
    return await engine.store.read(lambda view: document(view, catalog, states, month, now=now))


async def table(asked: Asked) -> Any:
    """GET /v1/reports.csv: the same as rows of part, about, measure, value."""
    found = await shown(asked)
    text = csv_of(COLUMNS, rows(found))
    named = f'attachment; filename="monitord-{found["month"]}.csv"'
    return Response(text, media_type="text/csv", headers={"content-disposition": named})


async def one_account(asked: Asked) -> Any:
    """GET /v1/reports/account: `month` and `service`; `seal`: one that was replaced."""
    engine, now = asked.engine, asked.engine.now()
    catalog, states, wanted = engine.catalog, engine.states(), asked.request.query_params
    month, name, seal = wanted.get("month", ""), wanted.get("service", ""), wanted.get("seal", "0")
    if not re.fullmatch(r"\d{1,15}", seal):
        raise BadBodyError(f"seal={seal}: no number of a seal; GET /v1/reports lists them")
    return await engine.store.read(
        lambda view: account(view, catalog, states, month, name, now=now, seal=int(seal))
    )


MONTHS = (
    Route("GET", "/v1/reports", Right.READ, shown, "what a `month` was like", query=("month",)),
    Route("GET", "/v1/reports.csv", Right.READ, table, "the same as a table", query=("month",)),
    Route(
        "GET",
        "/v1/reports/account",
        Right.READ,
        one_account,
        "what a `service`'s sealed availability of a `month` is made of",
        query=("month", "service", "seal"),
    ),
)
