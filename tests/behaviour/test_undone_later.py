"""A repair that a person calls wrong is undone, hours after it was proven or in the midst of it.

`begin_undo` is called in a transaction of its own, as `monitord attempt N wrong` does.
"""

import asyncio
from pathlib import Path

import pytest

from monitord.daemon.kinds import KINDS
from monitord.engine.core import Core
from monitord.engine.scenario.file import ScenarioFile, read
from monitord.engine.scenario.run import Running, load
from monitord.engine.turn import AfterCommit, AttemptTurn
from monitord.engine.undoing import begin_undo
from monitord.engine.virtual_time import Door, VirtualLoop, run
from monitord.model.ids import AttemptId
from monitord.model.incident import Attempt, AttemptStatus
from monitord.store.contract import Tx

HERE = Path(__file__).parent
LATER = """
config: undo.yaml
given: {60s: {web1/site: critical "no answer"}}
actions: {new-config: {does: heals, takes: 10s}}
expect: [{incident: web1/site}]
lasts: 10m
"""
UNDONE = [
    "sudo systemctl start nginx.service",
    "cp /etc/nginx/nginx.conf.before /etc/nginx/nginx.conf",
]


class Regretted(Running):
    """A run in which a person calls attempt 1 wrong at some seconds; `told` is what that gave."""

    regrets: tuple[float, ...] = ()
    told: tuple[str, ...] = ()

    async def begin(self) -> Core:
        self.core = await super().begin()
        return self.core

    async def look_round(self) -> None:
        if self.regrets and self.world.loop.time() >= self.regrets[0]:
            self.regrets = self.regrets[1:]
            instance, out = self.core.instance, AfterCommit()

            def work(tx: Tx) -> str:
                before = tx.attempt(AttemptId(1))
                if before is not None:
                    tx.change_attempt(before.id, before.status, wrong="the switch", wrong_by="kim")
                attempt = tx.attempt(AttemptId(1))
                incident = tx.incident(attempt.incident) if attempt else None
                assert attempt is not None
                assert incident is not None
                turn = AttemptTurn(tx, instance, incident, instance.now(), out, attempt=attempt)
                return begin_undo(turn, "called wrong by kim: it was the switch")

            self.told += (await instance.store.write(work),)
            out.run(instance)
            instance.wake()
        await super().look_round()


def live(folder: Path, *regrets: float) -> tuple[Regretted, Attempt, list[str]]:
    path = folder / "later.test.yaml"
    path.write_text(LATER.replace("undo.yaml", str(HERE / "undo.yaml")), encoding="utf-8")
    file: ScenarioFile = read(path)
    door = Door()
    loop = VirtualLoop(door)
    asyncio.set_event_loop(loop)
    found: list[Attempt] = []

    async def go(running: Regretted) -> None:
        end = running.world.store.close

        async def close() -> None:
            found.extend(running.world.store.read_now(lambda view: view.attempts()))
            await end()

        running.world.store.close = close  # type: ignore[method-assign]  # rows are read last
        await running.go()

    try:
        running = Regretted(file.scenario, load(file, folder, KINDS), KINDS, loop, door, folder)
        running.regrets = regrets
        run(go(running), loop)
    finally:
        asyncio.set_event_loop(None)
    assert running.broken == []
    return running, found[0], [effect.text for effect in running.world.effects]


def test_what_was_proven_is_undone_hours_later_and_stays_what_it_was(tmp_path: Path) -> None:
    running, attempt, effects = live(tmp_path, 400)
    assert running.told == ("",)
    assert effects[3:] == UNDONE
    assert attempt.status is AttemptStatus.FIXED
    assert attempt.outcome.endswith("called wrong by kim: it was the switch; undone")
    assert attempt.due_at is None


@pytest.mark.parametrize("second", [110, 120, 150])
def test_what_goes_on_is_stopped_and_undone(tmp_path: Path, second: float) -> None:
    _, attempt, effects = live(tmp_path, second)
    assert attempt.status is AttemptStatus.FAILED
    assert attempt.outcome == "called wrong by kim: it was the switch; undone"
    begun = len(effects) - len([step for step in effects if step in UNDONE])
    assert effects[begun:] == (UNDONE if begun == 3 else UNDONE[1:])


def test_nothing_is_undone_twice(tmp_path: Path) -> None:
    running, _, effects = live(tmp_path, 400, 410, 500)
    assert running.told[0] == ""
    assert all("was undone once already" in told for told in running.told[1:])
    assert effects.count(UNDONE[1]) == 1
