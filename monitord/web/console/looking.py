"""The pages of what is watched: a check with its charts, a host; and the data that charts draw.

All of it is the core's; here it is put into the shape of a page.
"""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from monitord.control import CoreSaysNoError
from monitord.web.console import charts
from monitord.web.console.asked import Asked, BadFormError, Page
from monitord.web.console.lists import counts

LASTS: Mapping[str, tuple[str, timedelta]] = MappingProxyType(
    {
        "3h": ("3 hours", timedelta(hours=3)),
        "24h": ("24 hours", timedelta(hours=24)),
        "7d": ("7 days", timedelta(days=7)),
        "30d": ("30 days", timedelta(days=30)),
    }
)
"""The times that a check's page offers: its name, and how long it is."""

_ROWS = 24  # of the table that tells the same as a chart
_CHARTS = 4  # drawn at once; of the other measurements one is chosen
_CLOSED = 10  # incidents of a host that are over
_NO_SUCH = 404


async def check(asked: Asked) -> Response:
    """GET /checks/{key}: a check or one item of it; `last` is how far back, `measurement` which."""
    key = asked.request.path_params["key"]
    explained = await asked.get(f"/v1/explain/{key}", config=0)
    name = explained["key"]
    if "state" not in explained:
        return RedirectResponse(f"/services/{quote(name, errors='replace')}", status_code=303)
    listed, incidents = await asyncio.gather(
        asked.get("/v1/checks", select=name, limit=1), asked.get("/v1/incidents", limit=1000)
    )
    found = next(iter(listed["checks"]), {"items": [], "host": name.partition("/")[0]})
    items = [one["key"] for one in found["items"]]
    shown = key if key in items or not items else items[0]
    return asked.page(
        "check.html",
        key=name,
        one=explained,
        check=found,
        item=shown,
        incidents=[row for row in incidents["incidents"] if row["key"] == name],
        history=await _last(asked, shown),
    )


async def _last(asked: Asked, key: str) -> dict[str, Any]:
    """Give the history of the time that is asked for, and what else there is to choose."""
    wanted = asked.request.query_params
    last = wanted.get("last", "24h")
    if last not in LASTS:
        raise BadFormError(f"last: choose {', '.join(LASTS)}")
    end = datetime.now(UTC)
    chosen = wanted.get("measurement", "")[:200]
    told = await history(asked, key, end - LASTS[last][1], end, chosen)
    return {**told, "last": last, "lasts": LASTS, "chosen": chosen}


async def history(
    asked: Asked, key: str, start: datetime, end: datetime, chosen: str = ""
) -> dict[str, Any]:
    """Give a history for templates/charts.html; the charts ask for their points themselves."""
    query: dict[str, str | int | None] = {
        "from": _iso(start),
        "to": _iso(end),
        "points": _ROWS,
        "measurement": chosen or None,
    }
    answer = await asked.get(f"/v1/history/{key}", **query)
    names = [one["name"] for one in answer["measurements"]]
    return {
        "key": key,
        "from": answer["from"],
        "to": answer["to"],
        "measurements": answer["measurements"],
        "drawn": [chosen] if chosen else names[:_CHARTS],
        "measurement": answer["measurement"],
        "rows": charts.table(answer),
        "bands": charts.bands(answer),
        "shares": charts.shares(answer),
        "not_ok": charts.not_ok(answer),
    }


async def around(asked: Asked, key: str, start: datetime, end: datetime) -> dict[str, Any] | None:
    """Give a history as `history` does; None where nothing is known of the key."""
    try:
        return await history(asked, key, start, end)
    except CoreSaysNoError as error:
        if error.status != _NO_SUCH:
            raise
        return None


async def drawn(asked: Asked) -> Response:
    """GET /data/history/{key}: one measurement in columns, as charts.js draws it."""
    key, wanted = asked.request.path_params["key"], asked.request.query_params
    query = {name: wanted.get(name) for name in ("measurement", "from", "to", "points")}
    answer = await asked.get(f"/v1/history/{key}", **query)
    text = json.dumps(charts.columns(answer), allow_nan=False)
    # A browser that shows it as a page after all must find no element in it.
    return Response(text.replace("<", "\\u003c"), media_type="application/json")


async def host(asked: Asked) -> Response:
    """GET /hosts/{name}."""
    name = asked.request.path_params["name"]
    hosts, orders, answer, incidents = await asyncio.gather(
        asked.get("/v1/hosts", host=name),
        _orders(asked, name),
        asked.get("/v1/checks", host=name, limit=1000),
        asked.get("/v1/incidents", all="1", limit=1000),
    )
    own = [one for one in incidents["incidents"][::-1] if one["host"] == name]
    live = [one for one in own if not one["closed"]]
    return asked.page(
        "host.html",
        name=name,
        host=next(iter(hosts["hosts"]), None),
        checks=answer["checks"],
        orders=orders,
        live=live,
        closed=[one for one in own if one["closed"]][:_CLOSED],
    )


async def _orders(asked: Asked, host: str) -> list[dict[str, Any]]:
    """Give the orders in force or to come that bear on a host; none of one that is not there."""
    try:
        answer = await asked.get("/v1/orders", host=host, all="1", limit=1000)
    except CoreSaysNoError as error:
        if error.status != _NO_SUCH:
            raise
        return []
    now = datetime.now(UTC)
    return [one for one in answer["orders"][::-1] if counts(one, now)]


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


LOOKING = (
    Page("GET", "/checks/{key:path}", "viewer", check),
    Page("GET", "/data/history/{key:path}", "viewer", drawn),
    Page("GET", "/hosts/{name}", "viewer", host),
)
