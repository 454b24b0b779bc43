"""`make picture`: docs/console.png, the console's first page over a shop in a bad quarter hour.

A whole monitord watches a server on many loopback addresses, which is one host each. What fails,
fails; what is repaired is repaired by real steps; the ack and the maintenance are a person's.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from monitord.control import Core
from monitord.web.console.asked import COOKIE
from tests.web.browser import chromium, logged_in
from tests.web.real import Whole
from tests.world.until import until

OUT = Path(__file__).parents[2] / "docs" / "console.png"
LARGEST = 300_000  # bytes: the README is read on phones too
WIDTH, HEIGHT = 1280, 900

KINDS = {
    "web": (8, ("site",)),
    "app": (6, ("api", "worker")),
    "db": (3, ("primary",)),
    "shop": (2, ("checkout",)),
    "mail": (2, ("queue",)),
    "gw": (2, ("uplink",)),
    "backup": (1, ("nightly",)),
}
MEANS = {
    "checkout": "Customers cannot pay.",
    "queue": "Mails to customers wait.",
    "uplink": "The office goes out over the other line.",
}
SLOW = {"web2/site": 90.0, "app3/worker": 90.0}  # seconds that a restart takes there
PROVEN = {"app1/api": "2m"}  # how long it must stay well there


class Shop:
    """All hosts: which of their programs fail. `port` is that of each."""

    def __init__(self) -> None:
        self.failing: set[str] = set()
        names = [f"{kind}{n}" for kind, (count, _) in KINDS.items() for n in range(1, count + 1)]
        self.hosts = {name: f"127.0.1.{n}" for n, name in enumerate(names, 1)}
        self._names = {address: name for name, address in self.hosts.items()}
        self.server = ThreadingHTTPServer(("0.0.0.0", 0), self._handler())
        self.port: int = self.server.server_address[1]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def key(self) -> str:
                host = shop._names[self.connection.getsockname()[0]]
                return f"{host}/{self.path.rpartition('/')[2]}"

            def answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                self.answer(503 if self.key() in shop.failing else 200)

            def do_POST(self) -> None:
                time.sleep(SLOW.get(self.key(), 0))
                shop.failing.discard(self.key())
                self.answer(200)

            def log_message(self, *_: object) -> None:
                """Say nothing: monitord tells what happens."""

        return Handler


def configuration(shop: Shop) -> dict[str, Any]:
    """Give the shop as its staff would write it down."""
    hosts = {
        name: {
            "address": address,
            "login": {"local": {"act": True}},
            "checks": {each: check(shop, name, each) for each in checks},
        }
        for kind, (_, checks) in KINDS.items()
        for name, address in shop.hosts.items()
        if name.rstrip("0123456789") == kind
    }
    runbooks = {
        f"restart-{name}": {
            "steps": [
                {"http": {"url": f"http://{{address}}:{shop.port}/{name}", "method": "POST"}}
            ],
            "verify": {"settle": "1s", "oks": 2, "within": "5m"},
            "limits": {"per_incident": 1, "cooldown": "1m"},
            "mode": "approve" if name == "checkout" else "auto",
        }
        for name in ("site", "api", "worker", "checkout")
    }
    people = {name: {"ways": [{"email": f"{name}@example.com"}]} for name in ("kim", "lee")}
    return {
        "instance": "shop",
        "profile": "standard",
        "people": people,
        "rotations": {"night": {"members": ["kim", "lee"], "every": "weekly", "at": "08:00"}},
        "hosts": hosts,
        "runbooks": runbooks,
    }


def check(shop: Shop, host: str, name: str) -> dict[str, Any]:
    """Give one check."""
    made: dict[str, Any] = {
        "http": {"url": f"http://{{address}}:{shop.port}/{name}"},
        "every": "3s",
        "retry_every": "1s",
        "attempts": 2,
        "first_rung_after": "0s",
        "flapping": False,
    }
    if name in MEANS:
        made |= {"means": MEANS[name], "impact": "high"}
    if name in ("site", "api", "worker", "checkout"):
        settle = PROVEN.get(f"{host}/{name}", "1s")
        made["remediate"] = [{f"restart-{name}": {"verify": {"settle": settle}}}]
    return made


@contextmanager
def opened() -> Iterator[Shop]:
    """Run the shop."""
    shop = Shop()
    threading.Thread(target=shop.server.serve_forever, daemon=True).start()
    try:
        yield shop
    finally:
        shop.server.shutdown()


def play(shop: Shop, core: Core) -> None:
    """Let things fail, and a person answer some of them."""

    def say(verb: str, selector: str, reason: str, hours: int) -> None:
        expires = (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")
        body = {"selector": selector, "reason": reason, "expires": expires}
        core.post(f"/v1/{verb}", body)

    def count(of: str, wanted: int) -> None:
        until(
            lambda: len(core.get("/v1/now")[of]) == wanted,
            within=60,
            every=0.3,
            what=f"{wanted} {of}",
        )

    shop.failing |= {"web5/site", "app6/worker"}
    count("fixed", 2)
    say("maintenance", "backup1", "the tape library is exchanged", 4)
    shop.failing |= {"backup1/nightly", "gw2/uplink"}
    count("needs", 1)
    say("ack", "gw2/uplink", "the provider is on it", 2)
    count("in_hand", 1)
    shop.failing |= {"mail1/queue", "shop2/checkout"}
    count("needs", 2)
    shop.failing |= {*SLOW, *PROVEN}
    count("repairing", 3)


def main() -> int:
    """Make the picture; gives the exit code."""
    with opened() as shop, Whole(configuration(shop)) as whole, chromium() as browser:
        every = sum(count * len(checks) for count, checks in KINDS.values())
        until(
            lambda: whole.client.get("/v1/checks", limit=1000)["checks"][every - 1 :],
            within=60,
            what="all checks",
        )
        page = logged_in(
            browser,
            whole,
            "kim",
            "admin",
            viewport={"width": WIDTH, "height": HEIGHT},
            color_scheme="light",
        )
        cookie = next(one["value"] for one in page.context.cookies() if one["name"] == COOKIE)
        play(shop, whole.client.on_behalf(cookie))
        page.wait_for_selector("#repairing .row >> nth=2")
        page.wait_for_timeout(3000)
        page.screenshot(path=OUT, full_page=True)
    size = OUT.stat().st_size
    sys.stdout.write(f"{OUT}: {size} bytes\n")
    return 0 if size <= LARGEST else 1


if __name__ == "__main__":
    sys.exit(main())
