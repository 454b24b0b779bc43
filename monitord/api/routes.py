"""What a route is, and the errors that every route turns into one sentence with a cure.

A route is data: method, path, the right it needs, its handler, one line of description. app.py
makes endpoints of them and docs/api.md lists them. Nothing of monitord is asked here.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from monitord.api.access import NotAllowedError, Person, Right
from monitord.api.bodies import BadBodyError, Body
from monitord.api.ports import Engine
from monitord.clock import after, as_instant
from monitord.errors import (
    CommandRefusedError,
    ConfigError,
    ExecutorLostError,
    LoginError,
    MonitordError,
    NotFoundError,
    ProviderDownError,
    StoreError,
)
from monitord.model.ids import Instant
from monitord.model.ticket import BadSelectorError
from monitord.passwords import BusyError
from monitord.serving import BodyTooLongError


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as a handler sees it: the engine, who asks, and the request itself."""

    engine: Engine
    person: Person
    request: Request


Handler = Callable[[Asked], Awaitable[Any]]
"""Gives JSON values, or a Response of its own."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route: `right` is what the person needs, `about` its line in the docs.

    `body` is what a POST must hold (None: it is not read), `query` the names that it heeds. The
    OpenAPI document is made of them; tests hold both to what the handler does.
    """

    method: str
    path: str
    right: Right
    handler: Handler
    about: str
    body: type[Body] | None = None
    query: tuple[str, ...] = ()


_STATUS: Mapping[type[MonitordError], int] = MappingProxyType(
    {
        BadBodyError: 400,
        BadSelectorError: 400,
        LoginError: 401,
        NotAllowedError: 403,
        NotFoundError: 404,
        CommandRefusedError: 409,
        BodyTooLongError: 413,
        ConfigError: 422,
        StoreError: 503,
        BusyError: 503,
        ExecutorLostError: 503,
        ProviderDownError: 503,
    }
)
_CURES: Mapping[int, str] = MappingProxyType(
    {
        403: "ask somebody who is in group monitord",
        503: "try again; `monitord status` says what is down",
    }
)


_PAGE, _LONGEST_PAGE = 200, 1000
_DIGITS = 18  # of the highest number that a row's surely can be
_HIGHEST_ID = 2**63 - 1  # what a row's number can be


def row_number(asked: Asked, what: str) -> int:
    """Give the `id` of a route's path.

    Raises:
        NotFoundError: it is higher than that of any row; `what` names the kind of row.
    """
    number = int(asked.request.path_params["id"])
    if number > _HIGHEST_ID:
        raise NotFoundError(f"there is no {what} {number}; `monitord {what}s` lists them")
    return number


def number_of(asked: Asked, name: str, default: int) -> int:
    """Give a number of the question.

    Raises:
        BadBodyError: it is none.
    """
    text = asked.request.query_params.get(name, str(default))
    if not text.isdecimal() or len(text) > _DIGITS:
        raise BadBodyError(f"{name}={text}: not a number; write {name}={default}")
    return int(text)


def limit_of(asked: Asked) -> int:
    """Give how many rows are asked for."""
    return min(max(1, number_of(asked, "limit", _PAGE)), _LONGEST_PAGE)


def asked_since(asked: Asked, span: timedelta) -> Instant:
    """Give the `since` of a question, else so long ago.

    Raises:
        BadBodyError: it is no point in time with a zone.
    """
    text = asked.request.query_params.get("since")
    if not text:
        return after(asked.engine.now(), -span)
    try:
        return as_instant(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise BadBodyError(
            f"since={text}: no point in time with a zone; write since=2027-01-31T18:00:00Z"
        ) from None


def failure(error: MonitordError) -> Response:
    """Give the answer to an expected error: its text, and the cure where it names one."""
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    text, _, cure = str(error).rpartition("; ")
    body: dict[str, Any] = {"text": text or cure, "cure": cure if text else _CURES.get(status, "")}
    if isinstance(error, BadBodyError) and error.cure:
        body = {"text": str(error), "cure": error.cure}
    if isinstance(error, ConfigError):
        count = len(error.problems)
        body["text"] = f"the configuration has {count} mistake{'s' if count != 1 else ''}"
        body["cure"] = "mend the files; nothing was changed"
        body["problems"] = [str(problem) for problem in error.problems]
    return JSONResponse({"error": body}, status_code=status)


def plain_failure(status: int, text: str, cure: str = "") -> Response:
    """Give an error answer that no exception of ours stands for."""
    return JSONResponse({"error": {"text": text, "cure": cure}}, status_code=status)
