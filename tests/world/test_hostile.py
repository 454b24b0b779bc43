"""The hostile targets: each misbehaves as it says."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import urllib.request

import pytest

from tests.world.hostile import MANNERS, Target, hostile, tls_web


def read_for(target: Target, seconds: float, *, at_most: int = 200_000) -> tuple[bytes, str]:
    """Ask for a page; return what came and how it ended: `timeout`, `closed`, `reset`, `full`."""
    got = b""
    try:
        # Inside as well: a reset may come before connecting has been told of.
        with socket.create_connection(("127.0.0.1", target.port), timeout=seconds) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while len(got) < at_most:
                chunk = connection.recv(65536)
                if not chunk:
                    return got, "closed"
                got += chunk
    except TimeoutError:
        return got, "timeout"
    except (ConnectionResetError, BrokenPipeError):
        return got, "reset"
    return got, "full"


@pytest.mark.parametrize(
    ("manner", "ending"),
    [
        ("silent", {"timeout"}),
        ("drip", {"timeout"}),
        ("endless_body", {"full"}),
        ("endless_header", {"full"}),
        ("huge_header", {"full"}),
        ("garbage", {"closed", "reset"}),
        ("cut_short", {"closed", "reset"}),
        ("closes_at_once", {"closed", "reset"}),
        ("resets", {"reset"}),
        ("circles", {"closed"}),
    ],
)
def test_each_target_misbehaves_in_its_manner(manner: str, ending: set[str]) -> None:
    with hostile(manner) as target:
        # Patience where an answer must come, none where none may.
        _, end = read_for(target, 0.3 if ending == {"timeout"} else 20)
        assert end in ending
        assert target.connections == 1


def test_every_manner_is_tried_here() -> None:
    mark = next(test_each_target_misbehaves_in_its_manner.pytestmark.__iter__())  # type: ignore[attr-defined]  # pytest adds it
    assert {manner for manner, _ in mark.args[1]} == set(MANNERS)


def test_a_silent_target_hangs_in_the_tls_handshake() -> None:
    context = ssl.create_default_context()
    with (
        hostile("silent") as target,
        socket.create_connection(("127.0.0.1", target.port), timeout=0.2) as connection,
        pytest.raises(TimeoutError),
    ):
        context.wrap_socket(connection, server_hostname="localhost")


def test_the_tls_server_answers_whom_trusts_its_certificate() -> None:
    with tls_web(valid_for=dt.timedelta(days=5)) as web:
        context = ssl.create_default_context(cafile=web.certificate)
        with urllib.request.urlopen(web.url, context=context, timeout=5) as answer:  # noqa: S310  -- our own
            assert answer.read() == b"ok"


def test_the_tls_server_can_show_an_expired_certificate() -> None:
    with tls_web(valid_for=dt.timedelta(days=-1)) as web:
        context = ssl.create_default_context(cafile=web.certificate)
        with (
            socket.create_connection(("127.0.0.1", web.port), timeout=5) as connection,
            pytest.raises(ssl.SSLCertVerificationError, match="expired"),
        ):
            context.wrap_socket(connection, server_hostname="localhost")
