"""One request to the console as a page sees it: who asks, the core in their name, how to answer.

It reads cookies and forms and renders; what somebody may is the core's to say, each time anew.
"""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from monitord.control import Core
from monitord.errors import MonitordError
from monitord.model.text import one_line
from monitord.serving import BodyTooLongError, read_body
from monitord.web.console.board import Board

COOKIE = "monitord"
SAID = "monitord-said"
LEFT = "left"
"""In the query of the login page: whoever comes has left a session that the provider began."""
MENU: tuple[tuple[str, str], ...] = (
    ("/", "Now"),
    ("/incidents", "Incidents"),
    ("/tickets", "Tickets"),
    ("/services", "Services"),
    ("/problems", "Problems"),
    ("/maintenance", "Maintenance"),
    ("/oncall", "On call"),
    ("/handover", "Hand-over"),
    ("/runbooks", "Runbooks"),
    ("/more", "More"),
)
SECRET = re.compile(r"[\x21-\x7e]{1,200}")
"""What a session or token looks like; all else is nobody's, and is not passed on."""

_LONGEST_FORM, _MOST_FIELDS = 64 * 1024, 100
_LONGEST_SAID, _LONGEST_COOKIE = 600, 3800
_RIGHTS = ("viewer", "responder", "operator", "admin")


class BadFormError(MonitordError):
    """A form is not one of ours, or a field of it is missing; `status` is HTTP's."""

    def __init__(self, text: str, *, status: int = 400) -> None:
        self.status = status
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `me` is what the core says of who asks: name, role, expires."""

    request: Request
    core: Core
    me: Mapping[str, Any]
    secret: str
    pages: Environment
    board: Board
    mark: str = ""
    """The place in the stream of events before anything was read for the page."""

    async def get(self, route: str, **query: str | int | None) -> Any:
        """Ask the core in the person's name; its errors are exceptions."""
        return await asyncio.to_thread(lambda: self.core.get(route, **query))

    async def post(self, route: str, body: Mapping[str, Any]) -> Any:
        """Have the core do something in the person's name."""
        return await asyncio.to_thread(self.core.post, route, body)

    def may(self, role: str) -> bool:
        """Say whether the person's role is this one or more: for what a page offers, no more."""
        return _RIGHTS.index(self.me["role"]) >= _RIGHTS.index(role)

    @property
    def menu(self) -> tuple[tuple[str, str], ...]:
        """Give the pages of the menu: address and name."""
        return MENU

    def here(self, path: str) -> bool:
        """Say whether the page that is shown belongs to this entry of the menu."""
        own = str(self.request.scope["path"])  # `url` has what the Host header says
        return own == path or (path != "/" and own.startswith(f"{path}/"))

    def page(self, template: str, *, status: int = 200, **facts: Any) -> Response:
        """Render a page."""
        said = unquote(self.request.cookies.get(SAID, ""))[:_LONGEST_SAID]
        text = self.pages.get_template(template).render(
            me=self.me, may=self.may, csrf=csrf(self.secret), said=said, asked=self, **facts
        )
        answer = HTMLResponse(text, status_code=status)
        if said:
            answer.delete_cookie(SAID, path="/")
        return answer

    def back(self, said: str, to: str = "") -> Response:
        """Lead back to a page of ours after something was done, and say there what it was."""
        wanted = to or self.request.query_params.get("to", "/")
        ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
        answer = RedirectResponse(wanted if ours else "/", status_code=303)
        held = quote(one_line(said, _LONGEST_SAID))[
            :_LONGEST_COOKIE
        ]  # a browser drops a longer one
        answer.set_cookie(SAID, held, max_age=20, httponly=True, samesite="strict")
        return answer

    async def form(self) -> dict[str, str]:
        """Read a form of ours.

        Raises:
            BadFormError: it does not come from a page that this session was shown.
        """
        fields = await read_form(self.request)
        if not hmac.compare_digest(fields.get("csrf", "").encode(), csrf(self.secret).encode()):
            raise BadFormError("the form is of another session; reload the page and try again")
        return fields


Handler = Callable[[Asked], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """One address of the console: `role` is the least that may see or do it."""

    method: str
    path: str
    role: str
    handler: Handler


def secret_of(request: Request) -> str:
    """Give what the session's cookie holds; empty where that can be no secret of the core's."""
    secret = request.cookies.get(COOKIE, "")
    return secret if SECRET.fullmatch(secret) else ""


def csrf(secret: str) -> str:
    """Give what a form of this session must hold: nobody else can know it."""
    return hmac.new(secret.encode(), b"monitord form", hashlib.sha256).hexdigest()


async def read_form(request: Request) -> dict[str, str]:
    """Read a form's fields, of each name the last.

    Raises:
        BadFormError: it is longer than any of ours, or has more fields.
    """
    try:
        body = await read_body(request, _LONGEST_FORM)
        text = body.decode(errors="replace")
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except BodyTooLongError as error:
        raise BadFormError(str(error), status=413) from None
    except ValueError:
        raise BadFormError(f"a form has at most {_MOST_FIELDS} fields") from None
    return {name: values[-1].strip() for name, values in fields.items()}
