"""The process that forks and logs in: it does only what it finds committed in the store.

This file puts it together, opens its socket and ends it; see docs/executor.md for the words on it.
"""

import asyncio
import contextlib
import grp
import os
import signal
import socket
from pathlib import Path
from secrets import token_hex

from monitord.clock import Clock, SystemClock
from monitord.config import kept
from monitord.errors import MonitordError, NotReachedError
from monitord.executor import inventory
from monitord.executor.catalogs import Catalogs
from monitord.executor.hosts import Hosts
from monitord.executor.parser import Parser
from monitord.executor.server import Server
from monitord.executor.store import Rows
from monitord.executor.threads import in_thread
from monitord.log import get_logger
from monitord.model.kinds import Kinds
from monitord.sdnotify import notify, watchdog_every

log = get_logger(__name__)

SOCKET = "executor.sock"
GROUP = "monitord"
_SWEEP = 30.0  # seconds between two looks at idle connections
_LONGEST_PATH = 107  # bytes of a Unix socket's name (unix(7)), its final zero apart
_BACKLOG = 16


def run(config: Path, *, state: Path, run: Path, kinds: Kinds) -> int:
    """Serve until SIGTERM or SIGINT; steps that run then go on without us. Gives the exit code.

    `state` holds the store, HALT and the run records of this machine, `run` the socket. Call it in
    a process of its own, before any thread is started: it forks the parser first.
    """
    _keep_files_to_ourselves()
    parser = Parser(config, kinds)
    try:
        return asyncio.run(_serve(parser, config, state, run, kinds))
    finally:
        parser.close()


def _keep_files_to_ourselves() -> None:
    """Let no child inherit what was open before us; what Python opens is not inherited anyway."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers are wanted, not paths
        if int(name) > 2:  # noqa: PLR2004 - standard input, output and errors stay
            with contextlib.suppress(OSError):  # the listing's own descriptor is closed by now
                os.set_inheritable(int(name), False)  # noqa: FBT003 - the signature is os's


async def _serve(parser: Parser, config: Path, state: Path, run: Path, kinds: Kinds) -> int:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    catalogs = Catalogs(parser, kinds)
    try:
        await catalogs.load("")
    except MonitordError as error:
        # The core says it to the person; until a reload succeeds there is nothing to look at.
        log.warning("no catalog yet", config=str(config), problem=str(error))
    clock = SystemClock()
    hosts = Hosts(clock)
    rows = Rows(lambda: _store(catalogs, state))
    server = Server(catalogs, hosts, rows, state, kinds, clock, identity=_identity(state / "runs"))
    sock = listen(run / SOCKET)
    listener = await asyncio.start_unix_server(server.serve, sock=sock)
    notify("READY=1", "STATUS=waiting for the core")
    beats = [asyncio.create_task(_sweep(hosts)), asyncio.create_task(_watchdog())]
    beats.append(asyncio.create_task(_refresh(catalogs, clock)))
    await ended.wait()
    notify("STOPPING=1")
    listener.close()
    for beat in beats:
        beat.cancel()
    hosts.close()
    with contextlib.suppress(OSError):
        (run / SOCKET).unlink()
    return 0


def _identity(runs: Path) -> str:
    """Give a name that no other state folder has; records and epochs on hosts are kept under it.

    Raises:
        MonitordError: the folder cannot be written, so no step of this machine could be recorded.
    """
    path = runs / ".identity"
    try:
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        if path.stat().st_size == 0:
            path.write_text(token_hex(8), encoding="ascii")
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        text = f"{path} cannot be made: {error} (give {runs} to the executor's user)"
        raise MonitordError(text) from error


def _store(catalogs: Catalogs, state: Path) -> str:
    settings = catalogs.newest.settings if catalogs.newest else None
    return (settings.store if settings else "") or str(state / "state.db")


def listen(path: Path) -> socket.socket:
    """Bind the socket, 0660, group monitord where there is one.

    A file that nobody answers on is a leftover and is replaced.

    Raises:
        MonitordError: another executor answers there, or it cannot be bound.
    """
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise MonitordError(
            f"{path}: too long for a socket (over {_LONGEST_PATH} bytes); set `run:` to a short "
            f"folder, as /run/monitord"
        )
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.connect(str(path))
    except OSError:
        sock.close()
    else:
        sock.close()
        raise MonitordError(f"{path}: another executor is running there")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o117)  # never wider, not even between bind and chmod
    try:
        path.unlink(missing_ok=True)
        sock.bind(str(path))
    except OSError as error:
        sock.close()
        raise MonitordError(f"{path} cannot be bound: {error.strerror}") from error
    finally:
        os.umask(mask)
    with contextlib.suppress(KeyError, PermissionError):  # no such group here, or we are not in it
        os.chown(path, -1, grp.getgrnam(GROUP).gr_gid)
    sock.listen(_BACKLOG)
    return sock


async def _sweep(hosts: Hosts) -> None:
    while True:
        await asyncio.sleep(_SWEEP)
        with contextlib.suppress(NotReachedError):  # no thread now: the next time then
            await in_thread(hosts.sweep)


async def _refresh(catalogs: Catalogs, clock: Clock) -> None:
    """Ask each inventory source whose round has come; the core tells of what is wrong."""
    while True:
        sources = catalogs.newest.inventory.values() if catalogs.newest else ()
        for source in sources:
            if kept.due(source, clock.now()):
                try:
                    told = await inventory.refresh(source, clock)
                    log.info("inventory kept", source=source.name, hosts=told.hosts)
                except MonitordError as error:
                    log.warning("inventory refused", source=source.name, problem=str(error))
        await asyncio.sleep(_SWEEP)


async def _watchdog() -> None:
    every = watchdog_every()
    while every is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(every)
