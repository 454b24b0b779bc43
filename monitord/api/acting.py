"""The routes by which a person commands. Each hands one call to the engine in the person's name.

An order must touch something: a selector that matches nothing is most often a typing mistake, and a
halt that halts nothing is worse than none. What an order means is decided in the engine.
"""

import asyncio
from typing import Any

from monitord.api import bodies, shapes
from monitord.api.access import Right
from monitord.api.routes import Asked, Handler, Route, row_number
from monitord.clock import as_instant
from monitord.decisions.ticket_document import iso
from monitord.errors import CommandRefusedError
from monitord.model.ids import AttemptId, IncidentId, Instant, StateKey
from monitord.model.ticket import Order, Verb
from monitord.serving import read_body


async def _body(asked: Asked, shape: type[bodies.B]) -> bodies.B:
    return bodies.parse(shape, await read_body(asked.request, bodies.LONGEST))


async def _touched(asked: Asked, selector: str) -> list[str]:
    touches = await asyncio.to_thread(asked.engine.orders.preview, selector)
    if not touches and selector != "*":
        raise CommandRefusedError(f"{selector!r} selects no check; `monitord checks` lists them")
    return touches


def _future(asked: Asked, expires: Instant) -> Instant:
    if expires <= asked.engine.now():
        raise CommandRefusedError("the expiry has passed already; give a later one")
    return expires


def _ordered(asked: Asked, order: Order, touches: list[str]) -> dict[str, Any]:
    return {"order": shapes.order(order, now=asked.engine.now()), "touches": touches}


def _order(verb: Verb) -> Handler:
    """Give the handler of an order that begins now and asks nothing special."""

    async def give(asked: Asked) -> Any:
        body = await _body(asked, bodies.Order)
        touches = await _touched(asked, body.selector)
        expires = _future(asked, as_instant(body.expires))
        order = await asked.engine.orders.give(
            verb, body.selector, by=asked.person.name, reason=body.reason, expires=expires
        )
        return _ordered(asked, order, touches)

    return give


async def maintenance(asked: Asked) -> Any:
    """POST /v1/maintenance."""
    body = await _body(asked, bodies.Maintenance)
    touches = await _touched(asked, body.selector)
    starts = as_instant(body.starts) if body.starts else asked.engine.now()
    expires = _future(asked, as_instant(body.expires))
    if expires <= starts:
        raise CommandRefusedError("the maintenance ends before it starts; give a later end")
    order = await asked.engine.orders.give(
        Verb.MAINTENANCE,
        body.selector,
        by=asked.person.name,
        reason=body.reason,
        starts=starts,
        expires=expires,
        until_ok=body.until_ok,
        excused=body.excused,
    )
    return _ordered(asked, order, touches)


async def halt(asked: Asked) -> Any:
    """POST /v1/halt."""
    body = await _body(asked, bodies.Halt)
    touches = await _touched(asked, body.selector)
    expires = _future(asked, as_instant(body.expires))
    order = await asked.engine.orders.give(
        Verb.HALT, body.selector, by=asked.person.name, reason=body.reason, expires=expires
    )
    killed = await asked.engine.halt_now(by=asked.person.name) if body.now else []
    return {**_ordered(asked, order, touches), "killed": killed}


async def resume(asked: Asked) -> Any:
    """POST /v1/resume."""
    body = await _body(asked, bodies.Resume)
    own = Right.OPERATE not in asked.person.rights
    ended = await asked.engine.orders.end(
        body.what, by=asked.person.name, verb=Verb(body.verb), own=own
    )
    return {"ended": [shapes.order(order, now=asked.engine.now()) for order in ended]}


async def reload(asked: Asked) -> Any:
    """POST /v1/reload."""
    return {"lines": list(await asked.engine.reload(by=asked.person.name))}


async def close(asked: Asked) -> Any:
    """POST /v1/incidents/{id}/close."""
    body = await _body(asked, bodies.Close)
    number = IncidentId(row_number(asked, "incident"))
    by = asked.person.name
    await asked.engine.commands.close(number, by=by, reason=body.reason, cure=body.cure)
    return {"closed": number}


async def call_next(asked: Asked) -> Any:
    """POST /v1/incidents/{id}/next."""
    body = await _body(asked, bodies.Next)
    number = IncidentId(row_number(asked, "incident"))
    by, reason = asked.person.name, body.reason
    return dict(await asked.engine.handing.on(number, by=by, reason=reason))


async def run_check(asked: Asked) -> Any:
    """POST /v1/run-check."""
    body = await _body(asked, bodies.Key)
    results = await asked.engine.commands.run_check(body.key)
    return {"key": body.key, "results": [shapes.result(one) for one in results]}


async def remediate(asked: Asked) -> Any:
    """POST /v1/remediate."""
    body = await _body(asked, bodies.Remediate)
    return dict(
        await asked.engine.commands.remediate(
            body.key, body.runbook, dry_run=body.dry_run, by=asked.person.name
        )
    )


