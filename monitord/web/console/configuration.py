"""The pages of the configuration: what holds and where it is written, and what a reload would do.

A reload is done only for the plan that was shown. Reading and judging files is the core's.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from monitord.control import CoreSaysNoError
from monitord.web.console.asked import Asked, Page

_LONGEST = 300
_MISTAKES = 422  # what the core answers where files cannot be used
_MOST_CHECKS = 500


async def configuration(asked: Asked) -> Response:
    """GET /configuration: warnings, and of one check, service or host what holds and by which line.

    `key` names it.
    """
    key = asked.request.query_params.get("key", "").strip()[:_LONGEST]
    running = await asked.get("/v1/status")
    rows: list[dict[str, Any]] = []
    checks: list[dict[str, Any]] = []
    if key:
        rows, checks = await _of(asked, key)
    return asked.page("configuration.html", running=running, key=key, rows=rows, checks=checks)


async def _of(asked: Asked, key: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Give the values of a check or service, or the checks of a host."""
    if "/" not in key:
        hosts = await asked.get("/v1/hosts", host=key)
        if hosts["hosts"]:
            found = await asked.get("/v1/checks", select=f"host={key}", limit=_MOST_CHECKS)
            return [], found["checks"]
    return (await asked.get(f"/v1/explain/{key}"))["config"], []


async def plan(asked: Asked) -> Response:
    """GET /configuration/plan: what a reload would change now."""
    return await _plan(asked)


async def _plan(asked: Asked, *, differs: bool = False) -> Response:
    try:
        lines = (await asked.get("/v1/plan"))["lines"]
    except CoreSaysNoError as error:
        if error.status != _MISTAKES:
            raise
        return asked.page("reload.html", mistakes=error.problems, lines=[], seal="", differs=False)
    return asked.page("reload.html", mistakes=(), lines=lines, seal=_seal(lines), differs=differs)


async def reload(asked: Asked) -> Response:
    """POST /do/reload: what was shown; where the files are others by now, that is shown first."""
    form = await asked.form()
    lines = (await asked.get("/v1/plan"))["lines"]
    if _seal(lines) != form.get("seal"):
        return await _plan(asked, differs=True)
    done = await asked.post("/v1/reload", {})
    count = len(done["lines"])
    said = "1 line of the plan" if count == 1 else f"{count} lines of the plan"
    return asked.back(f"reloaded: {said}" if count else "reloaded: nothing changed")


def _seal(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode(errors="replace")).hexdigest()


CONFIGURATION = (
    Page("GET", "/configuration", "viewer", configuration),
    Page("GET", "/configuration/plan", "admin", plan),
    Page("POST", "/do/reload", "admin", reload),
)
