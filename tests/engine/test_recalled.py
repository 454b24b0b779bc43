"""A costly look is remembered when it is due again soon, and done anew when somebody asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from monitord.clock import SystemClock
from monitord.engine.prober import Prober
from monitord.metrics import Counters
from monitord.model.catalog import Catalog
from monitord.model.facts import PluginOutput
from monitord.model.result import Status
from monitord.probes import PROBES

DRILL = """
hosts:
  vault: {address: 127.0.0.1, login: local, checks: {drill: {drill: {tar: /b.tar, scratch: /srv}}}}
"""
NONCE = "3c2f6f1a-0000-4000-8000-000000000000"
LINES = ("now 1790000000", f"file 1789990000 5 {b'/b.tar'.hex()}", "restored 1 4096 1789990000")


class Restoring:
    """An executor on whose host each drill succeeds; it counts them."""

    def __init__(self) -> None:
        self.asked = 0

    async def plugin(self, _check: str, _deadline: float, _since: str = "") -> PluginOutput:
        self.asked += 1
        await asyncio.sleep(0)
        told = "\n".join(f"{NONCE} {line}" for line in (*LINES, "took 3"))
        return PluginOutput(0, f"monitord-backup 1 {NONCE}\n{told}\n", "")


def test_a_drill_is_remembered_when_due_and_done_anew_when_asked_for(
    catalog: Callable[[str], Catalog],
) -> None:
    house, executor = catalog(DRILL), Restoring()
    check = house.checks["vault/drill"]
    memory: dict[str, dict[str, object]] = {}
    prober = Prober(
        PROBES,
        executor,  # type: ignore[arg-type]  # of the executor only this is asked
        SystemClock(),
        Counters(),
        memory=lambda _: memory,
        record=lambda *_: None,  # type: ignore[arg-type, return-value]  # no job is judged
    )

    async def main() -> None:
        (first,) = await prober.single(check)
        assert first.status is Status.OK, first.summary
        memory[""] = dict(first.memory)
        (again,) = await prober.single(check)
        assert (again.status, again.summary) == (first.status, first.summary)
        assert executor.asked == 1
        await prober.look([check])
        assert executor.asked == 2

    asyncio.run(main())
