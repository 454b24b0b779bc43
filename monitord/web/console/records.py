"""The pages of the record: who did what, and whether the chain that keeps it holds.

What is found and whether it holds is the core's to say.
"""

from urllib.parse import urlencode

from starlette.responses import Response

from monitord.web.console.asked import Asked, Page

_SHOWN = 100
_LONGEST = 200


async def audit(asked: Asked) -> Response:
    """GET /audit: the newest first, narrowed by `actor`, `act` and `text`; `before` goes on."""
    wanted = asked.request.query_params
    only = {name: wanted.get(name, "")[:_LONGEST] for name in ("actor", "act", "text")}
    before = wanted.get("before") or None
    answer = await asked.get("/v1/audit", newest=1, limit=_SHOWN, before=before, **only)
    given = {name: value for name, value in only.items() if value}
    older = answer["next"] and urlencode({**given, "before": answer["next"]}, errors="replace")
    return asked.page("audit.html", rows=answer["rows"], only=only, older=older, paged=before)


async def verify(asked: Asked) -> Response:
    """GET /audit/verify: every link looked at; `head` is a digest that was noted before."""
    head = asked.request.query_params.get("head", "")[:_LONGEST]
    answer = await asked.get("/v1/audit/verify", head=head or None)
    return asked.page("verify.html", found=answer, head=head)


RECORDS = (
    Page("GET", "/audit", "viewer", audit),
    Page("GET", "/audit/verify", "admin", verify),
)
