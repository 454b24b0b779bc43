"""The `http` probe against a real nginx and against servers that say exact bytes."""

from __future__ import annotations

import asyncio
import base64
import gzip
import socket
import threading
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from monitord.model.result import Cause, Result, Status
from monitord.probes.network.resolver import resolve
from monitord.secrets import SecretRef
from tests.probes_network.ask import ask
from tests.probes_network.conftest import Speaking
from tests.world.needs import requires
from tests.world.peers import Nginx
from tests.world.process import free_port

OK = b"HTTP/1.1 200 OK\r\n"


def page(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def fetch(url: str, *, timeout: float = 5.0, **spec: Any) -> Result:
    return ask("http", {"url": url, **spec}, timeout=timeout)


@pytest.mark.parametrize("plain", [False, True], ids=["uvloop", "asyncio"])
@requires("nginx")
def test_a_healthy_page_is_ok_and_measured(nginx: Nginx, plain: bool) -> None:
    spec = {"url": f"{nginx.url}/health", "status": 200, "body": "ok", "warning": "2s"}
    result = ask("http", spec, plain=plain)
    assert result.status is Status.OK
    assert result.summary.startswith(f"{nginx.url}/health: 200 in ")
    assert [(m.name, m.unit) for m in result.measurements] == [
        ("time", "s"),
        ("connect", "s"),
        ("size", "B"),
    ]
    time, connect, size = result.measurements
    assert 0 < connect.value <= time.value < 2
    assert (size.value, time.warning) == (3, "2")


@requires("nginx")
def test_a_missing_page_says_what_was_answered_and_expected(nginx: Nginx) -> None:
    result = fetch(f"{nginx.url}/nothing")
    assert result.status is Status.CRITICAL
    assert "answered 404 in " in result.summary
    assert result.summary.endswith("expected 200-399")
    assert "HTTP 404" in result.details
    assert "server: nginx" in result.details


NGINX_PAGES = """
location = /moved { return 301 /health; }
location = /gzip { root /; try_files /none @text; }
location @text {
    gzip on; gzip_min_length 1; gzip_types text/plain; default_type text/plain;
    return 200 "packed text, long enough to be packed\\n";
}
location = /post { if ($request_method != POST) { return 405; } return 201; }
"""


@requires("nginx")
def test_what_nginx_does_with_redirects_methods_and_packing() -> None:
    with Nginx(extra=NGINX_PAGES) as web:
        assert fetch(f"{web.url}/moved", body="ok").status is Status.OK
        assert fetch(f"{web.url}/moved", redirects="no", status=301).status is Status.OK
        assert fetch(f"{web.url}/health", method="HEAD").status is Status.OK
        assert fetch(f"{web.url}/post", method="POST", send="x=1", status=201).status is Status.OK
        packed = fetch(
            f"{web.url}/gzip",
            headers={"Accept-Encoding": "gzip"},
            body="packed text",
            expect_headers={"Content-Encoding": "^gzip$"},
        )
        assert packed.status is Status.OK, packed.summary


@requires("nginx")
def test_ipv6_literals_in_urls() -> None:
    port = free_port()
    with Nginx(extra=f"listen [::1]:{port};") as web:
        assert web.is_ready()
        result = fetch(f"http://[::1]:{port}/health", body="ok")
        assert result.status is Status.OK, result.summary


def test_a_refused_connection_is_critical() -> None:
    result = fetch(f"http://127.0.0.1:{free_port()}/health")
    assert result.status is Status.CRITICAL
    assert result.summary.endswith("/health: connection refused")


def test_a_name_that_does_not_exist_is_critical() -> None:
    result = fetch("http://no-such-host.invalid/")
    assert result.status is Status.CRITICAL
    assert result.summary == "http://no-such-host.invalid/: no such host name"


RESOLVER = (
    "printf 'nameserver 127.0.0.66\\noptions timeout:1 attempts:1\\n' > /tmp/r$$; "
    "mount --bind /tmp/r$$ /etc/resolv.conf; rm /tmp/r$$;"
)


def test_a_resolver_that_does_not_answer_is_unknown(namespace: Any) -> None:
    """Not the target's fault: the cause makes all such checks one incident."""
    url = {"url": "http://shop.example.com/"}
    refusing = namespace(RESOLVER, [["http", url, "", 5.0]])[0]
    drop = (
        "nft 'add table ip t; add chain ip t in { type filter hook input priority 0; }; "
        "add rule ip t in udp dport 53 drop';"
    )
    silent = namespace(RESOLVER + drop, [["http", url, "", 0.4]])[0]
    assert refusing[0] == silent[0] == "UNKNOWN"
    assert refusing[2] == silent[2] == Cause.RESOLVER
    assert silent[1] == "http://shop.example.com/: no name lookup within 400 ms"


@pytest.mark.parametrize(
    ("status", "answered", "expected"),
    [
        (200, "200 OK", Status.OK),
        (200, "204 No Content", Status.CRITICAL),
        ("2xx", "204 No Content", Status.OK),
        ("200-299", "299 X", Status.OK),
        ([200, 503], "503 Sick", Status.OK),
        ("4xx, 200", "418 Teapot", Status.OK),
        ("2xx", "500 Sick", Status.CRITICAL),
    ],
)
def test_status_sets(speaker: Speaking, status: Any, answered: str, expected: Status) -> None:
    web = speaker(page(b"", status=answered))
    assert fetch(web.url, status=status).status is expected


BODIES: list[tuple[str, bytes, dict[str, Any], str]] = [
    ("text", page(b"all ok"), {"body": "ok"}, ""),
    ("no text", page(b"all ill"), {"body": "ok"}, 'the body has no "ok"; it begins "all ill"'),
    ("empty", page(b""), {"body": "ok"}, 'the body has no "ok"; it is empty'),
    ("regex", page(b"version 12"), {"regex": r"version \d+"}, ""),
    ("no regex", page(b"x"), {"regex": "y+"}, 'the body has no match of /y+/; it begins "x"'),
    ("not_regex", page(b"Error: 7"), {"not_regex": "(?i)error"}, '/(?i)error/: "Error"'),
    ("until close", OK + b"\r\nall ok", {"body": "ok"}, ""),
    (
        "chunked",
        OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nall\r\n3;x=y\r\n ok\r\n0\r\nT: r\r\n\r\n",
        {"body": "all ok"},
        "",
    ),
    ("interim", b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + page(b"ok"), {"body": "ok"}, ""),
    ("continue", b"HTTP/1.1 100 Continue\r\n\r\n" + page(b"ok"), {"body": "ok"}, ""),
    ("gzip", page(gzip.compress(b"all ok"), "Content-Encoding: gzip"), {"body": "ok"}, ""),
    ("deflate", page(zlib.compress(b"all ok"), "Content-Encoding: deflate"), {"body": "ok"}, ""),
    (
        "raw deflate",
        page(zlib.compress(b"all ok")[2:-4], "Content-Encoding: deflate"),
        {"body": "ok"},
        "",
    ),
    ("no gzip", page(b"plain", "Content-Encoding: gzip"), {"body": "ok"}, "not valid gzip"),
    ("brotli", page(b"?", "Content-Encoding: br"), {"body": "ok"}, "packed as 'br'"),
    (
        "latin-1",
        page("grün".encode("latin-1"), "Content-Type: text/plain; charset=ISO-8859-1"),
        {"body": "grün"},
        "",
    ),
    (
        "a charset that is none",
        page(b"ok", "Content-Type: text/plain; charset=unicode_escape"),
        {"body": "ok"},
        "",
    ),
    ("json", page(b'{"a": [{"b": "up"}]}'), {"json": {"path": "a[0].b", "equals": "up"}}, ""),
    (
        "json differs",
        page(b'{"a": 1}'),
        {"json": {"path": "a", "equals": True}},
        "a is 1, expected true",
    ),
    ("json missing", page(b"{}"), {"json": {"path": "a.b"}}, "a.b is not in the answer"),
    ("json null", page(b'{"a": null}'), {"json": {"path": "a"}}, ""),
    (
        "json limit",
        page(b'{"lag": 12.5}'),
        {"json": [{"path": "lag", "warning": 10, "critical": 100}]},
        "lag is 12.5, the limit is 10",
    ),
    (
        "json no number",
        page(b'{"lag": "12"}'),
        {"json": {"path": "lag", "critical": 100}},
        'lag is "12", expected a number',
    ),
    ("no json", page(b"<html>"), {"json": {"path": "a"}}, "the body is not JSON"),
    ("json bomb", page(b"[" * 100_000), {"json": {"path": "a"}}, "nested too deep"),
    ("json infinity", page(b'{"a":1e999}'), {"json": {"path": "a", "critical": 5}}, "a number"),
    (
        "header",
        page(b"", "Content-Type: text/html; charset=utf-8"),
        {"expect_headers": {"content-type": "^text/html"}},
        "",
    ),
    ("no header", page(b""), {"expect_headers": {"X-Own": ""}}, "header X-Own is missing"),
    (
        "wrong header",
        page(b"", "X-Own: you"),
        {"expect_headers": {"X-Own": "me"}},
        'header X-Own is "you", expected /me/',
    ),
    ("slow", page(b""), {"warning": "1ms", "critical": "@0:0.000001"}, ""),
    ("too slow", page(b""), {"critical": "@0:9"}, "the limit is @0:9 s"),
]


@pytest.mark.parametrize(
    ("answer", "spec", "said"), [b[1:] for b in BODIES], ids=[b[0] for b in BODIES]
)
def test_what_is_expected_of_an_answer(
    speaker: Speaking, answer: bytes, spec: dict[str, Any], said: str
) -> None:
    result = fetch(speaker(answer).url, **spec)
    if said:
        assert said in result.summary
        assert result.status is (Status.WARNING if "limit is 10" in said else Status.CRITICAL)
    else:
        assert result.status is not Status.CRITICAL, result.summary


def test_an_error_page_is_one_finding(speaker: Speaking) -> None:
    """Body and JSON are not judged under a bad status."""
    web = speaker(page(b"<h1>sorry</h1>", status="503 Sick"))
    result = fetch(web.url, status=200, body="ok", json={"path": "a"})
    assert result.summary.endswith("expected 200")
    assert result.details.endswith("<h1>sorry</h1>")


def test_credentials_are_sent_and_never_shown(
    speaker: Speaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROBE_TOKEN", "s3cr3t-token")
    web = speaker(page(b"you sent s3cr3t-token, s3cr3t-token", status="500 Sick"))
    token = SecretRef("env", "PROBE_TOKEN")
    result = fetch(web.url, headers={"X-Token": token}, status=500, body="no such text")
    assert b"X-Token: s3cr3t-token\r\n" in web.requests[0]
    assert result.status is Status.CRITICAL
    assert "s3cr3t" not in result.summary + result.details
    fetch(web.url, auth={"user": "kim", "password": token})
    pair = base64.b64encode(b"kim:s3cr3t-token")
    assert b"Authorization: Basic " + pair + b"\r\n" in web.requests[1]
    fetch(web.url, auth={"bearer": token})
    assert b"Authorization: Bearer s3cr3t-token\r\n" in web.requests[2]


def test_a_secret_that_cannot_be_read_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_TOKEN", raising=False)
    result = fetch("http://127.0.0.1:1/", headers={"X-Token": SecretRef("env", "NO_TOKEN")})
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)
    assert "export it" in result.summary


def test_a_secret_with_a_line_end_cannot_become_a_header(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("a\r\nX-Evil: 1\n\n")
    secret.chmod(0o600)
    reference = SecretRef("file", str(secret))
    result = fetch("http://127.0.0.1:1/", headers={"X-Token": reference})
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)


def test_a_redirect_to_another_origin_gets_no_credentials(
    speaker: Speaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROBE_TOKEN", "s3cr3t-token")
    token = SecretRef("env", "PROBE_TOKEN")
    stranger = speaker(page(b"ok"))
    home = speaker(page(b"", f"Location: {stranger.url}x?a b", status="307 Moved"))
    result = fetch(
        home.url,
        method="POST",
        send=token,
        headers={"X-Token": token, "Cookie": "id=1", "X-Plain": "1"},
        auth={"user": "kim", "password": token},
    )
    assert result.status is Status.OK, result.summary
    assert b"s3cr3t-token" in home.requests[0]
    (told,) = stranger.requests
    assert told.startswith(b"POST /x?a%20b HTTP/1.1\r\n")
    assert b"X-Plain: 1" in told
    for private in (b"s3cr3t", b"Cookie", b"Authorization"):
        assert private not in told


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("ftp://127.0.0.1/", "redirects to ftp://127.0.0.1/, which is no web page"),
        ("http://[::1/", "which is no web page"),
        ("http://" + "a" * 300 + "/", "which is no web page"),
        ("//:80/", "which is no web page"),
    ],
)
def test_redirects_that_lead_nowhere(speaker: Speaking, location: str, said: str) -> None:
    web = speaker(page(b"", f"Location: {location}", status="302 Found"))
    result = fetch(web.url)
    assert result.status is Status.CRITICAL
    assert said in result.summary


