"""The process monitord-web: bind, serve, tell systemd, end on SIGTERM or SIGINT.

It is handed settings and the job keys; it reads no configuration and holds no key but the secret
that ping tokens are made of.
"""

import asyncio
import signal
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import uvloop
from starlette.types import ASGIApp

from monitord.clock import SystemClock
from monitord.control import Core, core_socket
from monitord.log import get_logger
from monitord.model.catalog import Settings
from monitord.model.inbound import Source
from monitord.sdnotify import keep_watchdog, notify
from monitord.serving import BoundedProtocol, Bounds, listen_tcp, serve
from monitord.web.api import Api
from monitord.web.app import Web, create_app
from monitord.web.approval import Approval
from monitord.web.console import Console
from monitord.web.core import Jobs
from monitord.web.inbound import Inbound
from monitord.web.proxied import believing

log = get_logger(__name__)

_THREADS = 32
_PATIENCE = 5.0  # seconds that one answer of the core is waited for
_LONGEST_WAIT = 30.0  # programs may wait longer than people, as for a check that is run


class _Public(BoundedProtocol):
    # Consoles behind one proxy come from one address, each with a stream that stays open.
    # A job's whole output may be sent as its ping: it is read in pieces, and its tail is kept.
    bounds: ClassVar[Bounds] = Bounds(
        request=256 * 1024 * 1024, receive=10.0, life=60.0, connections=1000, each=400
    )


def run(settings: Settings, jobs: Iterable[str], sources: Mapping[str, Source]) -> int:
    """Serve pings, health and metrics on `settings.web` until told to stop; gives the exit code.

    `jobs` are the keys of the job checks now configured; later ones are learned from the core.
    `sources` are who may send results.

    Raises:
        ListenError: the address is not free, or not one.
    """
    uvloop.run(_serve(settings, tuple(jobs), sources))
    return 0


async def _serve(settings: Settings, jobs: tuple[str, ...], sources: Mapping[str, Source]) -> None:
    core, state = Core(core_socket(settings), timeout=_PATIENCE), Path(settings.state)
    spool, clock = state / "spool", SystemClock()
    web = Web(core, Jobs(core, state, jobs), spool, clock)
    inbound = Inbound(core, sources, spool, clock)
    console = Console(core, secure=settings.web_url.startswith("https:"))
    api = Api(Core(core.path, timeout=_LONGEST_WAIT), console.board.feed)
    console.board.start()
    app = believing(settings.trusted_proxy, create_app(web, Approval(core), inbound, console, api))
    try:
        await _until_told(app, settings.web)
    finally:
        console.board.stop()


async def _until_told(app: ASGIApp, address: str) -> None:
    # Each page waits for the core in a thread: the default of six would queue on a slow one.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS, "monitord-web"))
    serving = asyncio.ensure_future(_listen(app, address))
    watchdog = asyncio.ensure_future(keep_watchdog())
    loop = asyncio.get_running_loop()
    # Before it listens: whoever sees it answer may end it, and it ends in order.
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        log.info("web ends")
    finally:
        notify("STOPPING=1")
        watchdog.cancel()
        await asyncio.gather(watchdog, return_exceptions=True)


async def _listen(app: ASGIApp, address: str) -> None:
    sock = listen_tcp(address)
    host, port = sock.getsockname()[:2]
    log.info("web serves", address=f"{host}:{port}")
    notify("READY=1", f"STATUS=serving pings and metrics on {host}:{port}")
    await serve(app, sock, _Public)
