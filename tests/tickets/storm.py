"""Escalations through a proxy that fails, to a real Request Tracker: each becomes one ticket.

Incidents escalate a few seconds apart, are updated and partly resolved meanwhile; requests meet
429, 500, 503, cuts before and after the deed, time-outs after it; for a while nobody listens, and
monitord itself is killed in between. Time is virtual: retries and lags cost nothing.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from monitord.model.ids import IncidentId
from monitord.model.ticket import OutboxStatus
from tests.tickets.house import House, live
from tests.tickets.proxy import Proxy
from tests.tickets.real import RequestTracker
from tests.tickets.rigs import build

BACK_WITHIN = 120.0  # virtual seconds in which a server that is back must have been served
_QUIET = 1800.0  # virtual seconds in which all faults must be overcome


@dataclass
class Outcome:
    """What came of a storm: tickets by key as RT counts them, and how it went."""

    incidents: int
    tickets: Counter[str] = field(default_factory=Counter)
    resolved: int = 0
    resolved_there: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    crashes: int = 0
    back: float = 0.0  # virtual seconds from the server's return to the last message
    tries: int = 0
    seconds: float = 0.0

    @property
    def lost(self) -> int:
        """Give how many incidents have no ticket."""
        return self.incidents - len(self.tickets)

    @property
    def double(self) -> int:
        """Give how many tickets there are too many."""
        return sum(self.tickets.values()) - len(self.tickets)


def storm(
    folder: Path,
    rt: RequestTracker,
    *,
    incidents: int,
    seed: int,
    crashes: int = 0,
    timeout: float = 5.0,
    outage: float = 3600.0,
) -> Outcome:
    """Let a storm pass over an empty Request Tracker.

    `timeout` is in real seconds; `outage`, how long nobody listens at the end, in virtual ones.
    """
    outcome = Outcome(incidents)
    chance = random.Random(seed)  # noqa: S311 - faults, not secrets
    started = time.monotonic()
    with Proxy(rt.url, chance) as proxy:
        backend = build("rt", proxy.url, timeout)

        async def tell(house: House) -> None:
            await _weather(house, proxy, outcome, chance, crashes, outage)

        live(folder, backend, tell)
        outcome.faults = proxy.faults
    for subject in rt.subjects():
        found = re.search(r"\[monitord (\S+)\]$", subject)
        outcome.tickets[found[1] if found else subject] += 1
    outcome.resolved_there = len(rt.subjects("Status = 'resolved'"))
    outcome.seconds = time.monotonic() - started
    return outcome


async def _weather(
    house: House,
    proxy: Proxy,
    outcome: Outcome,
    chance: random.Random,
    crashes: int,
    outage: float,
) -> None:
    total = outcome.incidents
    goes_down, comes_back = total // 3, total // 2
    dies = set(chance.sample(range(total), crashes))
    alive: list[IncidentId] = []
    for turn in range(total):
        alive.append(await house.escalate(f"h{turn}/c"))
        if turn % 2:
            await house.update(chance.choice(alive), summary=f"still failing, turn {turn}")
        if turn % 5 == 4:
            await house.resolve(alive.pop(chance.randrange(len(alive))))
            outcome.resolved += 1
        if turn == goes_down:
            proxy.down()
        if turn == comes_back:
            await asyncio.sleep(outage / 6)
            proxy.up()
        if turn in dies:
            await asyncio.sleep(chance.random())
            await house.crash()
            outcome.crashes += 1
        await asyncio.sleep(chance.uniform(0, 5))
    await house.until_sent(_QUIET)
    proxy.down()
    last = [await house.escalate(f"late{turn}/c") for turn in range(3)]
    outcome.incidents += len(last)
    await asyncio.sleep(outage)
    proxy.share = 0.0
    proxy.up()
    outcome.back = await house.until_sent(_QUIET)
    rows = await house.core.store.read(
        lambda view: view.outbox(status=OutboxStatus.SENT, limit=100_000)
    )
    outcome.tries = sum(row.tries for row in rows)
