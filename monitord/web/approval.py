"""The page behind a signed link: a GET shows the plan, only a POST answers (scanners follow links).

It passes on what was answered and decides nothing; whether the link still holds, whether the plan
is still the same and what the guards say is the core's business. All it shows is escaped.
"""

import asyncio
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from monitord.control import Core, CoreDownError, CoreSaysNoError
from monitord.links import may_be_one
from monitord.model.text import one_line

_LONGEST_FORM = 4096  # bytes
_LONGEST_NAME, _LONGEST_REASON = 80, 400  # characters
# The address is the secret: no other page learns it, nothing keeps it, nobody frames the buttons.
_SECRET = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
}
_GONE = "This link is not valid (any more): it was answered, or what it was for is over."


class Approval:
    """The handlers of /approve/{word}."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def __call__(self, request: Request) -> Response:
        """Show the plan, or pass on the answer."""
        word = request.path_params["word"]
        if not may_be_one(word):
            return _page(404, _GONE)
        try:
            if request.method == "POST":
                return await self._answer(word, await _form(request))
            return await self._show(word)
        except CoreDownError:
            return _page(503, "monitord does not answer; use its command line, or try again.")
        except CoreSaysNoError as error:
            gone = error.status == 404  # noqa: PLR2004 - HTTP's own word
            cure = f"; {error.cure}" if error.cure else ""
            return _page(error.status, _GONE if gone else f"{error}{cure}")

    async def _show(self, word: str) -> Response:
        shown = await asyncio.to_thread(self._core.post, "/v1/link", {"word": word})
        return HTMLResponse(_document(shown, _ASK), headers=_SECRET)

    async def _answer(self, word: str, form: Mapping[str, str]) -> Response:
        yes, name, reason = form.get("answer") == "yes", form["name"], form["reason"]
        if not name or form.get("answer") not in ("yes", "no") or not (yes or reason):
            return _page(400, "Say who you are, and for a no also why; then answer again.")
        body = {"word": word, "yes": yes, "name": name, "reason": reason}
        done = await asyncio.to_thread(self._core.post, "/v1/link/use", body)
        said = "runs now" if done["approved"] else "is void; the incident is handed over"
        return _page(200, f"Attempt {done['attempt']} {said}.")


async def _form(request: Request) -> dict[str, str]:
    """Read the few fields of the form; what is too long is cut, what is too much is left out."""
    body = b""
    async for piece in request.stream():
        body = (body + piece)[:_LONGEST_FORM]
    fields = parse_qs(body.decode(errors="replace"), max_num_fields=10)

    def text(name: str, longest: int) -> str:
        return one_line(fields.get(name, [""])[0].strip(), longest)

    return {
        "answer": text("answer", 3),
        "name": text("name", _LONGEST_NAME),
        "reason": text("reason", _LONGEST_REASON),
    }


_ASK = """<form method="post">
<p><label>Your name <input name="name" required maxlength="80" autocomplete="name"></label></p>
<p><label>For a no: why <input name="reason" maxlength="400"></label></p>
<p><button name="answer" value="yes">Yes, run exactly this</button>
<button name="answer" value="no">No, I take over</button></p>
</form>"""


def _document(shown: Mapping[str, Any], ask: str) -> str:
    head = f"{shown['runbook']} for {shown['key']}"
    rows = "".join(
        f"<tr><td>{_text(step['phase'])}</td><td>{_text(step['target'])}</td>"
        f"<td><code>{_text(step['text'])}</code></td></tr>"
        for step in shown["plan"]
    )
    return _html(
        f"<h1>{_text(head)}</h1><p>{_text(shown['summary'])}</p>"
        f"<p>Attempt {_text(shown['attempt'])} would do exactly this, and waits for a yes until "
        f"{_text(shown['until'])}. Without one it never runs.</p>"
        f"<table>{rows}</table>{ask}"
    )


def _page(status: int, text: str) -> Response:
    return HTMLResponse(_html(f"<p>{_text(text)}</p>"), status_code=status, headers=_SECRET)


def _html(body: str) -> str:
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    return f'<!doctype html><html lang="en"><head>{head}<title>monitord</title></head>{body}</html>'


def _text(value: object) -> str:
    return escape(one_line(str(value), 2000))
