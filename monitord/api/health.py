"""The routes by which machines watch monitord itself: does it run, is it ready, its metrics."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from monitord.api import ledger, views
from monitord.api.access import Right
from monitord.api.routes import Asked, Route
from monitord.clock import after
from monitord.decisions.ledger import Line
from monitord.errors import StoreError
from monitord.metrics import Snapshot, render

_WORTH_FOR = timedelta(minutes=1)
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def metrics(asked: Asked) -> Response:
    """GET /metrics: `checks=1` adds a series per check."""
    engine, now = asked.engine, asked.engine.now()
    try:
        worth = await _worth(asked)
        rows = await engine.store.read(lambda view: views.count(view, now=now))
        rows = replace(rows, runbooks=worth)
    except StoreError:
        rows = None  # the text says monitord_store_up 0
    snapshot = Snapshot(
        engine.counters,
        engine.states(),
        len(engine.catalog.hosts),
        len(engine.catalog.checks),
        engine.health(),
        rows,
        engine.catalog.settings.instance,
        asked.request.query_params.get("checks") == "1",
    )
    return Response(await asyncio.to_thread(render, snapshot), media_type=_METRICS_TYPE)


async def _worth(asked: Asked) -> Sequence[Line]:
    """Give what runbooks are worth, read once a minute: it goes through a month of rows."""
    engine, kept = asked.engine, asked.request.app.state
    now = engine.now()
    at, lines = getattr(kept, "worth", (None, ()))
    if at is None or not at <= now < after(at, _WORTH_FOR):
        lines = await engine.store.read(lambda view: ledger.by_runbook(view, now=now))
        kept.worth = (now, lines)
    return lines


async def healthz(asked: Asked) -> Any:
    """GET /healthz: the core runs; its problems are told, not judged."""
    return {"ok": True, "problems": list(asked.engine.health().problems)}


async def readyz(asked: Asked) -> Any:
    """GET /readyz: 200 once checks are watched and the database and the executor answer."""
    counters = asked.engine.counters
    missing = [
        text
        for text, up in (
            ("the database does not take rows", counters.store_up),
            ("the executor does not answer", counters.executor_up),
            ("no check has run yet", counters.checks_run > 0),
        )
        if not up
    ]
    if missing:
        raise StoreError(f"not ready: {', '.join(missing)}; `monitord status` says more")
    return {"ok": True}


HEALTH = (
    Route("GET", "/healthz", Right.READ, healthz, "the core runs"),
    Route("GET", "/readyz", Right.READ, readyz, "it watches, stores and can act"),
    Route(
        "GET",
        "/metrics",
        Right.READ,
        metrics,
        "Prometheus text; `checks=1` per check",
        query=("checks",),
    ),
)
