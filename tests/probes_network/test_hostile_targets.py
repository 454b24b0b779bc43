"""A hostile target costs a probe its deadline at most, bounded memory, and no descriptor."""

from __future__ import annotations

import asyncio
import gc
import gzip
import resource
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

import pytest
import uvloop

from monitord.model.kinds import Target
from monitord.model.result import Cause, Status
from monitord.probes.network import http
from monitord.probes.network.http_spec import HttpSpec
from tests.probes_network.ask import ask, run
from tests.probes_network.clean import is_clean
from tests.probes_network.conftest import ROOT, Speaking
from tests.probes_network.sockets import connected_to
from tests.world.hostile import MANNERS, hostile, tls_web
from tests.world.process import free_port

DEADLINE = 0.4
SLACK = 2.0  # seconds: two test processes share two cores; a probe that hangs would take for ever
# What a target may get away with: it answers, though too much of it.
ANSWERS = {"endless_body"}


@pytest.mark.parametrize("kind", ["http", "https", "tcp", "tcp+tls"])
@pytest.mark.parametrize("manner", sorted(MANNERS))
def test_it_costs_the_deadline_and_nothing_else(manner: str, kind: str) -> None:
    with hostile(manner) as target:
        probe, spec = specs(target.port)[kind]
        took, status, left = uvloop.run(timed(probe, spec, target.port))
    assert took < DEADLINE + SLACK
    assert status is (Status.OK if kind == "http" and manner in ANSWERS else Status.CRITICAL)
    assert left == 0


def specs(port: int) -> dict[str, tuple[str, dict[str, Any]]]:
    return {
        "http": ("http", {"url": f"http://127.0.0.1:{port}/"}),
        "https": ("http", {"url": f"https://127.0.0.1:{port}/", "tls": {"verify": False}}),
        "tcp": ("tcp", {"port": port, "send": "hello\r\n", "expect": "welcome"}),
        "tcp+tls": ("tcp", {"port": port, "tls": "yes"}),
    }


async def timed(kind: str, spec: dict[str, Any], port: int) -> tuple[float, Status, int]:
    """Run five probes at once; give the time, the status, and how many sockets stayed."""
    started = time.perf_counter()
    results = await asyncio.gather(*(run(kind, spec, "127.0.0.1", DEADLINE) for _ in range(5)))
    took = time.perf_counter() - started
    return took, results[0].status, await still_open(port)


async def still_open(port: int) -> int:
    # The loop closes what was dropped in its next rounds; a collection must not be needed.
    for _ in range(20):
        await asyncio.sleep(0)
    return connected_to(port)


@pytest.mark.parametrize("kind", ["http", "https", "tcp", "tcp+tls"])
@pytest.mark.parametrize("manner", ["silent", "drip", "endless_body"])
def test_a_probe_that_its_caller_cancels_leaves_no_socket(manner: str, kind: str) -> None:
    """The caller's own cut-off, at every point of time on the way."""

    async def cancelled() -> int:
        with hostile(manner) as target:
            probe, spec = specs(target.port)[kind]
            for rounds in range(25):
                task = asyncio.ensure_future(run(probe, spec, "127.0.0.1", 0.0))
                for _ in range(rounds):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            return await still_open(target.port)

    assert uvloop.run(cancelled()) == 0


