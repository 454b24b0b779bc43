"""`monitord user …` and `monitord token …`: who may log in to the console and use the API.

The core keeps them. A link or a token is printed once, on the terminal of who asked, and nowhere
else.
"""

from typing import Annotated, Any

import typer

from monitord.cli.app import Json, app, command

users = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Who may log in to the console."
)
tokens = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Sessions, and tokens for programs."
)
app.add_typer(users, name="user")
app.add_typer(tokens, name="token")

Name = Annotated[str, typer.Argument(help="The user's name.")]
RoleName = Annotated[str, typer.Argument(help="viewer, responder, operator or admin")]
_ROLES = ("viewer", "responder", "operator", "admin")


@command("add", users)
def add(
    name: Name,
    *,
    role: Annotated[str, typer.Option("--role", help="What they may.")] = "viewer",
    json: Json = False,
) -> None:
    """Make a user and print the one-time link by which they set their password.

    Roles: viewer looks; responder also acks, takes, approves, closes, halts; operator also mutes,
    plans maintenance, resumes, repairs by hand; admin also reloads, promotes runbooks, makes users.
    """
    _link({"name": name, "role": _role(role)}, json=json)


@command("link", users)
def link(name: Name, *, json: Json = False) -> None:
    """Print a new one-time link for a user; older ones are void."""
    _link({"name": name}, json=json)


@command("list", users)
def list_(*, json: Json = False) -> None:
    """List the users."""
    from monitord.cli import show, source

    answer = source.get("/v1/users")
    if json:
        show.as_json(answer)
        return
    rows = [{**one, "state": _state(one)} for one in answer["users"]]
    columns = [
        ("NAME", "name"),
        ("ROLE", "role"),
        ("STATE", "state"),
        ("SINCE", "created"),
        ("BY", "created_by"),
    ]
    show.table(rows, columns, none="no users; make one: monitord user add NAME --role admin")


@command("role", users)
def role(name: Name, role: RoleName, *, json: Json = False) -> None:
    """Give a user another role; it holds at once, in open sessions too."""
    _changed(name, {"role": _role(role)}, f"{name} is {role}", json=json)


@command("lock", users)
def lock(name: Name, *, json: Json = False) -> None:
    """Lock a user out: their sessions and tokens end at once."""
    _changed(name, {"disabled": True}, f"{name} is locked out", json=json)


@command("unlock", users)
def unlock(name: Name, *, json: Json = False) -> None:
    """Let a user in again; sessions and tokens stay ended."""
    _changed(name, {"disabled": False}, f"{name} may log in again", json=json)


@command("provider", users)
def provider(name: Name, *, json: Json = False) -> None:
    """Have a user log in by the login provider from now on (`oidc:`), who calls them so.

    Their password, sessions and tokens end; their role is said by groups. `monitord user link`
    gives a password again.
    """
    said = f"{name} is whoever the provider calls so at their first login"
    _changed(name, {"provider": True}, said, json=json)


@command("add", tokens)
def add_token(
    about: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    user: Annotated[str, typer.Option("--user", help="Whose it is; it may at most what they may.")],
    role: Annotated[str, typer.Option("--role", help="What it may.")] = "viewer",
    days: Annotated[int, typer.Option("--days", min=1, max=400, help="How long it holds.")] = 365,
    json: Json = False,
) -> None:
    """Make a token for a program and print it, once."""
    from monitord.cli import show, source

    body = {"about": about, "role": _role(role), "days": days, "user": user}
    answer = source.post("/v1/tokens", body)
    show.as_json(answer) if json else show.line(answer["token"])


@command("list", tokens)
def list_tokens(*, json: Json = False) -> None:
    """List the sessions and tokens that hold."""
    from monitord.cli import show, source

    answer = source.get("/v1/credentials")
    if json:
        show.as_json(answer)
        return
    columns = [
        ("NUMBER", "credential"),
        ("KIND", "kind"),
        ("USER", "user"),
        ("ROLE", "role"),
        ("FOR", "about"),
        ("SEEN", "seen"),
        ("EXPIRES", "expires"),
    ]
    show.table(answer["credentials"], columns, none="no sessions and no tokens")


@command("end", tokens)
def end(
    number: Annotated[int, typer.Argument(min=1, help="Its number.")], *, json: Json = False
) -> None:
    """End a session or a token."""
    from monitord.cli import show, source

    answer = source.post(f"/v1/credentials/{number}/end", {})
    show.as_json(answer) if json else show.line(f"credential {number} ended")


def _link(body: dict[str, Any], *, json: bool) -> None:
    from monitord.cli import show, source

    answer = source.post("/v1/users", body)
    if json:
        show.as_json(answer)
        return
    show.line(answer["link"])
    show.line("It sets the password once, within 24 hours. Send it to nobody else.")


def _changed(name: str, body: dict[str, Any], said: str, *, json: bool) -> None:
    from urllib.parse import quote

    from monitord.cli import show, source

    answer = source.post(f"/v1/users/{quote(name, safe='')}", body)
    show.as_json(answer) if json else show.line(said)


def _role(text: str) -> str:
    if text not in _ROLES:
        raise typer.BadParameter(f"{text!r} is no role; use {', '.join(_ROLES)}")
    return text


def _state(user: dict[str, Any]) -> str:
    if user["disabled"]:
        return f"locked out by {user['disabled_by']}"
    if user["provider"]:
        return "by the login provider"
    return "" if user["password"] else "has set no password yet"
