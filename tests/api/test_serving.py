"""What one connection may cost a server of ours, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import ClassVar

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from monitord.serving import (
    BodyTooLongError,
    BoundedProtocol,
    Bounds,
    ListenError,
    listen_tcp,
    listen_unix,
    read_body,
    serve,
)

GET = b"GET /who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Tight(BoundedProtocol):
    """Bounds that a test can wait for."""

    bounds: ClassVar[Bounds] = Bounds(
        head=2000, request=100_000, receive=0.3, life=1.0, connections=20
    )


async def who(request: Request) -> Response:
    peer = request.state.peer
    return PlainTextResponse("none" if peer is None else f"{peer.uid} {peer.pid}")


async def echo(request: Request) -> Response:
    try:
        return PlainTextResponse(str(len(await read_body(request, 1000))))
    except BodyTooLongError as error:
        return PlainTextResponse(str(error), 413)


async def forever(_request: Request) -> Response:
    async def lines() -> AsyncIterator[str]:
        while True:
            yield "x" * 1000
            await asyncio.sleep(0.01)

    return StreamingResponse(lines())


APP = Starlette(
    routes=[
        Route("/who", who),
        Route("/echo", echo, methods=["POST"]),
        Route("/forever", forever),
    ]
)


def serving(
    test: Callable[[str | int], Awaitable[None]],
    protocol: type[BoundedProtocol] = Tight,
    sock: socket.socket | None = None,
) -> None:
    """Run a test beside a server, and end the server."""

    async def both() -> None:
        listening = sock or listen_tcp("127.0.0.1:0")
        name = listening.getsockname()
        task = asyncio.ensure_future(serve(APP, listening, protocol))
        try:
            await asyncio.wait_for(test(name if isinstance(name, str) else name[1]), 20)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    asyncio.run(both())


async def said(port: str | int, data: bytes, *more: bytes) -> bytes:
    """Send data, then more in pieces; give all that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        for piece in more:
            await asyncio.sleep(0)
            writer.write(piece)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def test_a_request_is_answered_and_one_on_tcp_has_no_peer() -> None:
    async def test(port: str | int) -> None:
        answer = await said(port, GET)
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert answer.endswith(b"none")

    serving(test)


def test_a_peer_on_a_unix_socket_is_known_by_the_kernel_s_word(tmp_path: Path) -> None:
    async def test(path: str | int) -> None:
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(GET)
        assert (await reader.read()).endswith(f"{os.getuid()} {os.getpid()}".encode())
        writer.close()

    serving(test, sock=listen_unix(tmp_path / "s"))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="silence"),
        pytest.param(b"GET /who HT", id="half a line"),
        pytest.param(GET[:-2], id="a head without its end"),
        pytest.param(b"POST /echo HTTP/1.1\r\nContent-Length: 50\r\n\r\nx", id="half a body"),
        pytest.param(b"\r\n" * 10, id="empty lines"),
    ],
)
def test_a_request_that_does_not_come_is_dropped_in_time(data: bytes) -> None:
    async def test(port: str | int) -> None:
        assert b"200" not in await said(port, data)

    serving(test)


def test_a_trickle_is_cut_at_the_same_time_as_silence() -> None:
    async def test(port: str | int) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"x")
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(1), 0.02)
        assert loop.time() - began < 2

    serving(test)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET /who HTTP/1.1\r\nX: " + b"x" * 50_000, id="one endless header"),
        pytest.param(b"GET /who HTTP/1.1\r\n" + b"X: y\r\n" * 10_000, id="endless headers"),
        pytest.param(b"GET /" + b"x" * 50_000, id="an endless path"),
    ],
)
def test_a_head_without_end_is_refused(data: bytes) -> None:
    async def test(port: str | int) -> None:
        answer = await said(port, data[:1500], data[1500:])
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400")

    serving(test)


