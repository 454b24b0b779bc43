"""Chains: views and routes. Views read rows, for the API and for the command line without a core.

What people order of a run is written by the engine, in their name.
"""

from collections.abc import Mapping
from typing import Any

from monitord.api import bodies
from monitord.api.access import Right
from monitord.api.bodies import Body, Text
from monitord.api.routes import Asked, Route
from monitord.config.names import nearest
from monitord.decisions import chains
from monitord.decisions.ticket_document import iso
from monitord.errors import NotFoundError
from monitord.model.catalog import Catalog
from monitord.model.chain import Chain, ChainRecord, ChainRun, LinkStatus, RunStatus
from monitord.model.ids import CheckKey, Instant
from monitord.model.result import Status
from monitord.serving import read_body
from monitord.store.chain_record import read
from monitord.store.contract import View

_PAST = 14  # runs that are shown


class OfLink(Body):
    """POST /v1/chains/{host}/{name}/rerun and /skip."""

    link: Text
    reason: Text


class OfRun(Body):
    """POST /v1/chains/{host}/{name}/hold and /go."""

    reason: Text


def listed(view: View, catalog: Catalog, *, now: Instant) -> dict[str, Any]:
    """Give every chain with how it stands."""
    known = chains.of_catalog(catalog)
    return {"chains": [_summary(chain, read(view, chain), now) for chain in known.values()]}


def document(view: View, catalog: Catalog, key: str, *, now: Instant) -> dict[str, Any]:
    """Give a chain: its run, each link with its times and forecast, and its last runs.

    Raises:
        NotFoundError: there is none of this key.
    """
    known = chains.of_catalog(catalog)
    chain = known.get(CheckKey(key))
    if chain is None:
        raise NotFoundError(f"there is no chain {key}{nearest(key, known)}")
    record = read(view, chain)
    ends = chains.forecast(chain, record, now)
    runs = [_run(run) for run in view.chain_runs(chain.key, limit=_PAST)]
    links = [_link(name, chain, record, ends) for name in chain.jobs]
    return {**_summary(chain, record, now), "links": links, "runs": runs}


def _summary(chain: Chain, record: ChainRecord, now: Instant) -> dict[str, Any]:
    wrong = sorted(chains.judge(chain, record, now), key=lambda one: -one[0])
    running = record.run is not None and record.run.status is RunStatus.RUNNING
    said = "; ".join(text for _, text in wrong)
    return {
        "key": chain.key,
        "name": chain.key.partition("/")[2],
        "status": (wrong[0][0] if wrong else Status.OK).name,
        "summary": said or chains.good(chain, record, now),
        "timezone": chain.timezone,
        "days": chain.days,
        "run": _run(record.run) if record.run else None,
        "ready_at": iso(chains.ends_at(chain, record, now)) if running else None,
    }


def _run(run: ChainRun) -> dict[str, Any]:
    times = {name: iso(getattr(run, name)) for name in ("starts", "done_by", "started", "ended")}
    return {
        "business_date": run.business_date,
        "status": str(run.status),
        **times,
        "held_by": run.held_by if run.held else "",
        "reason": run.reason,
    }


def _link(
    name: str, chain: Chain, record: ChainRecord, ends: Mapping[str, Instant]
) -> dict[str, Any]:
    job, rows = chain.jobs[name], {link.name: link for link in record.links}
    row, takes = rows.get(name), chains.usual(job, record.usual)
    on = record.run is not None and record.run.status is RunStatus.RUNNING
    return {
        "name": name,
        "status": str(row.status if row else LinkStatus.WAITING),
        "after": list(job.after),
        "watched": not job.run,
        "rerun": job.rerun,
        "started": iso(row.started) if row else None,
        "ended": iso(row.ended) if row else None,
        "usual_s": takes.total_seconds() if takes is not None else None,
        "expected": iso(ends.get(name)) if on else None,
        "exit_code": row.exit_code if row else None,
        "tries": row.tries if row else 0,
        "waiting_for": row.waiting_for if row else "",
        "by": row.by if row else "",
        "output": row.output if row else "",
    }


async def every(asked: Asked) -> Any:
    """GET /v1/chains."""
    engine = asked.engine
    now = engine.now()
    return await engine.store.read(lambda view: listed(view, engine.catalog, now=now))


async def one(asked: Asked) -> Any:
    """GET /v1/chains/{host}/{name}."""
    engine, key = asked.engine, _key(asked)
    now = engine.now()
    return await engine.store.read(lambda view: document(view, engine.catalog, key, now=now))


async def preview(asked: Asked) -> Any:
    """GET /v1/chains/{host}/{name}/preview?link=…&deed=rerun."""
    wanted = asked.request.query_params
    link, deed = wanted.get("link", ""), wanted.get("deed", "rerun")
    return dict(await asked.engine.chains.preview(_key(asked), link, deed))


async def rerun(asked: Asked) -> Any:
    """POST /v1/chains/{host}/{name}/rerun."""
    body = bodies.parse(OfLink, await read_body(asked.request, bodies.LONGEST))
    said = {"by": asked.person.name, "reason": body.reason}
    await asked.engine.chains.rerun(_key(asked), body.link, **said)
    return {"rerun": body.link}


async def skip(asked: Asked) -> Any:
    """POST /v1/chains/{host}/{name}/skip."""
    body = bodies.parse(OfLink, await read_body(asked.request, bodies.LONGEST))
    said = {"by": asked.person.name, "reason": body.reason}
    await asked.engine.chains.skip(_key(asked), body.link, **said)
    return {"skipped": body.link}


async def hold(asked: Asked) -> Any:
    """POST /v1/chains/{host}/{name}/hold."""
    return await _hold(asked, on=True)


async def go(asked: Asked) -> Any:
    """POST /v1/chains/{host}/{name}/go."""
    return await _hold(asked, on=False)


async def _hold(asked: Asked, *, on: bool) -> Any:
    body = bodies.parse(OfRun, await read_body(asked.request, bodies.LONGEST))
    await asked.engine.chains.hold(_key(asked), on=on, by=asked.person.name, reason=body.reason)
    return {"held": on}


def _key(asked: Asked) -> str:
    path = asked.request.path_params
    return f"{path['host']}/{path['name']}"


_ONE = "/v1/chains/{host}/{name}"
CHAINS: tuple[Route, ...] = (
    Route("GET", "/v1/chains", Right.READ, every, "chains, and how they stand"),
    Route("GET", _ONE, Right.READ, one, "one chain: its run, links, forecast, last runs"),
    Route(
        "GET",
        f"{_ONE}/preview",
        Right.READ,
        preview,
        "what `deed` (rerun, skip) of `link` would do",
        query=("link", "deed"),
    ),
    Route("POST", f"{_ONE}/rerun", Right.OPERATE, rerun, "run a failed link again", body=OfLink),
    Route("POST", f"{_ONE}/skip", Right.OPERATE, skip, "count a link as done", body=OfLink),
    Route("POST", f"{_ONE}/hold", Right.OPERATE, hold, "start nothing more of it", body=OfRun),
    Route("POST", f"{_ONE}/go", Right.OPERATE, go, "let a held chain go on", body=OfRun),
)