def test_a_redirect_without_a_place_is_judged_itself(speaker: Speaking) -> None:
    web = speaker(page(b"", status="302 Found"))
    assert fetch(web.url, status=302).status is Status.OK


def test_a_redirect_after_post_becomes_get(speaker: Speaking) -> None:
    web = speaker(page(b"", "Location: /done", status="303 See Other"), page(b"ok"))
    assert fetch(web.url, method="POST", send="x").status is Status.OK
    assert web.requests[1].startswith(b"GET /done HTTP/1.1\r\n")
    assert b"Content-Length" not in web.requests[1]


def test_the_request_names_host_and_agent_and_closes(speaker: Speaking) -> None:
    web = speaker(page(b"ok"))
    fetch(f"http://127.0.0.1:{web.port}", headers={"Host": "shop.example.com"})
    request = web.requests[0].decode()
    assert request.startswith("GET / HTTP/1.1\r\n")
    assert "\r\nHost: shop.example.com\r\n" in request
    assert request.count("Host:") == 1
    assert "\r\nConnection: close\r\n" in request
    assert "User-Agent: monitord/" in request


def test_only_the_spec_s_share_of_a_body_is_read(speaker: Speaking) -> None:
    web = speaker(page(b"x" * 5000 + b"ok"))
    result = fetch(web.url, read=1000, body="ok")
    assert result.status is Status.CRITICAL
    assert "in the first 1000 bytes" in result.summary
    assert result.measurements[2].value == 1000


