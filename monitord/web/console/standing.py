"""The pages of what is kept over many incidents: services, how far runbooks are trusted, problems.

What is counted and decided is the core's; people act as the user that is logged in.
"""

from datetime import UTC, datetime

from starlette.responses import Response

from monitord.web.console.asked import Asked, BadFormError, Page


async def services(asked: Asked) -> Response:
    """GET /services: the worst first."""
    answer = await asked.get("/v1/services")
    return asked.page("services.html", rows=answer["services"])


async def service(asked: Asked) -> Response:
    """GET /services/{service}: one with its rules, checks, times and last changes."""
    name = asked.request.path_params["service"]
    return asked.page("service.html", one=await asked.get(f"/v1/services/{name}"))


async def correct(asked: Asked) -> Response:
    """POST /do/corrections: what a time really was; times in UTC, as the form says."""
    form = await asked.form()
    body = {
        "about": form.get("about", ""),
        "from": _utc(form.get("from", "")),
        "to": _utc(form.get("to", "")),
        "as": form.get("as", ""),
        "reason": form.get("reason", ""),
        "approved_by": form.get("approved_by", ""),
    }
    found = await asked.post("/v1/corrections", body)
    return asked.back(f"correction {found['id']}: {found['about']} was {found['said']}")


async def revoke(asked: Asked) -> Response:
    """POST /do/corrections/{id}/revoke."""
    form, number = await asked.form(), asked.request.path_params["id"]
    await asked.post(f"/v1/corrections/{number}/revoke", {"reason": form.get("reason", "")})
    return asked.back(f"correction {number} is taken back")


def _utc(text: str) -> str:
    """Give what a field for a time holds, as a time in UTC.

    Raises:
        BadFormError: it is no time.
    """
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).isoformat(timespec="seconds")
    except ValueError:
        raise BadFormError(f"{text!r} is no time; write 2027-01-31T14:00 (UTC)") from None


async def runbooks(asked: Asked) -> Response:
    """GET /runbooks: each with its mode, what keeps it there, and its last 30 days."""
    answer = await asked.get("/v1/ledger")
    lines = {one["name"]: one for one in answer["runbooks"]}
    standing = answer["standing"]
    known = {one["runbook"] for one in standing}
    return asked.page(
        "runbooks.html",
        since=answer["since"],
        rows=[(one, lines.get(one["runbook"])) for one in standing],
        gone=[line for name, line in lines.items() if name not in known],
    )


async def promotion(asked: Asked) -> Response:
    """GET /runbooks/{runbook}: what promoting it would change, check by check."""
    name = asked.request.path_params["runbook"]
    return asked.page("promotion.html", one=await asked.get("/v1/promotion", runbook=name))


async def promote(asked: Asked) -> Response:
    """POST /do/promote."""
    form = await asked.form()
    body = {"runbook": form.get("runbook", ""), "reason": form.get("reason", "")}
    answer = await asked.post("/v1/promote", body)
    return asked.back(f"{answer['runbook']} is {answer['mode']} now")


async def problems(asked: Asked) -> Response:
    """GET /problems: what keeps coming back; `all=1` also what is closed."""
    every = asked.request.query_params.get("all") == "1"
    answer = await asked.get("/v1/problems", all="1" if every else None)
    return asked.page("problems.html", rows=answer["problems"][::-1], every=every)


async def problem(asked: Asked) -> Response:
    """GET /problems/{id}: one with its incidents."""
    found = await asked.get(f"/v1/problems/{asked.request.path_params['id']}")
    return asked.page("problem.html", one=found)


async def known(asked: Asked) -> Response:
    """POST /do/problems/{id}/known: its cause, and how to live with it."""
    form, number = await asked.form(), asked.request.path_params["id"]
    body = {"cause": form.get("cause", ""), "cure": form.get("cure", "")}
    await asked.post(f"/v1/problems/{number}/known", body)
    return asked.back(f"the cause of problem {number} is noted; automation may act on it again")


async def close(asked: Asked) -> Response:
    """POST /do/problems/{id}/close."""
    form, number = await asked.form(), asked.request.path_params["id"]
    await asked.post(f"/v1/problems/{number}/close", {"reason": form.get("reason", "")})
    return asked.back(f"problem {number} is closed")


STANDING = (
    Page("GET", "/services", "viewer", services),
    Page("GET", "/services/{service}", "viewer", service),
    Page("POST", "/do/corrections", "operator", correct),
    Page("POST", "/do/corrections/{id:int}/revoke", "operator", revoke),
    Page("GET", "/runbooks", "viewer", runbooks),
    Page("GET", "/runbooks/{runbook}", "viewer", promotion),
    Page("POST", "/do/promote", "admin", promote),
    Page("GET", "/problems", "viewer", problems),
    Page("GET", "/problems/{id:int}", "viewer", problem),
    Page("POST", "/do/problems/{id:int}/known", "responder", known),
    Page("POST", "/do/problems/{id:int}/close", "operator", close),
)
