"""The pages of chains: all of them, one run as a table of its links, and what people order of it.

What is late or may be run again is the core's; an order is shown with its plan before it is given.
"""

from starlette.responses import Response

from monitord.web.console.asked import Asked, BadFormError, Page

_OF_LINKS = ("rerun", "skip")
_OF_RUNS = ("hold", "go")


async def chains(asked: Asked) -> Response:
    """GET /chains."""
    answer = await asked.get("/v1/chains")
    return asked.page("chains.html", rows=answer["chains"])


async def chain(asked: Asked) -> Response:
    """GET /chains/{host}/{name}."""
    return asked.page("chain.html", one=await asked.get(f"/v1/chains/{_key(asked)}"))


async def preview(asked: Asked) -> Response:
    """GET /chains/{host}/{name}/{deed}: what running a link again or skipping it would do."""
    deed, wanted = asked.request.path_params["deed"], asked.request.query_params
    if deed not in _OF_LINKS:
        raise BadFormError("a link can be run again (rerun) or skipped (skip)")
    route = f"/v1/chains/{_key(asked)}/preview"
    found = await asked.get(route, link=wanted.get("link", ""), deed=deed)
    return asked.page("chain_order.html", one=found)


async def order(asked: Asked) -> Response:
    """POST /do/chains/{host}/{name}/{deed}."""
    form, deed = await asked.form(), asked.request.path_params["deed"]
    if deed not in (*_OF_LINKS, *_OF_RUNS):
        raise BadFormError("a chain is held or let go, a link of it run again or skipped")
    body = {"reason": form.get("reason", "")}
    if deed in _OF_LINKS:
        body["link"] = form.get("link", "")
    await asked.post(f"/v1/chains/{_key(asked)}/{deed}", body)
    return asked.back(f"{_key(asked)}: {deed} {body.get('link', '')}".strip())


def _key(asked: Asked) -> str:
    path = asked.request.path_params
    return f"{path['host']}/{path['name']}"


CHAINS = (
    Page("GET", "/chains", "viewer", chains),
    Page("GET", "/chains/{host}/{name}", "viewer", chain),
    Page("GET", "/chains/{host}/{name}/{deed}", "operator", preview),
    Page("POST", "/do/chains/{host}/{name}/{deed}", "operator", order),
)
