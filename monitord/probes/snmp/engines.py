"""The library's engines, made once and shared: one for all of version 2c, one for each v3 user.

An engine takes 50 ms to make (it reads its own tables from disk), so a thread makes it. Its socket
is open only while somebody asks: between the looks nothing wakes up, and no port stays the same. A
user has an engine of his own because the library keeps one password per user name, for all agents.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from time import time
from typing import Any

from monitord.probes.snmp.login import Login

_MOST = 16  # engines with nobody asking; each takes some 4 MB
_ADDRESSES = 4096  # an engine keeps a row for each address that it ever asked

_TICKS = 20  # at each rest: what an engine keeps of a look is gone 150 looks later

_TABLES = ("SNMP-COMMUNITY-MIB", "SNMP-TARGET-MIB", "SNMP-USER-BASED-SM-MIB", "PYSNMP-USM-MIB")


class _Shared:
    """One engine, how many ask through it now, and whom it ever asked."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.busy = 0
        self.addresses: set[tuple[str, int]] = set()

    def rest(self) -> None:
        """Close the socket and the timer; the library opens them at the next question."""
        # The library forgets what it keeps for 3,000 ticks of its timer: one that is never open for
        # long would keep a row of each look for ever. Nobody asks now, so no time-out is moved.
        dispatcher, now = self.engine.transport_dispatcher, time()
        if dispatcher is None:  # cut off before anything was asked
            return
        for ahead in range(1, _TICKS + 1):
            dispatcher.handle_timer_tick(now + ahead)
        self.engine.close_dispatcher()
        kept = self.engine.get_user_context("CommandGeneratorLcdConfigurator")
        if kept is not None:
            kept["tran"].clear()


_engines: dict[Login, Future[_Shared]] = {}
_maker = ThreadPoolExecutor(1, thread_name_prefix="snmp-engine")


def _make() -> _Shared:
    from pysnmp.hlapi.v3arch.asyncio import SnmpEngine

    engine = SnmpEngine()
    engine.get_mib_builder().load_modules(*_TABLES)
    return _Shared(engine)


@asynccontextmanager
async def engine_for(login: Login, address: tuple[str, int]) -> AsyncIterator[Any]:
    """Give the engine for this login while it is used. For one event loop at a time."""
    key = login if login.user else Login()
    making = _engines.get(key)
    if making is None:
        making = _engines[key] = _maker.submit(_make)
    # Shielded: a probe that is cut off must not cancel the engine of all others.
    try:
        shared = (
            making.result() if making.done() else await asyncio.shield(asyncio.wrap_future(making))
        )
    except Exception:
        _engines.pop(key, None)  # the next one tries anew
        raise
    shared.busy += 1
    shared.addresses.add(address)
    try:
        yield shared.engine
    finally:
        shared.busy -= 1
        if not shared.busy:
            shared.rest()
        if _engines.get(key) is making:
            _engines[key] = _engines.pop(key)  # the last used stands last
        _forget()


def drop(login: Login) -> None:
    """Let the engine of a user go, with all that it believes of agents."""
    _engines.pop(login, None)


def _forget() -> None:
    """Let go of engines that have grown, or that were not used for longest; never a busy one."""
    idle = [
        (key, made.result())
        for key, made in _engines.items()
        if made.done() and made.exception() is None and not made.result().busy
    ]
    spare = len(_engines) - _MOST
    for place, (key, shared) in enumerate(idle):
        if place < spare or len(shared.addresses) > _ADDRESSES:
            del _engines[key]
