"""The pages of who may log in: users for an admin, and everybody's own sessions and tokens.

A link or a token is on the page that answers the form, once, and nowhere else: the core keeps
hashes. What a role may and what a secret proves is the core's to say.
"""

from typing import Any
from urllib.parse import quote, urlsplit

from starlette.responses import RedirectResponse, Response

from monitord.serving import origin
from monitord.web.console.asked import Asked, BadFormError, Page

_ROLES = ("viewer", "responder", "operator", "admin")


async def users(asked: Asked) -> Response:
    """GET /users: who may log in, and what is open in their names."""
    return await _users(asked)


async def _users(asked: Asked, *, link: str = "", whose: str = "") -> Response:
    found = await asked.get("/v1/users")
    held = await asked.get("/v1/credentials")
    return asked.page(
        "users.html",
        rows=found["users"],
        held=held["credentials"],
        roles=_ROLES,
        link=link,
        whose=whose,
    )


async def make(asked: Asked) -> Response:
    """POST /do/users: a new user, and the link by which they set their password."""
    form = await asked.form()
    body = {"name": form.get("name", ""), "role": form.get("role", "")}
    made = await asked.post("/v1/users", body)
    return await _users(asked, link=made["link"], whose=made["user"]["name"])


async def link(asked: Asked) -> Response:
    """POST /do/users/{name}/link: a new link; older ones are void."""
    await asked.form()
    made = await asked.post("/v1/users", {"name": asked.request.path_params["name"]})
    return await _users(asked, link=made["link"], whose=made["user"]["name"])


async def role(asked: Asked) -> Response:
    """POST /do/users/{name}/role."""
    form = await asked.form()
    answer = await _change(asked, {"role": form.get("role", "")})
    return asked.back(f"{answer['name']} is {answer['role']} now, in open sessions too")


async def lock(asked: Asked) -> Response:
    """POST /do/users/{name}/lock: out, or in again."""
    form = await asked.form()
    out = form.get("out") == "1"
    answer = await _change(asked, {"disabled": out})
    said = "is locked out; sessions and tokens are ended" if out else "may log in again"
    return asked.back(f"{answer['name']} {said}")


async def _change(asked: Asked, body: dict[str, Any]) -> dict[str, Any]:
    name = quote(asked.request.path_params["name"], safe="")
    changed: dict[str, Any] = (await asked.post(f"/v1/users/{name}", body))["user"]
    return changed


async def mine(asked: Asked) -> Response:
    """GET /me: who one is, and what is open in one's name."""
    return await _mine(asked)


async def _mine(asked: Asked, *, token: str = "") -> Response:
    held = await asked.get("/v1/credentials")
    own = [one for one in held["credentials"] if one["user"] == asked.me["name"]]
    return asked.page(
        "me.html",
        sessions=[one for one in own if one["kind"] == "session"],
        tokens=[one for one in own if one["kind"] == "token"],
        roles=[one for one in _ROLES if asked.may(one)],
        token=token,
    )


async def token(asked: Asked) -> Response:
    """POST /do/tokens: one of one's own, for a program."""
    form = await asked.form()
    days = form.get("days", "")
    if not days.isdecimal() or len(days) > 4:  # noqa: PLR2004 - far more than any token lasts
        raise BadFormError(f"{days!r} is no number of days; write 90")
    body = {"about": form.get("about", ""), "role": form.get("role", ""), "days": int(days)}
    made = await asked.post("/v1/tokens", body)
    return await _mine(asked, token=made["token"])


async def end(asked: Asked) -> Response:
    """POST /do/credentials/{id}/end."""
    await asked.form()
    number = asked.request.path_params["id"]
    await asked.post(f"/v1/credentials/{number}/end", {})
    return asked.back("it is ended")


async def password(asked: Asked) -> Response:
    """POST /do/me/password: on to the page behind a link of one's own."""
    form = await asked.form()
    where = origin(asked.request.client) or "unknown"
    body = {"password": form.get("password", ""), "where": where}
    made = await asked.post("/v1/me/link", body)
    # Only its path: `web_url` may be another way to this console than the one that is used.
    return RedirectResponse(urlsplit(made["link"]).path, status_code=303)


ACCOUNTS = (
    Page("GET", "/users", "admin", users),
    Page("GET", "/me", "viewer", mine),
    Page("POST", "/do/users", "admin", make),
    Page("POST", "/do/users/{name}/link", "admin", link),
    Page("POST", "/do/users/{name}/role", "admin", role),
    Page("POST", "/do/users/{name}/lock", "admin", lock),
    Page("POST", "/do/tokens", "viewer", token),
    Page("POST", "/do/credentials/{id:int}/end", "viewer", end),
    Page("POST", "/do/me/password", "viewer", password),
)
