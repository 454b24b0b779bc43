"""The `journey` probe: a way through a site, and through one that lies, echoes and leads astray."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import ValidationError

from monitord.model.result import Cause, Result, Status
from monitord.probes.network.journey_spec import JourneySpec
from monitord.secrets import SecretRef
from tests.probes_network.ask import ask
from tests.probes_network.conftest import Speaking
from tests.probes_network.shop import ORDER, PASSWORD, TOKEN, Shop, shop

SECRET = SecretRef("env", "JOURNEY_PASSWORD")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("JOURNEY_PASSWORD", PASSWORD)
    with shop() as made:
        yield made


def steps(**last: Any) -> list[dict[str, Any]]:
    form = {"user": "monitor", "password": SECRET, "csrf": "{token}"}
    return [
        {"name": "login page", "path": "/login", "capture": {"token": {"field": "csrf"}}},
        {"name": "log in", "path": "/login", "form": form, "body": "Log out",
         "capture": {"sid": {"cookie": "sid"}, "next": {"header": "X-Next"}}},
        {"name": "orders", "path": "/orders", "json": {"path": "count", "equals": 1},
         "capture": {"order": {"json": "list[0].id"}}},
        {"name": "one order", "path": "/orders/{order}?of={order}", **last},
    ]  # fmt: skip


def go(site: Shop, given: list[dict[str, Any]] | None = None, **more: Any) -> Result:
    return ask("journey", {"url": site.url, "steps": given or steps(), "clear_text": True, **more})


def test_a_visitor_logs_in_and_sees_an_order(site: Shop) -> None:
    result = go(site)
    assert result.status is Status.OK, result.summary
    assert result.summary.startswith(f"{site.url}: 4 steps in ")
    names = [one.name for one in result.measurements]
    assert names == ["time", "login_page.time", "log_in.time", "orders.time", "one_order.time"]
    assert [path for _, path, _, _ in site.heard] == [
        "/login", "/login", "/home", "/orders",
        f"/orders/{quote(ORDER, safe='')}?of={quote(ORDER, safe='')}",
    ]  # fmt: skip


def test_a_captured_value_is_data_in_every_slot(site: Shop) -> None:
    sent = {"deep": ["{order}", {"{order}": "x {order} {token}"}], "n": 1}
    assert go(site, steps(send_json=sent, method="PUT", headers={"X-O": "{next}"})).status == 0
    method, _, headers, body = site.heard[-1]
    assert (method, headers["X-O"]) == ("PUT", "9")
    # Neither the slot inside a value nor one in a key is filled.
    assert json.loads(body) == {
        "deep": [ORDER, {"{order}": f"x {ORDER} {TOKEN}"}], "n": 1
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "step", "told"),
    [("no token", "step 1 of 4 (login page)", "{token}: an input field csrf is not in the answer"),
     ("wrong", "step 2 of 4 (log in): POST /login", "answered 403"),
     ("stray", "step 2 of 4 (log in)", "redirects to 127.0.0.2:9, which is another site"),
     ("no order", "step 3 of 4 (orders)", "count is 0, expected 1")],
)  # fmt: skip
def test_the_step_that_fails_is_named(site: Shop, fault: str, step: str, told: str) -> None:
    site.faults = {fault}
    result = go(site)
    assert result.status is Status.CRITICAL
    assert step in result.summary
    assert told in result.summary


def test_no_secret_is_told_though_a_page_sends_it_back(site: Shop) -> None:
    site.faults = {"echo"}
    result = go(site)
    assert "answered 500" in result.summary
    assert "[redacted]" in result.details
    for part in ("geh", "eim", "<7>", "t/..", "t%2F"):
        assert part not in result.summary + result.details


def test_a_redirect_to_a_listed_site_goes_as_a_stranger(site: Shop) -> None:
    with shop() as other:
        site.faults = {"stray"}
        site.elsewhere = other.url.replace("127.0.0.1", "localhost") + "/login"
        form = {"user": "m", "password": SECRET, "csrf": "{token}"}
        way = [
            steps()[0],
            {"name": "log in", "path": "/login", "form": form, "headers": {"X-Key": "k-1234"}},
        ]
        assert go(site, way).status is Status.CRITICAL
        assert go(site, way, sites=["localhost"], family="ipv4").status is Status.OK
        method, _, headers, body = other.heard[-1]
    assert (method, body) == ("GET", "")
    assert not {"X-Key", "Cookie"} & set(headers)


@pytest.mark.parametrize(
    ("head", "step", "told"),
    [(b"X-V: ..\r\n", {"path": "/a/{v}/b"}, "'..', which would lead elsewhere"),
     (b"X-V: a\tb\r\n", {"path": "/", "headers": {"X-O": "{v}"}}, "line end or control character"),
     (b"X-V: " + b"a" * 5000 + b"\r\n", {"path": "/{v}"}, "5000 characters, 4096 are taken"),
     (b"X-V:\r\n", {"path": "/{v}"}, "header X-V is not in the answer"),
     (b"".join(b"Set-Cookie: c%d=1\r\n" % n for n in range(101)), {"path": "/"}, "100 cookies")],
)  # fmt: skip
def test_what_fits_in_no_slot_is_refused(
    speaker: Speaking, head: bytes, step: dict[str, Any], told: str
) -> None:
    peer = speaker(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + head + b"\r\n")
    way = [{"name": "one", "path": "/", "capture": {"v": {"header": "X-V"}}},
           {"name": "two", **step}]  # fmt: skip
    result = ask("journey", {"url": peer.url, "steps": way})
    assert result.status is Status.CRITICAL
    assert told in result.summary


@pytest.mark.parametrize(
    ("where", "body", "told"),
    [({"json": "v"}, b'{"v": "\\ud800"}', "{v} is no text"),  # half of a pair, in no bytes at all
     ({"field": "v"}, b"<input " + b"a=b " * 1000 + b"name=v value=1>", "field v is not in the")],
)  # fmt: skip
def test_what_no_site_writes_is_not_captured(
    speaker: Speaking, where: dict[str, str], body: bytes, told: str
) -> None:
    peer = speaker(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    way = [{"name": "one", "path": "/", "capture": {"v": where}}, {"name": "two", "path": "/{v}"}]
    result = ask("journey", {"url": peer.url, "steps": way})
    assert result.status is Status.CRITICAL
    assert told in result.summary


@pytest.mark.parametrize(
    "head",
    [b"302 Found\r\nLocation: http://Tok-1234.example/", b"200 OK\r\nContent-Encoding: Tok-1234"],
)
def test_a_token_is_not_told_where_a_site_puts_it_into_a_host_or_a_coding(
    speaker: Speaking, head: bytes
) -> None:
    head = b"HTTP/1.1 " + head + b"\r\nSet-Cookie: v=Tok-1234\r\nContent-Length: 1\r\n\r\nx"
    way = [{"name": "one", "path": "/", "body": "y"}]
    result = ask("journey", {"url": speaker(head).url, "steps": way})
    assert "[redacted]" in result.summary
    assert "tok-1234" not in result.summary.lower()


def test_slow_steps_and_a_slow_whole_are_told(site: Shop) -> None:
    assert "took" in go(site, warning="0.000001").summary
    slow = steps(warning="0.000001")
    result = go(site, slow)
    assert result.status is Status.WARNING
    assert "step 4 of 4 (one order)" in result.summary


def test_a_silent_step_is_named_when_the_time_is_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        way = [{"name": "read", "path": "/x"}]
        result = ask("journey", {"url": url, "steps": way}, timeout=0.3)
    assert result.status is Status.CRITICAL
    assert result.summary.endswith("step 1 of 1 (read): GET /x: no answer within 300 ms")


def test_an_unset_secret_is_our_own_fault(site: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOURNEY_PASSWORD")
    result = go(site)
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)


@pytest.mark.parametrize(
    ("change", "told"),
    [({"path": "/{tokn}", "capture": {}}, "did you mean {token}?"),
     ({"form": {}, "send": "x"}, "sends one of"),
     ({"capture": {"host": {"field": "x"}}}, "already the host's own"),
     ({"capture": {"x": {}}}, "needs one of field"),
     ({"path": "//{token}/"}, "the host must be written out"),
     ({"path": "https://{token}/"}, "the host must be written out"),
     ({"form": {"password": SECRET}}, "sends a secret without TLS"),
     ({"name": "Login page!"}, "needs a name of its own")],
)  # fmt: skip
def test_mistakes_are_told_at_loading(change: dict[str, Any], told: str) -> None:
    second = {"name": "two", "path": "/", **change}
    with pytest.raises(ValidationError) as raised:
        JourneySpec.model_validate({"url": "http://h/", "steps": [steps()[0], second]})
    assert told in str(raised.value)
