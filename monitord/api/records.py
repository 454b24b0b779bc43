"""The routes of the audit chain: who did what, whether the chain holds, what breaks the invariants.

It reads rows and shapes them; what a chain is stands in store/chain.py.
"""

import re
from typing import Any

from monitord.api import shapes, views
from monitord.api.access import Right
from monitord.api.bodies import BadBodyError
from monitord.api.routes import Asked, Route, limit_of, number_of
from monitord.model.ticket import AuditRow
from monitord.store.chain import Break, walk
from monitord.store.contract import View

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SHOWN = 100  # breaks in one answer: the first is what matters
_LONGEST = 200


async def audit(asked: Asked) -> Any:
    """GET /v1/audit: links of the chain after `after`, oldest first; `newest=1` the other way.

    Newest first there is `before`, and `actor`, `act` and `text` narrow it.
    """
    limit, wanted = limit_of(asked), asked.request.query_params
    if wanted.get("newest") != "1":
        after = number_of(asked, "after", 0)
        rows = await asked.engine.store.read(lambda view: view.audit_rows(after, limit))
    else:
        before = number_of(asked, "before", 0)
        actor, act = wanted.get("actor", "")[:_LONGEST], wanted.get("act", "")[:_LONGEST]
        text = wanted.get("text", "")[:_LONGEST]
        rows = await asked.engine.store.read(
            lambda view: view.audit_found(
                before=before, limit=limit, actor=actor, act=act, text=text
            )
        )
    return {
        "rows": [shapes.audit_row(one) for one in rows],
        "next": rows[-1].id if len(rows) == limit else None,
    }


async def violations(asked: Asked) -> Any:
    """GET /v1/audit/violations: the invariants, proved over the journal now."""
    catalog = asked.engine.catalog
    return await asked.engine.store.read(lambda view: views.violations(view, catalog))


async def verify(asked: Asked) -> Any:
    """GET /v1/audit/verify: every link looked at; `head` is a digest that was noted before."""
    head = asked.request.query_params.get("head", "")
    return await asked.engine.store.read(lambda view: verified(view, head))


def verified(view: View, head: str = "") -> dict[str, Any]:
    """Give whether the chain holds, its first bad row, and its ends.

    Raises:
        BadBodyError: `head` is no digest.
    """
    head = head.strip().lower()
    if head and not _DIGEST.fullmatch(head):
        raise BadBodyError("head: a digest has 64 digits 0-9a-f; copy it whole, as it was sent")
    found = walk(view, [head] if head else [])
    breaks = [_break(view, one) for one in found.breaks[:_SHOWN]]
    known = None if not head else head in found.known
    return {
        "holds": not found.breaks and known is not False,
        "links": found.links,
        "broken": len(found.breaks),
        "first": breaks[0] if breaks else None,
        "breaks": breaks,
        "head_known": known,
        "ends": [{**shapes.audit_row(one), "node": one.node} for one in found.ends],
    }


def _break(view: View, of: Break) -> dict[str, Any]:
    rows: list[AuditRow] = view.audit_rows(of.link - 1, 1) if of.link else []
    return {"text": of.text, "row": shapes.audit_row(rows[0]) if rows else None}


RECORDS = (
    Route(
        "GET",
        "/v1/audit",
        Right.READ,
        audit,
        "links of the audit chain; `newest=1`, `actor`, `act`, `text`",
        query=("after", "limit", "newest", "before", "actor", "act", "text"),
    ),
    Route("GET", "/v1/audit/violations", Right.ADMIN, violations, "broken invariants"),
    Route(
        "GET",
        "/v1/audit/verify",
        Right.ADMIN,
        verify,
        "whether the chain holds, its first bad row; `head`",
        query=("head",),
    ),
)