BROKEN = {
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length of 40 digits": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 40 + b"\r\n\r\nx",
    "a length that is a lie": b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\nx",
    "100,000 header lines": b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 100_000 + b"\r\n",
    "100,000 interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000,
    "a chunk that is a lie": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\nx",
    "a chunk that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx",
    "half a header": b"HTTP/1.1 200 OK\r\nContent-Le",
    "half a status": b"HTTP/1.1 2",
    "HTTP/0.9": b"<html>hello</html>",
    "another protocol": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_answers_are_critical_and_say_why(speaker: Speaking, case: str) -> None:
    result = ask("http", {"url": speaker(BROKEN[case]).url}, timeout=2.0)
    assert result.status is Status.CRITICAL
    assert len(result.summary) <= 400
    assert is_clean(result.summary)


def test_a_switch_of_protocols_is_an_answer(speaker: Speaking) -> None:
    web = speaker(
        b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\x81"
    )
    assert ask("http", {"url": web.url, "status": 101}).status is Status.OK


def test_a_bomb_is_unpacked_only_as_far_as_is_read(speaker: Speaking) -> None:
    bomb = gzip.compress(b"\0" * 200_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    web = speaker(head.encode() + bomb)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = ask("http", {"url": web.url, "body": "ok"})
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert "in the first 1048576 bytes" in result.summary
    assert grown < 30_000  # KiB


def test_an_endless_trailer_is_cut(speaker: Speaking) -> None:
    trailer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"y" * 3_000_000
    result = ask("http", {"url": speaker(trailer).url, "read": "100k"})
    assert result.status is Status.OK
    assert result.measurements[2].value == 0


def test_terminal_codes_never_reach_a_summary(speaker: Speaking) -> None:
    evil = b"\x1b[2J\x1b]0;owned\x07\xe2\x80\xae gnp.exe \r\n\x00"
    web = speaker(b"HTTP/1.1 200 OK\r\nX-Evil: a\x1b[0m\r\n\r\n" + evil)
    spec = {"url": web.url, "body": "ok", "expect_headers": {"X-Evil": "b"}}
    result = ask("http", spec)
    assert is_clean(result.summary)
    assert is_clean(result.details, extra="\n\t")


@pytest.mark.parametrize("valid_for", [timedelta(days=-1), timedelta(days=100)])
def test_untrusted_and_expired_certificates_are_refused(valid_for: timedelta) -> None:
    with tls_web(valid_for=valid_for) as web:
        untrusted = ask("http", {"url": web.url})
        trusted = ask("http", {"url": web.url, "tls": {"ca": str(web.certificate)}})
        other = {"ca": str(web.certificate), "server_name": "shop.example.com"}
        wrong = ask("http", {"url": web.url, "tls": other})
    assert untrusted.status is wrong.status is Status.CRITICAL
    assert "certificate refused: " in untrusted.summary
    if valid_for > timedelta():
        assert trusted.status is Status.OK
        assert "not valid for 'shop.example.com'" in wrong.summary
    else:
        assert "certificate has expired" in trusted.summary


def test_no_descriptors_left_here_is_our_own_fault() -> None:
    code = (
        "import resource; from tests.probes_network.ask import run; import asyncio, os\n"
        "async def go():\n"
        "    r = await run('http', {'url': 'http://127.0.0.1:1/'}, '', 1.0)\n"
        "    held = []\n"
        "    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
        "    try:\n"
        "        while True: held.append(os.open('/dev/null', os.O_RDONLY))\n"
        "    except OSError: pass\n"
        "    for kind, spec in (('http', {'url': 'http://127.0.0.1:1/'}), ('tcp', {'port': 1})):\n"
        "        r = await run(kind, spec, '127.0.0.1', 1.0)\n"
        "        print(r.status.name, r.cause, r.summary)\n"
        "asyncio.run(go())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for line in done.stdout.splitlines():
        assert line.startswith(f"UNKNOWN {Cause.PROBE}")
        assert "raise LimitNOFILE" in line
    assert len(done.stdout.splitlines()) == 2


def test_nothing_is_left_to_the_garbage_collector(speaker: Speaking) -> None:
    """A cycle per check would stop the loop for a full collection now and then."""
    web = speaker(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def collected() -> int:
        spec = {"url": web.url, "body": "ok"}
        kept = HttpSpec.model_validate(spec)  # as a catalog keeps it
        await http.probe(kept, Target("h", "", {}, 5.0))
        await still_open(web.port)
        gc.collect()
        gc.disable()
        for _ in range(20):
            await http.probe(kept, Target("h", "", {}, 5.0))
        await still_open(web.port)
        found = gc.collect()
        gc.enable()
        return found

    assert uvloop.run(collected()) == 0


def test_an_unused_port_is_refused_at_once() -> None:
    started = time.perf_counter()
    result = ask("tcp", {"port": free_port()})
    assert result.status is Status.CRITICAL
    assert time.perf_counter() - started < 1
