"""The routes by which others tell monitord something: links in mail, jobs, inbound results.

monitord-web has looked at the word, the token or the signature before; what it means is the
engine's to say.
"""

from typing import Any

from monitord import inbound_sources, inbound_spool
from monitord.api import bodies
from monitord.api.access import Right
from monitord.api.routes import Asked, Route
from monitord.errors import CommandRefusedError
from monitord.pings import Report, checked, job_key
from monitord.serving import read_body


async def _body(asked: Asked, shape: type[bodies.B]) -> bodies.B:
    return bodies.parse(shape, await read_body(asked.request, bodies.LONGEST))


async def link(asked: Asked) -> Any:
    """POST /v1/link: from monitord-web, which has looked at the signature."""
    body = await _body(asked, bodies.LinkShow)
    return dict(await asked.engine.approvals.show(body.word))


async def use_link(asked: Asked) -> Any:
    """POST /v1/link/use: in the name that was given, and the name of the way."""
    body = await _body(asked, bodies.LinkUse)
    approvals, by = asked.engine.approvals, f"{body.name} (by link)"
    attempt = await approvals.by_link(body.word)
    if body.yes:
        await approvals.approve(attempt.id, by=by)
    else:
        await approvals.deny(attempt.id, by=by, reason=body.reason)
    return {"attempt": attempt.id, "approved": body.yes}


async def job(asked: Asked) -> Any:
    """POST /v1/jobs/report: from `monitord job run`, in the name of who ran it."""
    return await _report(asked, asked.person.name)


async def ping(asked: Asked) -> Any:
    """POST /v1/ping: from monitord-web, which has looked at the token."""
    return await _report(asked, "ping")


async def told(asked: Asked) -> Any:
    """POST /v1/inbound: from monitord-web, which has looked at the token or the signature."""
    body = bodies.parse(bodies.Inbound, await read_body(asked.request, inbound_spool.LONGEST))
    source = asked.engine.catalog.inbound.get(body.source)
    if source is not None and inbound_sources.mark(source) != body.mark:
        raise CommandRefusedError(f"inbound source {body.source} has changed; ask for it anew")
    try:
        reports = inbound_spool.checked(body.reports, now=asked.engine.now())
    except ValueError as error:
        raise bodies.BadBodyError(str(error)) from error
    heard = await asked.engine.told(body.source, reports)
    return {"taken": heard.taken, "unknown": heard.unknown}


async def _report(asked: Asked, by: str) -> Any:
    report = await _read_report(asked, by)
    key = job_key(asked.engine.catalog.checks, report.key)
    await asked.engine.job_event(
        key,
        report.event,
        exit_code=report.exit_code,
        output=report.output,
        at=report.at,
        by=report.by,
    )
    return {"key": key, "event": report.event}


async def _read_report(asked: Asked, by: str) -> Report:
    body = await read_body(asked.request, bodies.LONGEST)
    fields = bodies.parse(bodies.JobReport, body).model_dump()
    try:
        return checked(fields, by=by, now=asked.engine.now())
    except ValueError as error:
        raise bodies.BadBodyError(str(error)) from error


REPORTS = (
    Route("POST", "/v1/link", Right.LINK, link, "what a signed link is for", body=bodies.LinkShow),
    Route(
        "POST",
        "/v1/link/use",
        Right.LINK,
        use_link,
        "approve or deny by it, once",
        body=bodies.LinkUse,
    ),
    Route(
        "POST", "/v1/jobs/report", Right.OPERATE, job, "a job's start or end", body=bodies.JobReport
    ),
    Route(
        "POST", "/v1/ping", Right.PING, ping, "the same, from monitord-web", body=bodies.JobReport
    ),
    Route(
        "POST",
        "/v1/inbound",
        Right.PING,
        told,
        "results of passive checks, from monitord-web",
        body=bodies.Inbound,
    ),
)
