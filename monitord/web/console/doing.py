"""What people do on pages: each form is one command of the core's API, in the person's name.

A form comes from a page that this session was shown (`Asked.form`). What is done, and whether the
person may, is the core's to say; afterwards the page they came from says what became of it.
"""

from datetime import UTC, datetime, timedelta

from starlette.responses import Response

from monitord.model.spec import parse_duration
from monitord.web.console.asked import COOKIE, LEFT, Asked, BadFormError, Page


async def order(asked: Asked) -> Response:
    """POST /do/ack, take, mute, halt."""
    form, verb = await asked.form(), asked.request.scope["path"].rpartition("/")[2]
    body: dict[str, object] = {
        "selector": form.get("selector", ""),
        "reason": form.get("reason", ""),
        "expires": (expires := after(form.get("for", "")).isoformat(timespec="seconds")),
    }
    if verb == "halt" and form.get("now") == "1":
        body["now"] = True
    answer = await asked.post(f"/v1/{verb}", body)
    touched = len(answer["touches"])
    said = f"{verb} {body['selector']}: {touched} checks, until {expires[:16]} UTC"
    return asked.back(said)


async def resume(asked: Asked) -> Response:
    """POST /do/resume: end one order by its number."""
    form = await asked.form()
    answer = await asked.post("/v1/resume", {"what": _number(form, "what")})
    return asked.back(f"ended: {len(answer['ended'])} orders")


async def close(asked: Asked) -> Response:
    """POST /do/incidents/{id}/close."""
    form, number = await asked.form(), asked.request.path_params["id"]
    body = {"reason": form.get("reason", ""), "cure": form.get("cure", "")}
    await asked.post(f"/v1/incidents/{number}/close", body)
    return asked.back(f"incident {number} is closed")


async def answer(asked: Asked) -> Response:
    """POST /do/attempts/{id}/answer: approve or deny a plan that waits."""
    form, number = await asked.form(), asked.request.path_params["id"]
    if form.get("answer") == "approve":
        await asked.post(f"/v1/attempts/{number}/approve", {})
        return asked.back(f"attempt {number} runs now")
    await asked.post(f"/v1/attempts/{number}/deny", {"reason": form.get("reason", "")})
    return asked.back(f"attempt {number} is denied; its incident is handed over")


async def run_check(asked: Asked) -> Response:
    """POST /do/run-check."""
    form = await asked.form()
    found = await asked.post("/v1/run-check", {"key": form.get("key", "")})
    said = "; ".join(f"{one['status']} {one['summary']}" for one in found["results"][:5])
    return asked.back(f"{found['key']}: {said}")


async def logout(asked: Asked) -> Response:
    """POST /do/logout."""
    await asked.form()
    ended = await asked.post("/v1/logout", {})
    to = f"/login?{LEFT}=1" if ended["provider"] else "/login"
    gone = asked.back("you are logged out", to)
    gone.delete_cookie(COOKIE, path="/")
    return gone


def after(text: str, start: datetime | None = None) -> datetime:
    """Give the time so long after `start` (now); `text` is a length as in YAML.

    Raises:
        BadFormError: it is none.
    """
    try:
        wait = parse_duration(text)
    except ValueError:
        raise BadFormError(f"{text!r} is no length of time; write 30m, 2h or 1d") from None
    if not timedelta(0) < wait <= timedelta(days=400):
        raise BadFormError("that is over 400 days or nothing; write 30m, 2h or 1d")
    return (start or datetime.now(UTC)) + wait


def _number(form: dict[str, str], name: str) -> int:
    text = form.get(name, "")
    if not text.isdecimal() or len(text) > 18:  # noqa: PLR2004 - digits of the highest row's number
        raise BadFormError(f"{name} is no number")
    return int(text)


DOING = (
    Page("POST", "/do/resume", "responder", resume),
    Page("POST", "/do/run-check", "responder", run_check),
    Page("POST", "/do/logout", "viewer", logout),
    Page("POST", "/do/incidents/{id:int}/close", "responder", close),
    Page("POST", "/do/attempts/{id:int}/answer", "responder", answer),
    *(
        Page("POST", f"/do/{verb}", role, order)
        for verb, role in (
            ("ack", "responder"),
            ("take", "responder"),
            ("halt", "responder"),
            ("mute", "operator"),
        )
    ),
)
