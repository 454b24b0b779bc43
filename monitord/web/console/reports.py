"""The reports of months: pages that print well, and the same as a table for spreadsheets.

What is counted is the core's; here it is only arranged.
"""

import asyncio
from datetime import UTC, datetime

from starlette.responses import Response

from monitord.web.console.asked import Asked, Page
from monitord.web.console.render import in_address

_MONTHS = 13


async def newest(asked: Asked) -> Response:
    """GET /reports: the last month that is over."""
    return await _month(asked, "")


async def month(asked: Asked) -> Response:
    """GET /reports/{month}."""
    return await _month(asked, asked.request.path_params["month"])


async def _month(asked: Asked, wanted: str) -> Response:
    found = await asked.get("/v1/reports", month=wanted or None)
    return asked.page("report.html", one=found, months=_months())


async def table(asked: Asked) -> Response:
    """GET /reports/{month}/csv."""
    wanted = asked.request.path_params["month"]
    text = await asyncio.to_thread(asked.core.text, "/v1/reports.csv", month=wanted)
    return _file(text, f"monitord-{wanted}.csv", "text/csv")


async def account(asked: Asked) -> Response:
    """GET /reports/{month}/account/{service}: the text whose SHA-256 is the seal."""
    wanted = asked.request.path_params
    of = {"month": wanted["month"], "service": wanted["service"]}
    seal = asked.request.query_params.get("seal")
    found = await asked.get("/v1/reports/account", **of, seal=seal)
    name = f"{wanted['month']}-{found['seal'][:16]}.json"
    return _file(found["account"].encode(errors="replace"), name, "application/json")


def _file(text: bytes, name: str, kind: str) -> Response:
    """Give something to keep, under a name that can stand in a header whatever is in it."""
    headers = {"content-disposition": f'attachment; filename="{in_address(name)}"'}
    return Response(text, media_type=kind, headers=headers)


def _months() -> list[str]:
    """Give this month and those before it, the newest first."""
    now = datetime.now(UTC)
    first = now.year * 12 + now.month - 1
    return [f"{n // 12:04}-{n % 12 + 1:02}" for n in range(first, first - _MONTHS, -1)]


REPORTS = (
    Page("GET", "/reports", "viewer", newest),
    Page("GET", "/reports/{month}", "viewer", month),
    Page("GET", "/reports/{month}/csv", "viewer", table),
    Page("GET", "/reports/{month}/account/{service}", "viewer", account),
)
