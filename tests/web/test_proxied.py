"""Who asks through a reverse proxy: believed of the listed ones, and of nobody else."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

import pytest

from monitord.web.proxied import believing
from tests.api.cores import FakeCore
from tests.web.browser import WORDS
from tests.web.conftest import Answer, Web
from tests.web.test_console import session

PROXY, STRANGER = "127.0.0.2", "127.0.0.3"
Headers = Sequence[tuple[str, str]]


def seen(trusted: Sequence[str], client: str, headers: Headers) -> tuple[str, str]:
    """Give the address and the scheme that the app sees of a request."""
    found: dict[str, Any] = {}

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        found.update(scope)

    given = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "scheme": "http", "client": (client, 1234), "headers": given}
    asyncio.run(believing(trusted, app)(scope, None, None))  # type: ignore[arg-type] # nothing is read or sent
    return found["client"][0], found["scheme"]


FOR = "x-forwarded-for"
LIES: Headers = ((FOR, "6.6.6.6"), ("x-forwarded-proto", "https"))


@pytest.mark.parametrize(
    ("trusted", "client", "headers", "address"),
    [
        ((), "10.0.0.1", LIES, "10.0.0.1"),
        (("10.0.0.1/32",), "10.0.0.2", LIES, "10.0.0.2"),
        (("10.0.0.1/32",), "10.0.0.1", (), "10.0.0.1"),
        (("10.0.0.1/32",), "10.0.0.1", ((FOR, "6.6.6.6, 203.0.113.9"),), "203.0.113.9"),
        (("10.0.0.1/32",), "10.0.0.1", ((FOR, "6.6.6.6"), (FOR, "203.0.113.9")), "203.0.113.9"),
        (("10.0.0.0/24",), "10.0.0.1", ((FOR, "6.6.6.6, 203.0.113.9, 10.0.0.7"),), "203.0.113.9"),
        (("10.0.0.1/32",), "10.0.0.1", ((FOR, "203.0.113.9:50123"),), "203.0.113.9"),
        (("10.0.0.1/32",), "10.0.0.1", ((FOR, "[2001:db8::9]:50123"),), "2001:db8::9"),
        (("10.0.0.1/32",), "::ffff:10.0.0.1", ((FOR, "203.0.113.9"),), "203.0.113.9"),
        (("10.0.0.1/32",), "::ffff:10.0.0.2", LIES, "::ffff:10.0.0.2"),
        (("2001:db8::/64",), "2001:db8::1", ((FOR, "2001:db8:1::9"),), "2001:db8:1::9"),
        (("10.0.0.1/32",), "10.0.0.1", ((FOR, "6.6.6.6, 10.0.0.1x"),), "10.0.0.1x"),
        (("10.0.0.1/32",), "10.0.0.1", ((FOR, ""),), "10.0.0.1"),
        (("10.0.0.1/32",), "10.0.0.1", (("forwarded", "for=6.6.6.6"),), "10.0.0.1"),
    ],
)
def test_the_first_from_the_right_that_is_no_proxy_of_ours_is_who_asks(
    trusted: Sequence[str], client: str, headers: Headers, address: str
) -> None:
    assert seen(trusted, client, headers)[0] == address


def test_only_a_proxy_of_ours_says_that_it_is_https() -> None:
    assert seen(("10.0.0.1/32",), "10.0.0.1", LIES) == ("6.6.6.6", "https")
    assert seen(("10.0.0.1/32",), "10.0.0.2", LIES) == ("10.0.0.2", "http")
    told: Headers = (("x-forwarded-proto", "javascript"),)
    assert seen(("10.0.0.1/32",), "10.0.0.1", told)[1] == "http"


@pytest.fixture(scope="module")
def behind() -> Iterator[Web]:
    with FakeCore() as core, Web(core, proxy=f"{PROXY}/32") as web:
        session(web, "kim", "viewer")
        yield web


def login(web: Web, source: str, name: str, **headers: str) -> Answer:
    """Try to log in from one of this machine's addresses."""
    connection = http.client.HTTPConnection("127.0.0.1", web.port, 30, (source, 0))
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        password = WORDS if name else ""
        connection.request("POST", "/login", urlencode({"name": name, "password": password}), given)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(), dict(answer.getheaders()))
    finally:
        connection.close()


def came_from(web: Web) -> str:
    (row,) = web.core.client.get("/v1/audit", newest=1, act="login", limit=1)["rows"]
    where, way = str(row["detail"]).split(", by ")
    assert way in ("password", "link")
    return where


def test_the_record_says_where_somebody_came_from_and_the_cookie_is_for_tls(behind: Web) -> None:
    told = {"X_Forwarded_For": "6.6.6.6, 203.0.113.9", "X_Forwarded_Proto": "https"}
    answer = login(behind, PROXY, "kim", **told)
    assert (answer.status, came_from(behind)) == (303, "203.0.113.9")
    assert "Secure" in answer.headers["set-cookie"]
    answer = login(behind, STRANGER, "kim", **told)
    assert (answer.status, came_from(behind)) == (303, STRANGER)
    assert "Secure" not in answer.headers["set-cookie"]


def test_tries_count_by_address_and_another_header_is_no_other_address(behind: Web) -> None:
    def tried(source: str, address: str) -> int:
        return login(behind, source, "", X_Forwarded_For=address).status

    assert [tried(PROXY, "203.0.113.1") for _ in range(21)][-1] == 429
    assert tried(PROXY, "203.0.113.2") == 401
    assert [tried(STRANGER, f"198.51.100.{n}") for n in range(21)][-1] == 429
