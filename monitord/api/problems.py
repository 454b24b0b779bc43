"""Problems, and the review of an incident: views and routes.

Views read rows, for the API and for the command line without a core. What a person says of a
problem is written by the engine, in their name.
"""

from dataclasses import asdict
from typing import Any

from monitord.api import bodies
from monitord.api.access import Right
from monitord.api.bodies import Body, Text
from monitord.api.routes import Asked, Route, row_number
from monitord.decisions.review import markdown
from monitord.decisions.ticket_document import iso
from monitord.errors import NotFoundError
from monitord.model.ids import IncidentId
from monitord.model.problem import Problem, ProblemStatus
from monitord.serving import read_body
from monitord.store.contract import View

_LIVE = (ProblemStatus.OPEN, ProblemStatus.KNOWN)
_LATELY = 20


class Known(Body):
    """POST /v1/problems/{id}/known."""

    cause: Text
    cure: str = ""


class CloseProblem(Body):
    """POST /v1/problems/{id}/close."""

    reason: Text


def listed(view: View, *, every: bool) -> dict[str, Any]:
    """Give the problems that are not closed, or all."""
    return {"problems": [shown(one) for one in view.problems(None if every else _LIVE)]}


def document(view: View, number: int) -> dict[str, Any]:
    """Give one problem with its newest incidents.

    Raises:
        NotFoundError: there is none of this number.
    """
    problem = view.problem(number)
    if problem is None:
        raise NotFoundError(f"there is no problem {number}; `monitord problems` lists them")
    rows = [one for one in view.incidents_of(problem.key) if one.problem == number]
    lately = [
        {
            "incident": one.id,
            "opened": iso(one.opened),
            "resolved": iso(one.resolved),
            "status": one.status.value,
            "cause": one.cause,
            "cure": one.cure,
            "summary": one.summary,
        }
        for one in rows[:_LATELY]
    ]
    return {**shown(problem), "lately": lately}


def shown(problem: Problem) -> dict[str, Any]:
    """Give a problem as JSON values."""
    times = {name: iso(getattr(problem, name)) for name in ("opened", "last", "closed")}
    return {**asdict(problem), "status": problem.status.value, **times}


def review(view: View, number: int) -> str:
    """Give the review of an incident as Markdown, made of its rows; a person fills in the rest.

    Raises:
        NotFoundError: there is none of this number.
    """
    incident = view.incident(IncidentId(number))
    if incident is None:
        raise NotFoundError(f"there is no incident {number}; `monitord incidents --all` lists them")
    attempts = view.attempts(incident=incident.id)
    problem = view.problem(incident.problem) if incident.problem else None
    return markdown(incident, view.events(incident.id), attempts, problem)


async def problems(asked: Asked) -> Any:
    """GET /v1/problems: those that are not closed, or `all=1`."""
    every = asked.request.query_params.get("all") == "1"
    return await asked.engine.store.read(lambda view: listed(view, every=every))


async def one(asked: Asked) -> Any:
    """GET /v1/problems/{id}."""
    number = row_number(asked, "problem")
    return await asked.engine.store.read(lambda view: document(view, number))


async def reviewed(asked: Asked) -> Any:
    """GET /v1/incidents/{id}/review."""
    number = row_number(asked, "incident")
    return {"markdown": await asked.engine.store.read(lambda view: review(view, number))}


async def known(asked: Asked) -> Any:
    """POST /v1/problems/{id}/known."""
    body = bodies.parse(Known, await read_body(asked.request, bodies.LONGEST))
    number = row_number(asked, "problem")
    said = {"cause": body.cause, "cure": body.cure}
    await asked.engine.problems.known(number, by=asked.person.name, **said)
    return {"known": number}


async def close(asked: Asked) -> Any:
    """POST /v1/problems/{id}/close."""
    body = bodies.parse(CloseProblem, await read_body(asked.request, bodies.LONGEST))
    number = row_number(asked, "problem")
    await asked.engine.problems.close(number, by=asked.person.name, reason=body.reason)
    return {"closed": number}


PROBLEMS: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/problems",
        Right.READ,
        problems,
        "what keeps coming back; `all=1`",
        query=("all",),
    ),
    Route("GET", "/v1/problems/{id:int}", Right.READ, one, "one, with its incidents"),
    Route("GET", "/v1/incidents/{id:int}/review", Right.READ, reviewed, "a review, in Markdown"),
    Route(
        "POST",
        "/v1/problems/{id:int}/known",
        Right.RESPOND,
        known,
        "say its cause and cure",
        body=Known,
    ),
    Route(
        "POST",
        "/v1/problems/{id:int}/close",
        Right.OPERATE,
        close,
        "its cause is gone",
        body=CloseProblem,
    ),
)
