"""The page of one incident, its review, and what people do there; the plan of a repair first.

What is known of it and what a deed does is the core's; people act as the user that is logged in.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from monitord.control import CoreSaysNoError
from monitord.web.console.asked import Asked, Page
from monitord.web.console.doing import after
from monitord.web.console.looking import around

_AROUND = timedelta(hours=1)  # drawn before the first failed probe, and after the end
_NO_SUCH, _CANNOT = 404, 400


async def incident(asked: Asked) -> Response:
    """GET /incidents/{id}."""
    number = asked.request.path_params["id"]
    found = await asked.get(f"/v1/incidents/{number}")
    waits = [one["attempt"] for one in found["attempts"] if one["status"] == "APPROVAL"]
    ticket, clocks, explained, history, *plans = await asyncio.gather(
        _ticket(asked, found),
        _clocks(asked, found),
        _explained(asked, found),
        _history(asked, found),
        *(asked.get(f"/v1/attempts/{one}") for one in waits),
    )
    return asked.page(
        "incident.html",
        one=found,
        ticket=ticket,
        clocks=clocks,
        explained=explained,
        history=history,
        plans=plans,
    )


async def _ticket(asked: Asked, incident: Mapping[str, Any]) -> Any:
    return await asked.get(f"/v1/tickets/{incident['ticket']}") if incident["ticket"] else None


async def _clocks(asked: Asked, incident: Mapping[str, Any]) -> Any:
    """Give the clocks of what has no ticket that would tell them."""
    if incident["ticket"]:
        return []
    rows = (await asked.get("/v1/sla", incident=incident["incident"]))["incidents"]
    return rows[0]["clocks"] if rows else []


async def _explained(asked: Asked, incident: Mapping[str, Any]) -> Any:
    try:
        return await asked.get(f"/v1/explain/{incident['key']}", config=0)
    except CoreSaysNoError as error:
        if error.status not in (_NO_SUCH, _CANNOT):
            raise
        return None  # an outage of many is no check


async def _history(asked: Asked, incident: Mapping[str, Any]) -> Any:
    """Give the time around the fault of its first item; None where nothing is known of it."""
    now = datetime.now(UTC)
    over = incident["resolved"] or incident["closed"]
    start = datetime.fromisoformat(incident["first_failed"]) - _AROUND
    end = min(now, datetime.fromisoformat(over) + _AROUND) if over else now
    key = next(iter(incident["items"]), incident["key"])
    return await around(asked, key, start, end) if start < end else None


async def review(asked: Asked) -> Response:
    """GET /incidents/{id}/review: the Markdown as it is."""
    number = asked.request.path_params["id"]
    answer = await asked.get(f"/v1/incidents/{number}/review")
    return asked.page("review.html", number=number, markdown=answer["markdown"])


async def reviewed(asked: Asked) -> Response:
    """GET /incidents/{id}/review.md: the same as a file."""
    number = asked.request.path_params["id"]
    answer = await asked.get(f"/v1/incidents/{number}/review")
    name = f'attachment; filename="incident-{number}.md"'
    body = answer["markdown"].encode(errors="replace")
    return Response(body, media_type="text/markdown", headers={"content-disposition": name})


async def plan(asked: Asked) -> Response:
    """GET /plan/{key}: what a repair would do and what the guards say; `runbook` is which rung."""
    key, wanted = asked.request.path_params["key"], asked.request.query_params
    body = {"key": key, **({"runbook": wanted["runbook"]} if wanted.get("runbook") else {})}
    found = await asked.post("/v1/remediate", {**body, "dry_run": True})
    return asked.page("plan.html", one=found, refused=[v for v in found["guards"] if not v["ok"]])


async def remediate(asked: Asked) -> Response:
    """POST /do/remediate: start a repair whose plan was shown."""
    form = await asked.form()
    body = {"key": form.get("key", ""), "runbook": form.get("runbook", ""), "dry_run": False}
    answer = await asked.post("/v1/remediate", body)
    return asked.back(f"{answer['runbook']} has begun: attempt {answer['started']}")


async def call_next(asked: Asked) -> Response:
    """POST /do/incidents/{id}/next."""
    form = await asked.form()
    told = await asked.post(_route(asked, "next"), {"reason": form.get("reason", "")})
    names = ", ".join([*told["people"], *(f"vendor {name}" for name in told["vendors"])])
    return asked.back(f"{told['tier']} is told: {names}")


async def pause(asked: Asked) -> Response:
    """POST /do/incidents/{id}/pause: its clocks stand still, for so long."""
    form = await asked.form()
    expires = after(form.get("for", "")).isoformat(timespec="seconds")
    body = {"reason": form.get("reason", ""), "vendor": form.get("vendor", ""), "expires": expires}
    await asked.post(_route(asked, "pause"), body)
    return asked.back(f"its clocks stand still until {expires[:16]} UTC")


async def resume(asked: Asked) -> Response:
    """POST /do/incidents/{id}/resume."""
    await asked.form()
    await asked.post(_route(asked, "resume"), {})
    return asked.back("its clocks go on")


async def answered(asked: Asked) -> Response:
    """POST /do/incidents/{id}/answered."""
    form = await asked.form()
    await asked.post(_route(asked, "answered"), {"vendor": form.get("vendor", "")})
    return asked.back("noted: the vendor is at work")


async def deadline(asked: Asked) -> Response:
    """POST /do/incidents/{id}/deadline: from now so long; an empty one: there is none any more."""
    form = await asked.form()
    at = after(form["in"]).isoformat(timespec="seconds") if form.get("in") else None
    body = {"at": at, "whose": form.get("whose", ""), "reason": form.get("reason", "")}
    await asked.post(_route(asked, "deadline"), body)
    return asked.back(f"wanted by {at[:16]} UTC" if at else "it has no deadline any more")


async def wrong(asked: Asked) -> Response:
    """POST /do/attempts/{id}/wrong."""
    form, number = await asked.form(), asked.request.path_params["id"]
    body = {"reason": form.get("reason", "")}
    answer = await asked.post(f"/v1/attempts/{number}/wrong", body)
    became = "it is being undone" if answer["undone"] else f"not undone: {answer['why_not_undone']}"
    return asked.back(f"attempt {number} counts as wrong; {became}")


def _route(asked: Asked, word: str) -> str:
    return f"/v1/incidents/{asked.request.path_params['id']}/{word}"


INCIDENT = (
    Page("GET", "/incidents/{id:int}", "viewer", incident),
    Page("GET", "/incidents/{id:int}/review", "viewer", review),
    Page("GET", "/incidents/{id:int}/review.md", "viewer", reviewed),
    Page("GET", "/plan/{key:path}", "operator", plan),
    Page("POST", "/do/remediate", "operator", remediate),
    Page("POST", "/do/incidents/{id:int}/next", "responder", call_next),
    Page("POST", "/do/incidents/{id:int}/pause", "operator", pause),
    Page("POST", "/do/incidents/{id:int}/resume", "operator", resume),
    Page("POST", "/do/incidents/{id:int}/answered", "responder", answered),
    Page("POST", "/do/incidents/{id:int}/deadline", "operator", deadline),
    Page("POST", "/do/attempts/{id:int}/wrong", "responder", wrong),
)