def test_a_body_over_its_limit_is_refused_and_an_endless_one_cut() -> None:
    async def test(port: str | int) -> None:
        head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
        long = await said(port, head % 2000 + b"x" * 2000)
        assert long.startswith(b"HTTP/1.1 413")
        assert long.endswith(b"the request's body is over 1000 bytes; send less")
        chunks = b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        endless = await said(port, chunks, *([b"400\r\n" + b"x" * 1024 + b"\r\n"] * 300))
        assert b"200" not in endless

    serving(test)


def test_trailers_without_end_are_cut() -> None:
    async def test(port: str | int) -> None:
        start = b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        answer = await said(port, start, *([b"X: " + b"y" * 10_000 + b"\r\n"] * 30))
        assert b" 200 " not in answer

    serving(test)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff" * 100,
        b"GET\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\n\r\n",
        b"GET /who HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /who HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET /who HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /who HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"GET /%00%0d%0a HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_garbage_ends_its_own_connection_and_nothing_else(garbage: bytes) -> None:
    async def test(port: str | int) -> None:
        answer = await said(port, garbage)
        assert b" 500 " not in answer
        assert b"none" in await said(port, GET)

    serving(test)


def test_those_who_never_read_lose_their_places_in_time() -> None:
    async def test(port: str | int) -> None:
        with contextlib.ExitStack() as held:
            for _ in range(25):
                sock = held.enter_context(socket.create_connection(("127.0.0.1", int(port))))
                sock.sendall(b"GET /forever HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b" 503 " in await said(port, GET)
            while b" 503 " in await said(port, GET):
                pass  # bounded by the time limit of `serving`

    serving(test)


def test_more_connections_than_allowed_are_told_so() -> None:
    async def test(port: str | int) -> None:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(25)]
        assert b" 503 " in await said(port, GET)
        for _, writer in held:
            writer.close()

    serving(test)


def test_signals_stay_with_whoever_owns_the_process() -> None:
    async def test(port: str | int) -> None:
        assert signal.getsignal(signal.SIGTERM) is before
        assert b"none" in await said(port, GET)

    before = signal.getsignal(signal.SIGTERM)
    serving(test)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_server_that_is_cancelled_ends_even_while_it_streams() -> None:
    async def test(port: str | int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        streams.append(writer)
        writer.write(b"GET /forever HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        asyncio.get_running_loop().call_later(1, writer.close)

    streams: list[asyncio.StreamWriter] = []
    serving(test, BoundedProtocol)


def test_a_unix_socket_of_ours_is_closed_to_others_from_its_first_moment(tmp_path: Path) -> None:
    with listen_unix(tmp_path / "s"):
        assert (tmp_path / "s").stat().st_mode & 0o777 == 0o660


def test_a_dead_socket_is_replaced_and_a_live_one_is_left_alone(tmp_path: Path) -> None:
    listen_unix(tmp_path / "s").close()
    with listen_unix(tmp_path / "s"):
        with pytest.raises(ListenError, match="s is in use: a core runs already; stop it first"):
            listen_unix(tmp_path / "s")
        assert (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("", "'' is not an address to listen on"),
        ("127.0.0.1", "'127.0.0.1' is not an address to listen on"),
        ("127.0.0.1:http", "is not an address to listen on"),
        ("127.0.0.1:99999", "is not an address to listen on"),
        ("192.0.2.1:80", "cannot listen on 192.0.2.1:80: Cannot assign requested address"),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_named(address: str, text: str) -> None:
    with pytest.raises(ListenError, match=text.replace("(", r"\(")):
        listen_tcp(address)


def test_an_address_in_use_is_named() -> None:
    with listen_tcp("127.0.0.1:0") as sock:
        port = sock.getsockname()[1]
        with pytest.raises(ListenError, match=f"127.0.0.1:{port}: Address already in use"):
            listen_tcp(f"127.0.0.1:{port}")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ListenError, match=r"cannot listen on .*none/s: No such file or directory"):
        listen_unix(tmp_path / "none" / "s")
