"""monitord-web as the network sees it: a real process in front of a real control socket."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time

import pytest

from monitord.model.ids import Instant
from monitord.pings import TAIL, spooled
from tests.api.cores import FakeCore
from tests.web.conftest import Web
from tests.world.process import answers
from tests.world.until import until

NOW = Instant(10**17)


def test_a_plain_get_of_the_url_says_that_the_job_succeeded(web: Web) -> None:
    assert web.ask(web.ping()).status == 200
    (call,) = web.core.calls("job")
    assert (call["key"], call["event"], call["exit_code"]) == ("db1/nightly", "success", None)
    assert call["by"] == "ping"


@pytest.mark.parametrize(
    ("last", "event", "code"),
    [
        ("/start", "start", None),
        ("/fail", "fail", None),
        ("/0", "success", 0),
        ("/3", "fail", 3),
        ("/255", "fail", 255),
    ],
)
def test_the_end_of_the_path_says_what_happened(
    web: Web, last: str, event: str, code: int | None
) -> None:
    assert web.ask(web.ping() + last, "POST", b"out").status == 200
    (call,) = web.core.calls("job")
    assert (call["event"], call["exit_code"], call["output"]) == (event, code, "out")


def test_a_long_output_keeps_its_end(web: Web) -> None:
    body = b"x" * 300_000 + b"the end"
    assert web.ask(web.ping(), "POST", body).status == 200
    (call,) = web.core.calls("job")
    assert len(call["output"]) == TAIL
    assert call["output"].endswith("the end")


@pytest.mark.parametrize(
    "path",
    [
        "/ping/" + "0" * 32,
        "/ping/short",
        "/ping/" + "0" * 5000,
        "/ping/%ff%00",
        "/ping/",
        "/ping",
        "/v1/status",
        "/ping/../../etc/passwd",
    ],
)
def test_what_is_not_served_is_not_there(web: Web, path: str) -> None:
    assert web.ask(path).status == 404
    assert web.core.calls() == []


@pytest.mark.parametrize("last", ["/256", "/-1", "/1e3", "/start/x", "/START", "/٣", "/3000"])
def test_a_path_that_says_nothing_known_reports_nothing(web: Web, last: str) -> None:
    with contextlib.suppress(UnicodeEncodeError):
        assert web.ask(web.ping() + last).status == 404
    assert web.core.calls() == []


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_only_get_and_post_report(web: Web, method: str) -> None:
    assert web.ask(web.ping(), method).status == 405
    assert web.core.calls() == []


def test_every_answer_carries_the_headers_that_keep_browsers_out(web: Web) -> None:
    for path in ("/healthz", "/metrics", "/nothing", web.ping()):
        headers = web.ask(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


def test_a_ping_while_the_core_is_down_is_kept_and_said_so(lone_web: Web) -> None:
    lone_web.core.stop()
    assert lone_web.ask(lone_web.ping() + "/4", "POST", b"no space").status == 202
    ((_, report),) = spooled(lone_web.core.state / "spool", now=NOW)
    assert (report.key, report.event, report.exit_code) == ("db1/nightly", "fail", 4)
    assert (report.output, report.by) == ("no space", "ping")


def test_a_ping_that_cannot_even_be_kept_is_refused_so_that_it_is_sent_again(lone_web: Web) -> None:
    lone_web.core.stop()
    (lone_web.core.state / "spool").rmdir()
    answer = lone_web.ask(lone_web.ping())
    assert (answer.status, answer.body) == (503, b"it could not be kept; try again\n")


def test_unknown_tokens_fill_no_spool_while_the_core_is_down(lone_web: Web) -> None:
    lone_web.core.stop()
    assert lone_web.ask("/ping/" + "0" * 32).status == 404
    assert spooled(lone_web.core.state / "spool", now=NOW) == []


def test_a_core_that_hangs_costs_a_ping_a_few_seconds_and_not_its_report(lone_web: Web) -> None:
    os.kill(lone_web.core.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert lone_web.ask(lone_web.ping()).status == 202
        assert time.monotonic() - began < 10
    finally:
        os.kill(lone_web.core.pid, signal.SIGCONT)


def test_a_job_that_came_with_a_reload_is_learned_from_the_core(core: FakeCore) -> None:
    with Web(core, jobs=()) as web:
        assert web.ask(web.ping()).status == 200
    assert core.calls("job")[0]["key"] == "db1/nightly"


def test_a_job_that_the_core_no_longer_knows_is_gone(core: FakeCore) -> None:
    with Web(core, jobs=("db1/old",)) as web:
        answer = web.ask(web.ping("db1/old"))
    assert (answer.status, answer.body) == (404, b"this job is no longer watched\n")


def test_health_and_readiness_are_its_own_and_the_core_s(lone_web: Web) -> None:
    assert lone_web.ask("/healthz").body == b'{"web":true,"core":true}'
    assert lone_web.ask("/readyz").status == 200
    lone_web.core.stop()
    until(lambda: lone_web.ask("/healthz").status == 503)
    assert lone_web.ask("/healthz").body == b'{"web":true,"core":false}'
    until(lambda: lone_web.ask("/readyz").status == 503)  # each answer is kept for a second


def test_metrics_are_the_core_s_and_503_when_it_is_dead(lone_web: Web) -> None:
    answer = lone_web.ask("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert b"monitord_checks_run_total 3.0" in answer.body
    assert b"web1/site" in lone_web.ask("/metrics?checks=1").body
    lone_web.core.stop()
    until(lambda: lone_web.ask("/metrics").status == 503)


def test_a_flood_of_scrapes_reaches_the_core_once_a_second(web: Web) -> None:
    bodies = {web.ask("/metrics").body for _ in range(20)}
    assert len(bodies) <= 2


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff\xfe" * 1000,
        b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /ping/x HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 2_000_000,
        b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 50_000,
        b"GET /ping/\xf0\x28\x8c\x28 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /ping/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"GET /healthz HTTP/1.1\r\n" * 3,
    ],
)
def test_hostile_bytes_end_their_own_connection(web: Web, garbage: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        assert b" 500 " not in web.raw(garbage)
    assert web.ask("/healthz").status == 200


def test_a_sender_that_goes_away_in_mid_body_leaves_no_report(web: Web) -> None:
    with socket.create_connection(("127.0.0.1", web.port)) as sock:
        head = f"POST {web.ping()} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"
        sock.sendall(head.encode())
    assert web.ask("/healthz").status == 200
    assert web.core.calls("job") == []


class _SeenAtOnce(Web):
    """One that is believed ready at the first instant at which it listens."""

    def is_ready(self) -> bool:
        while self.is_running and not answers(self.port):
            pass
        return True


def test_it_ends_on_sigterm_with_success_from_the_instant_it_listens(core: FakeCore) -> None:
    with _SeenAtOnce(core) as web:
        process = web._process
        assert process is not None
        web.stop()
        assert process.returncode == 0


def test_a_job_may_send_all_its_output_and_its_end_is_kept(web: Web) -> None:
    assert web.ask(web.ping(), "POST", b"x" * 50_000_000 + b"the end").status == 200
    (call,) = web.core.calls("job")
    assert call["output"].endswith("the end")


def test_one_address_cannot_take_the_places_of_all(lone_web: Web) -> None:
    with contextlib.ExitStack() as held:
        for _ in range(250):
            sock = held.enter_context(socket.create_connection(("127.0.0.1", lone_web.port)))
            with contextlib.suppress(ConnectionError):
                sock.sendall(b"GET /healthz HTTP/1.1\r\n")
        asked = held.enter_context(
            socket.create_connection(
                ("127.0.0.1", lone_web.port), timeout=5, source_address=("127.0.0.2", 0)
            )
        )
        asked.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert asked.recv(100).startswith(b"HTTP/1.1 200")