async def marker(asked: Asked) -> Any:
    """POST /v1/markers."""
    body = await _body(asked, bodies.Marker)
    touches = await _touched(asked, body.selector)
    kept = await asked.engine.mark(body.text, body.selector, by=asked.person.name)
    return {"marker": kept.id, "at": iso(kept.at), "touches": touches}


async def forget(asked: Asked) -> Any:
    """POST /v1/forget."""
    body = await _body(asked, bodies.Key)
    await asked.engine.commands.forget(StateKey(body.key), by=asked.person.name)
    return {"forgotten": body.key}


async def approve(asked: Asked) -> Any:
    """POST /v1/attempts/{id}/approve."""
    await _body(asked, bodies.Nothing)
    number = AttemptId(row_number(asked, "attempt"))
    await asked.engine.approvals.approve(number, by=asked.person.name)
    return {"approved": number}


async def deny(asked: Asked) -> Any:
    """POST /v1/attempts/{id}/deny."""
    body = await _body(asked, bodies.Close)
    number = AttemptId(row_number(asked, "attempt"))
    await asked.engine.approvals.deny(number, by=asked.person.name, reason=body.reason)
    return {"denied": number}


async def wrong(asked: Asked) -> Any:
    """POST /v1/attempts/{id}/wrong."""
    body = await _body(asked, bodies.Close)
    number = AttemptId(row_number(asked, "attempt"))
    why = await asked.engine.trusting.wrong(number, by=asked.person.name, reason=body.reason)
    return {"wrong": number, "undone": not why, "why_not_undone": why}


async def promote(asked: Asked) -> Any:
    """POST /v1/promote."""
    body = await _body(asked, bodies.Promote)
    mode = await asked.engine.trusting.promote(
        body.runbook, by=asked.person.name, reason=body.reason
    )
    return {"runbook": body.runbook, "mode": mode}


ACTING = (
    Route(
        "POST",
        "/v1/ack",
        Right.RESPOND,
        _order(Verb.ACK),
        "stop paging; repair goes on",
        body=bodies.Order,
    ),
    Route(
        "POST",
        "/v1/take",
        Right.RESPOND,
        _order(Verb.TAKE),
        "a person works on these hosts",
        body=bodies.Order,
    ),
    Route(
        "POST",
        "/v1/mute",
        Right.OPERATE,
        _order(Verb.MUTE),
        "no page, repair goes on",
        body=bodies.Order,
    ),
    Route(
        "POST",
        "/v1/maintenance",
        Right.OPERATE,
        maintenance,
        "neither act nor page",
        body=bodies.Maintenance,
    ),
    Route(
        "POST",
        "/v1/halt",
        Right.RESPOND,
        halt,
        "stop actions; `now` kills what runs",
        body=bodies.Halt,
    ),
    Route(
        "POST",
        "/v1/resume",
        Right.RESPOND,
        resume,
        "end an order; a responder one's own",
        body=bodies.Resume,
    ),
    Route("POST", "/v1/reload", Right.ADMIN, reload, "apply the configuration files"),
    Route(
        "POST",
        "/v1/incidents/{id:int}/close",
        Right.RESPOND,
        close,
        "close in your name",
        body=bodies.Close,
    ),
    Route(
        "POST",
        "/v1/incidents/{id:int}/next",
        Right.RESPOND,
        call_next,
        "hand it on at once",
        body=bodies.Next,
    ),
    Route("POST", "/v1/run-check", Right.RESPOND, run_check, "run one check now", body=bodies.Key),
    Route(
        "POST",
        "/v1/remediate",
        Right.OPERATE,
        remediate,
        "plan the next rung, or start it",
        body=bodies.Remediate,
    ),
    Route(
        "POST",
        "/v1/markers",
        Right.RESPOND,
        marker,
        "tell of a change, such as a deployment",
        body=bodies.Marker,
    ),
    Route(
        "POST",
        "/v1/forget",
        Right.ADMIN,
        forget,
        "drop the state of a vanished item",
        body=bodies.Key,
    ),
    Route(
        "POST",
        "/v1/attempts/{id:int}/approve",
        Right.RESPOND,
        approve,
        "let a plan run",
        body=bodies.Nothing,
    ),
    Route(
        "POST",
        "/v1/attempts/{id:int}/deny",
        Right.RESPOND,
        deny,
        "a person takes over instead",
        body=bodies.Close,
    ),
    Route(
        "POST",
        "/v1/attempts/{id:int}/wrong",
        Right.RESPOND,
        wrong,
        "call a repair wrong",
        body=bodies.Close,
    ),
    Route(
        "POST",
        "/v1/promote",
        Right.ADMIN,
        promote,
        "let a runbook do more by itself",
        body=bodies.Promote,
    ),
)
