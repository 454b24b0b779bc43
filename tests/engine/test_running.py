"""One check's trouble in a shared trip is its own: the others' results count, all run again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from monitord.clock import SystemClock
from monitord.engine.running import Runner
from monitord.engine.schedule import Scheduler, Slot
from monitord.metrics import Counters
from monitord.model.catalog import Catalog, Check
from monitord.model.result import Result
from tests.engine.conftest import Kept, at

LOGIN = """
hosts: {web1: {address: 127.0.0.1, login: {local: {}}, checks: {disk: , memory: , load: }}}
checks:
  disk: {disk: {critical: 90%}, every: 60s}
  memory: {memory: {critical: 90%}, every: 60s}
  load: {load: {critical: 90}, every: 60s}
"""


class OneTrip:
    """A host whose checks share a trip."""

    def __init__(self, leave_out: str) -> None:
        self._leave_out = leave_out

    def shares_a_trip(self, check: Check) -> bool:  # noqa: ARG002 - all share one here
        return True

    async def facts(self, checks: Sequence[Check]) -> dict[str, list[Result]]:
        await asyncio.sleep(0)
        return {c.key: [Result.ok("fine")] for c in checks if c.name != self._leave_out}


def test_a_check_without_a_result_jams_no_other_check_of_its_trip(
    catalog: Callable[[str], Catalog],
) -> None:
    house, kept = catalog(LOGIN), Kept()
    beliefs = kept.beliefs()
    beliefs.use(house, at(0))

    async def main() -> list[Slot]:
        runner = Runner(OneTrip("disk"), beliefs, SystemClock(), Counters(), concurrency=2)
        loop = asyncio.get_running_loop()
        runner.scheduler = Scheduler(loop, runner.dispatch, Counters())
        slots = [Slot(check) for check in house.checks.values()]
        for slot in slots:
            slot.running = True
        runner.dispatch(slots)
        while runner._tasks:
            await asyncio.wait(runner._tasks)
        runner.scheduler.stop()
        return slots

    with structlog.testing.capture_logs() as logs:
        slots = asyncio.run(main())
    assert [slot.running for slot in slots] == [False] * len(house.checks)
    assert sorted(state.key for state in kept.states) == ["web1/load", "web1/memory"]
    assert [(line["event"], line["check"]) for line in logs] == [("a run failed", "web1/disk")]
