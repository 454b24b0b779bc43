"""The core's process: loads, opens the store, starts the engine and its API, stops in order.

It never forks. SIGTERM and SIGINT stop it between two rows; SIGHUP reloads.
"""

import asyncio
import signal
import socket
import sys
import time
from pathlib import Path

import uvloop

from monitord import config as configuration
from monitord import log, pings
from monitord.api.app import create_app
from monitord.clock import SystemClock
from monitord.daemon.kinds import KINDS
from monitord.daemon.memory import settle
from monitord.daemon.places import prepare, store_of
from monitord.daemon.tied import configure_log
from monitord.engine.core import Core
from monitord.engine.executor_client import ExecutorClient
from monitord.engine.written import Written
from monitord.errors import MonitordError
from monitord.history import HISTORY, Writer
from monitord.metrics import Counters
from monitord.model.catalog import Catalog
from monitord.sdnotify import keep_watchdog, notify
from monitord.serving import listen_unix, serve
from monitord.store import open_store
from monitord.store.store import OpenDoor

_log = log.get_logger(__name__)

_SWITCH = 0.0005  # seconds: a busy thread beside the loop delays it by this, not by 5 ms
_ALL_KNOWN = 60.0  # seconds after which every check has a state, which then lives as long as it
_EXECUTOR = 10.0  # seconds that the start waits for the executor before it checks without it


def run(config: Path) -> int:
    """Run the core until it is told to stop; gives the exit code."""
    configure_log()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to reload
    sys.setswitchinterval(_SWITCH)
    catalog = configuration.load(config, KINDS)
    state, folder = prepare(catalog.settings)
    pings.read_secret(state, create=True)
    sock = listen_unix(folder / "core.sock")
    try:
        return uvloop.run(_main(catalog, state, folder, sock))
    finally:
        sock.close()
        (folder / "core.sock").unlink(missing_ok=True)


async def _main(catalog: Catalog, state: Path, folder: Path, sock: socket.socket) -> int:
    """Run everything until told to stop; gives the exit code."""
    counters = Counters(started=time.time())
    store = open_store(store_of(catalog.settings), locate=lambda host: _place_of(core, host))
    executor = ExecutorClient(
        folder / "executor.sock",
        counters,
        hello=lambda: {"epoch": core.instance.epoch, "catalog": core.instance.catalog.hash},
        on_connect=lambda: core.executor_is_back(),  # noqa: PLW0108 - the core is made below
    )
    history = _history(catalog, state)
    core = Core(
        catalog,
        KINDS,
        store,
        executor,
        SystemClock(),
        history=history,
        state=state,
        door=OpenDoor(),
        counters=counters,
        places=Written(executor, KINDS).of,
    )
    executor.start()
    await executor.ready(_EXECUTOR)
    await core.start()
    settle()
    asyncio.get_running_loop().call_later(_ALL_KNOWN, settle)
    well = await _serve_until_told(core, sock)
    await core.stop()
    await executor.stop()
    if history is not None:
        await asyncio.to_thread(history.close)
    await store.close()
    return 0 if well else 1


def _history(catalog: Catalog, state: Path) -> Writer | None:
    """Begin the history, if there is to be one."""
    settings = catalog.settings
    if not settings.history:
        return None
    kept = settings.retention
    return Writer(state / HISTORY, now=SystemClock().now, raw=kept.results, rollups=kept.rollups)


def _place_of(core: Core, host: str) -> tuple[str, str]:
    """Give customer and site of a host in the catalog in force: rows carry where they are from."""
    found = core.catalog.hosts.get(host)
    return (found.customer, found.site) if found is not None else ("", "")


async def _serve_until_told(core: Core, sock: socket.socket) -> bool:
    """Serve the control API until told to stop; False when it ended by itself."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = loop.create_task(_reload(core))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)
    serving = loop.create_task(serve(create_app(core), sock))
    watchdog = loop.create_task(keep_watchdog())
    catalog = core.catalog
    _log.info("core runs", epoch=core.instance.epoch, checks=len(catalog.checks))
    notify("READY=1", f"STATUS=watching {len(catalog.checks)} checks on {len(catalog.hosts)} hosts")
    # Without its API the core could be neither asked nor told: then it ends, and is started again.
    serving.add_done_callback(lambda _: told.set())
    await told.wait()
    died = serving.done()
    notify("STOPPING=1")
    for task in (serving, watchdog):
        task.cancel()
    ends = await asyncio.gather(serving, watchdog, return_exceptions=True)
    if died:
        _log.error("the control API ended by itself; the core stops", problem=repr(ends[0]))
    return not died


async def _reload(core: Core) -> None:
    notify("RELOADING=1")
    try:
        await core.reload(by="SIGHUP")
        settle()
    except MonitordError as error:
        _log.warning("reload refused; everything goes on as before", problem=str(error))
    notify("READY=1")
