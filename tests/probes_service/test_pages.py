"""nginx, and the pages of Apache, HAProxy and PHP-FPM as their manuals show them."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from monitord.model.result import Cause, Status
from tests.probes_service.asking import ask, ask_all, site
from tests.world.needs import need
from tests.world.peers import Nginx

FPM = """{"pool":"www","process manager":"dynamic","start time":1,"start since":9,
"accepted conn":12,"listen queue":%d,"max listen queue":1,"listen queue len":511,
"idle processes":1,"active processes":1,"total processes":2,"max active processes":1,
"max children reached":%d,"slow requests":0}"""
APACHE = "h\nServerUptimeSeconds: 60\nBusyWorkers: %d\nIdleWorkers: 2\nScoreboard: %s\n"
CSV = """# pxname,svname,qcur,scur,slim,status,check_status,
front,FRONTEND,,%d,100,OPEN,,
shop,s1,0,0,,%s,L4CON,
shop,s2,0,0,,UP,L4OK,
shop,BACKEND,0,0,200,%s,,
"""


@pytest.fixture(scope="module")
def web() -> Iterator[Nginx]:
    need("nginx")
    with Nginx(extra="location /status { stub_status; } location /no { deny all; }") as peer:
        yield peer


def test_a_healthy_nginx_tells_of_its_connections(web: Nginx) -> None:
    result = ask("nginx", url=f"{web.url}/status")
    assert result.status is Status.OK
    assert "1 connections open" in result.summary
    assert {one.name for one in result.measurements} >= {"connections", "requests", "dropped"}


def test_nginx_with_too_many_connections_is_critical(web: Nginx) -> None:
    held = [socket.create_connection(("127.0.0.1", web.port)) for _ in range(4)]
    result = ask("nginx", url=f"{web.url}/status", connections={"warning": 2, "critical": 3})
    for one in held:
        one.close()
    assert result.status is Status.CRITICAL
    assert "5 connections open (limit 3)" in result.summary


def test_connections_that_nginx_dropped_since_the_last_look_are_told() -> None:
    page = (
        "Active connections: 3 \nserver accepts handled requests\n 100 90 200 \n"
        "Reading: 0 Writing: 1 Waiting: 2 \n"
    )
    with site({"/s": page}) as served:
        first = ask("nginx", url=f"{served.url}/s")
        later = ask("nginx", {"": {"dropped": 4}}, url=f"{served.url}/s")
    assert first.status is Status.OK
    assert dict(first.memory) == {"dropped": 10}
    assert later.status is Status.WARNING
    assert "6 connections dropped since the last look" in later.summary


def test_a_page_that_is_refused_is_our_login_and_another_page_is_no_status(web: Nginx) -> None:
    refused = ask("nginx", url=f"{web.url}/no")
    assert (refused.status, refused.cause) == (Status.UNKNOWN, Cause.LOGIN)
    other = ask("nginx", url=f"{web.url}/health")
    assert (other.status, other.cause) == (Status.UNKNOWN, Cause.PLUGIN)
    assert "not nginx's stub_status" in other.summary


def test_a_server_that_is_gone_is_critical(web: Nginx) -> None:
    gone = ask("nginx", url="http://127.0.0.1:1/status")
    assert gone.status is Status.CRITICAL
    assert "connection refused" in gone.summary


@pytest.mark.parametrize(
    ("busy", "status", "said"),
    [(1, "OK", "1 of 10 workers busy"), (9, "WARNING", "9 of 11 workers busy (81.8 %)"),
     (98, "CRITICAL", "MaxRequestWorkers is too low (limit 95 %)")],
)  # fmt: skip
def test_apaches_workers(busy: int, status: str, said: str) -> None:
    with site({"/server-status?auto": APACHE % (busy, "W" * 10)}) as served:
        result = ask("apache", url=f"{served.url}/server-status?auto")
    assert result.status.name == status
    assert said in result.summary


@pytest.mark.parametrize(
    ("queue", "reached", "status", "said"),
    [(0, 0, "OK", "1 of 2 workers busy"), (3, 0, "WARNING", "3 requests wait"),
     (30, 0, "CRITICAL", "30 requests wait"), (0, 2, "WARNING", "max_children reached 2 times")],
)  # fmt: skip
def test_requests_that_wait_for_php(queue: int, reached: int, status: str, said: str) -> None:
    with site({"/fpm?json": FPM % (queue, reached)}) as served:
        result = ask("php_fpm", {"": {"reached": 0}}, url=f"{served.url}/fpm?json")
    assert result.status.name == status
    assert said in result.summary


@pytest.mark.parametrize(
    ("sessions", "server", "backend", "item", "status", "said"),
    [(5, "UP", "UP", "shop", "OK", "up, 2 of 2 servers"),
     (97, "UP", "UP", "front", "CRITICAL", "frontend has 97 of 100 sessions (97 %) (limit 95 %)"),
     (5, "DOWN", "UP", "shop", "WARNING", "1 of 2 servers down: s1 (L4CON)"),
     (5, "DOWN", "DOWN", "shop", "CRITICAL", "backend down, all of its 2 servers: s1")],
)  # fmt: skip
def test_proxies(
    sessions: int, server: str, backend: str, item: str, status: str, said: str
) -> None:
    with site({"/stats;csv": CSV % (sessions, server, backend)}) as served:
        found = ask_all("haproxy", url=f"{served.url}/stats;csv")
    assert set(found) == {"front", "shop"}
    assert found[item].status.name == status
    assert said in found[item].summary


def test_what_is_no_page_of_theirs_is_unknown() -> None:
    with site({"/x": "<html>hello"}) as served:
        for kind in ("apache", "php_fpm", "haproxy", "nginx"):
            result = ask(kind, url=f"{served.url}/x")
            assert (result.status, result.cause) == (Status.UNKNOWN, Cause.PLUGIN), kind
