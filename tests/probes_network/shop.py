"""A shop with a login behind nginx-like rules, in two hundred words: cookies, CSRF token, orders.

A form with a token that is good once, a session cookie, a JSON page that only the session sees. Its
`faults` are what a real one gets wrong.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

PASSWORD = 'geh"eim & <7>+%'  # noqa: S105 - of a server that lives for seconds
TOKEN = "t/../&x=1\"'{user}"  # noqa: S105 - hostile on purpose: slots, quotes, a way up
ORDER = "a b/../{token}&all=1"


@dataclass
class Shop:
    """Where it listens, what it heard, and what is wrong with it."""

    url: str
    faults: set[str] = field(default_factory=set)
    heard: list[tuple[str, str, dict[str, str], str]] = field(default_factory=list)
    elsewhere: str = "http://127.0.0.2:9/"


def _page(  # noqa: PLR0911 - a page each
    shop: Shop, handler: BaseHTTPRequestHandler, body: str
) -> tuple[int, dict[str, str], str]:
    path, cookie = handler.path, handler.headers.get("Cookie", "")
    if path == "/login" and handler.command == "GET":
        value = TOKEN.replace("&", "&amp;").replace('"', "&quot;")
        field_ = (
            "" if "no token" in shop.faults else f'<INPUT type=hidden value="{value}" name=csrf>'
        )
        return 200, {"Set-Cookie": "pre=1; Path=/"}, f"<form>{field_}<input name='user'></form>"
    if path == "/login":
        form = parse_qs(body)
        if "echo" in shop.faults:
            return 500, {"X-Echo": body}, f"{form['password'][0]} {json.dumps(form)} {body}"
        if "wrong" in shop.faults or form.get("csrf") != [TOKEN] or "pre=1" not in cookie:
            return 403, {}, "wrong password or token"
        if "stray" in shop.faults:
            return 302, {"Location": shop.elsewhere}, ""
        return 303, {"Set-Cookie": "sid=s-4711-secret; Path=/; HttpOnly", "Location": "/home"}, ""
    if "sid=s-4711-secret" not in cookie:
        return 401, {}, "who are you"
    if path == "/home":
        return 200, {"X-Next": "9"}, "<h1>Hello</h1> Log out"
    if path == "/orders":
        if "no order" in shop.faults:
            return 200, {"Content-Type": "application/json"}, '{"count": 0, "list": []}'
        return 200, {}, json.dumps({"count": 1, "list": [{"id": ORDER}]})
    return 200, {}, json.dumps({"path": path, "body": body, "header": handler.headers.get("X-O")})


@contextmanager
def shop() -> Iterator[Shop]:
    """Serve it on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            size = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(size).decode()
            made.heard.append((self.command, self.path, dict(self.headers), body))
            status, headers, text = _page(made, self, body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - its base's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base's name
            """Say nothing: a test's output is its failures."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Shop(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield made
        server.shutdown()
