"""What a journey keeps of an answer: its cookies, and the values that later steps use.

Bounded and linear, whatever a page holds. It decides where a value is found, not what it is worth.
"""

import html
from collections.abc import Iterator, Sequence
from email.message import Message
from http.cookiejar import CookieJar
from itertools import islice
from typing import Any
from urllib.request import Request as Asked

from monitord.model.text import one_line
from monitord.probes.network.http_json import follow, parse_path, read_json
from monitord.probes.network.journey_spec import Capture
from monitord.probes.network.resolver import UnreachedError
from monitord.probes.pattern import compile_pattern

_LONGEST = 4096  # characters of a value: longer ones fit in no header
_MOST_INPUTS = 200
_MOST_ATTRIBUTES = 50  # of one field: a megabyte of them would hold up the loop for seconds
_MOST_COOKIES = 100
_INPUT = compile_pattern(r"""(?is)<input\b((?:[^>"']|"[^"]*"|'[^']*')*)>""")
_ATTRIBUTE = compile_pattern(r"""(?is)([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")

Headers = Sequence[tuple[bytes, bytes]]


class _Heard:
    """An answer's headers as the standard library's cookie jar wants to see them."""

    def __init__(self, headers: Headers) -> None:
        self._told = Message()
        for name, value in headers:
            if name == b"set-cookie":
                self._told["Set-Cookie"] = value.decode("latin-1")

    def info(self) -> Message:
        return self._told


class Cookies:
    """One jar for a run. The rules of who gets which cookie are the standard library's."""

    def __init__(self) -> None:
        self._jar = CookieJar()

    def hear(self, url: str, headers: Headers) -> None:
        """Keep what an answer sets."""
        heard: Any = _Heard(headers)
        self._jar.extract_cookies(heard, Asked(url))  # noqa: S310 - only names the URL; opens nothing
        if len(self._jar) > _MOST_COOKIES:
            raise UnreachedError(f"sets more than {_MOST_COOKIES} cookies")

    def line(self, url: str) -> str:
        """Give what the Cookie header says at a URL; empty where no cookie belongs."""
        asked = Asked(url)  # noqa: S310 - only names the URL; opens nothing
        self._jar.add_cookie_header(asked)
        return asked.get_header("Cookie") or ""

    def values(self) -> dict[str, str]:
        """Give all cookies by name."""
        return {cookie.name: cookie.value or "" for cookie in self._jar}


def captured(name: str, where: Capture, headers: Headers, text: bytes, cookies: Cookies) -> str:
    """Give the value that `where` finds.

    Raises:
        UnreachedError: there is none, it is too long, or no text or number.
    """
    value, place = _found(where, headers, text, cookies)
    if value is None or value == "":
        raise UnreachedError(f"nothing to capture as {{{name}}}: {place} is not in the answer")
    if len(value) > _LONGEST:
        raise UnreachedError(f"{{{name}}} has {len(value)} characters, {_LONGEST} are taken")
    if any("\ud800" <= sign <= "\udfff" for sign in value):  # JSON can say so; no request can
        raise UnreachedError(f"{{{name}}} is no text: half of a character is in it")
    return value


def _found(
    where: Capture, headers: Headers, text: bytes, cookies: Cookies
) -> tuple[str | None, str]:
    if where.field:
        return _field(where.field, text), f"an input field {one_line(where.field, 60)}"
    if where.header:
        wanted = where.header.lower().encode()
        found = (value.decode("utf-8", "replace") for name, value in headers if name == wanted)
        return next(found, None), f"header {where.header}"
    if where.cookie:
        return cookies.values().get(where.cookie), f"cookie {one_line(where.cookie, 60)}"
    if where.json_:
        return _json(where.json_, text), one_line(where.json_, 60)
    match = compile_pattern(where.regex or "").search(text.decode("utf-8", "replace"))
    said = None if match is None else match.group(1 if match.re.groups else 0)
    return said, f"a match of /{one_line(where.regex or '', 60)}/"


def _json(path: str, text: bytes) -> str | None:
    try:
        value = follow(read_json(text), parse_path(path))
    except (ValueError, LookupError):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None


def _field(name: str, text: bytes) -> str | None:
    page = text.decode("utf-8", "replace")
    for attributes in _inputs(page):
        if attributes.get("name") == name:
            return attributes.get("value")
    return None


def _inputs(page: str) -> Iterator[dict[str, str]]:
    at = 0
    for _ in range(_MOST_INPUTS):
        match = _INPUT.search(page, at)
        if match is None:
            return
        at = match.end()
        yield {
            found.group(1).lower(): html.unescape(
                found.group(2) or found.group(3) or found.group(4) or ""
            )
            for found in islice(_ATTRIBUTE.finditer(match.group(1)), _MOST_ATTRIBUTES)
        }
