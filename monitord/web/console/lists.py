"""The pages of incidents, tickets and orders: lists that are filtered on the server, and deeds.

What is shown and done is the core's; a page only arranges it.
"""

from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from monitord.web.console.asked import Asked, BadFormError, Page
from monitord.web.console.doing import after

_SHOWN = 500


async def incidents(asked: Asked) -> Response:
    """GET /incidents: `q` (words that must all stand in it), `all=1` also what is closed."""
    wanted = asked.request.query_params
    every, words = wanted.get("all") == "1", wanted.get("q", "")[:200]
    answer = await asked.get("/v1/incidents", limit=1000, all="1" if every else None)
    found = [one for one in answer["incidents"][::-1] if _holds(one, words)]
    return asked.page(
        "incidents.html", rows=found[:_SHOWN], total=len(found), words=words, every=every
    )


async def tickets(asked: Asked) -> Response:
    """GET /tickets."""
    wanted = asked.request.query_params
    every, words = wanted.get("all") == "1", wanted.get("q", "")[:200]
    answer = await asked.get("/v1/tickets", limit=1000, all="1" if every else None)
    found = [one for one in answer["tickets"][::-1] if _holds(one, words)]
    return asked.page(
        "tickets.html", rows=found[:_SHOWN], total=len(found), words=words, every=every
    )


async def ticket(asked: Asked) -> Response:
    """GET /tickets/{id}: as the people of the ticket system read it."""
    found = await asked.get(f"/v1/tickets/{asked.request.path_params['id']}")
    return asked.page("ticket.html", one=found)


async def orders(asked: Asked) -> Response:
    """GET /maintenance: every order in force or to come, and what it keeps from people."""
    every = asked.request.query_params.get("all") == "1"
    answer = await asked.get("/v1/orders", all="1", limit=1000)
    now = datetime.now(UTC)
    rows = [one for one in answer["orders"][::-1] if every or counts(one, now)]
    return asked.page("orders.html", rows=rows, hidden=answer["hidden"], every=every)


async def preview(asked: Asked) -> Response:
    """GET /maintenance/preview: what an order would touch, before it is given."""
    wanted = asked.request.query_params
    selector, verb = wanted.get("selector", ""), wanted.get("verb", "")
    if verb not in ("ack", "take", "mute", "maintenance", "halt"):
        raise BadFormError("choose what to do: ack, take, mute, maintenance or halt")
    touches = (await asked.get("/v1/preview", selector=selector))["touches"]
    facts = {name: wanted.get(name, "") for name in ("reason", "for", "in", "excused")}
    return asked.page("preview.html", verb=verb, selector=selector, touches=touches, given=facts)


async def maintenance(asked: Asked) -> Response:
    """POST /do/maintenance: an order that may begin later."""
    form = await asked.form()
    starts = after(form["in"]) if form.get("in") else datetime.now(UTC)
    body: dict[str, Any] = {
        "selector": form.get("selector", ""),
        "reason": form.get("reason", ""),
        "starts": starts.isoformat(timespec="seconds"),
        "expires": after(form.get("for", ""), starts).isoformat(timespec="seconds"),
    }
    if form.get("excused") == "1":
        body["excused"] = True
    answer = await asked.post("/v1/maintenance", body)
    return asked.back(f"maintenance of {body['selector']}: {len(answer['touches'])} checks")


def counts(order: dict[str, Any], now: datetime) -> bool:
    """Tell whether an order is in force or to come."""
    return order["ended"] is None and datetime.fromisoformat(order["expires"]) > now


def _holds(row: dict[str, Any], words: str) -> bool:
    text = " ".join(str(value) for value in row.values()).lower()
    return all(word in text for word in words.lower().split())


LISTS = (
    Page("GET", "/incidents", "viewer", incidents),
    Page("GET", "/tickets", "viewer", tickets),
    Page("GET", "/tickets/{id:int}", "viewer", ticket),
    Page("GET", "/maintenance", "viewer", orders),
    Page("GET", "/maintenance/preview", "responder", preview),
    Page("POST", "/do/maintenance", "operator", maintenance),
)