def test_two_names_for_one_host_share_a_lookup_and_any_address_will_do(speaker: Speaking) -> None:
    """The name is ::1 and 127.0.0.1; the server listens on the second only."""
    web = speaker(page(b"ok"))
    assert fetch(f"http://localhost:{web.port}/", body="ok").status is Status.OK
    refused = fetch(f"http://localhost:{web.port}/", family="ipv6")
    assert refused.status is Status.CRITICAL


def test_a_dead_resolver_does_not_hold_up_the_end(namespace: Any) -> None:
    """The interpreter must not wait for lookups at its exit."""
    slow = RESOLVER.replace("timeout:1 attempts:1", "timeout:20 attempts:2")
    drop = (
        "nft 'add table ip t; add chain ip t in { type filter hook input priority 0; }; "
        "add rule ip t in udp dport 53 drop';"
    )
    started = time.monotonic()
    url = {"url": "http://shop.example.com/"}
    (result,) = namespace(slow + drop, [["http", url, "", 0.3]])
    assert result[2] == Cause.RESOLVER
    assert time.monotonic() - started < 10


def test_overlapping_lookups_share_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    answering = threading.Event()

    def looked_up(host: str, *_: Any) -> list[Any]:
        asked.append(host)
        answering.wait(10)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)

    async def many() -> list[Sequence[str]]:
        names = [f"h{i % 40}.example.com" for i in range(200)]
        tasks = [asyncio.ensure_future(resolve(name)) for name in names]
        await asyncio.sleep(0)  # all have asked
        answering.set()
        return list(await asyncio.gather(*tasks))

    assert all(found == ["127.0.0.1"] for found in asyncio.run(many()))
    assert len(asked) == 40
    resolvers = [thread for thread in threading.enumerate() if thread.name == "resolver"]
    assert 1 <= len(resolvers) <= 16
