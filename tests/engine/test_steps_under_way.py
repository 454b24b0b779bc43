"""What becomes of a step whose executor cannot tell, and of outside work that fails in our hands.

A scenario's language has no word for a bug of ours, so these runs replace the scripted world's
executor or probing by one that answers so.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from monitord.daemon.kinds import KINDS
from monitord.engine.ports import StepOutcome
from monitord.engine.scenario import run as scenarios
from monitord.engine.scenario.file import read
from monitord.engine.scenario.history import Fact
from monitord.engine.scenario.run import Running, load
from monitord.engine.scenario.world import ScriptedExecutor, ScriptedProbing
from monitord.engine.virtual_time import Door, VirtualLoop, run
from monitord.errors import NotBegunError, RefusedByExecutorError
from monitord.model.catalog import Check
from monitord.model.ids import StepId
from monitord.model.incident import Phase
from monitord.model.result import Result

SHOP = Path(__file__).parent.parent / "behaviour" / "shop.yaml"


def live(executor: type[ScriptedExecutor], actions: str, do: str = "") -> Running:
    """Run a broken web server for a quarter of an hour behind this executor."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "one.test.yaml"
        path.write_text(
            f"config: {SHOP}\nlasts: 15m\n"
            'given: {60s: {web1/site: critical "404"}}\n'
            f"actions: {actions}\n{do}\nexpect: [{{at: 2m, incident: web1/site}}]\n"
        )
        file = read(path)
        door = Door()
        loop = VirtualLoop(door)
        asyncio.set_event_loop(loop)
        try:
            running = Running(file.scenario, load(file, folder, KINDS), KINDS, loop, door, folder)
            running._executor = executor(running.world)
            if isinstance(running._executor, Halted):
                running._executor.folder = folder
            run(running.go(), loop)
        finally:
            asyncio.set_event_loop(None)
        return running


def last(running: Running, what: str) -> list[Fact]:
    return [fact for fact in running.history.samples[-1].facts if fact["what"] == what]


class NotYet(ScriptedExecutor):
    """Refuses to adopt twice: it was started a moment ago and has no catalog yet."""

    asked = 0

    async def adopt(self, step: StepId) -> StepOutcome:
        self.asked += 1
        if self.asked <= 2:
            raise RefusedByExecutorError("no catalog is loaded here yet (send load first)")
        return await super().adopt(step)


def test_a_refused_adoption_is_asked_again_and_no_second_repair_runs_beside_the_first() -> None:
    actions = "{restart-nginx: {does: heals, takes: 40s}, restore-web-root: nothing}"
    ended = live(NotYet, actions, "do: {2m: {crash: core}}")
    assert [fact["status"] for fact in last(ended, "attempt")] == ["FIXED"]
    assert len(ended.world.effects) == 1
    assert ended.broken == []


class Never(ScriptedExecutor):
    """Has lost all it knew: it can neither adopt nor say that nothing was begun."""

    async def adopt(self, step: StepId) -> StepOutcome:
        raise RefusedByExecutorError(f"a bug of the executor about step {step}")


def test_a_step_that_nobody_can_tell_of_is_unknown_after_its_deadline() -> None:
    """Then the check decides: the repair had worked."""
    ended = live(Never, "{restart-nginx: {does: heals, takes: 40s}}", "do: {2m: {crash: core}}")
    assert [fact["status"] for fact in last(ended, "attempt")] == ["FIXED"]
    assert ended.broken == []


class Begun(ScriptedExecutor):
    """Does the step and answers with an error of its own instead of its outcome."""

    async def run(self, step: StepId) -> StepOutcome:
        await super().run(step)
        raise RefusedByExecutorError("a bug of the executor: KeyError('x')")


def test_an_error_after_a_step_was_sent_is_no_failure_of_the_step() -> None:
    ended = live(Begun, "{restart-nginx: heals}")
    assert [fact["status"] for fact in last(ended, "attempt")] == ["FIXED"]
    assert len(ended.world.effects) == 1


class Refusing(ScriptedExecutor):
    """Refuses before it does anything."""

    async def run(self, step: StepId) -> StepOutcome:
        raise NotBegunError(f"step {step} is not what this executor renders")


def test_a_refusal_before_anything_was_begun_fails_at_once() -> None:
    ended = live(Refusing, "{restart-nginx: heals}")
    assert {fact["status"] for fact in last(ended, "attempt")} == {"FAILED"}
    assert [fact["status"] for fact in last(ended, "incident")] == ["ESCALATED"]
    assert ended.world.effects == []


class Halted(ScriptedExecutor):
    """Finds the file HALT just after the core committed a precondition."""

    folder: Path

    async def run(self, step: StepId) -> StepOutcome:
        row = await self._world.store.read(lambda view: view.step(step))
        if row is not None and row.phase is Phase.REQUIRE:
            (self.folder / "HALT").touch()
            raise NotBegunError("halted: HALT exists")
        return await super().run(step)


def test_a_precondition_that_a_halt_kept_from_being_asked_is_not_one_that_failed() -> None:
    ended = live(Halted, "{restart-nginx: heals}")
    assert [fact["status"] for fact in last(ended, "attempt")] == ["INTERRUPTED"]
    assert "halt" in {fact.get("guard") for fact in last(ended, "refused")}
    assert ended.world.effects == []


class Buggy(ScriptedExecutor):
    """Raises what nobody expects, once, when asked what became of a step."""

    raised = False

    async def run(self, step: StepId) -> StepOutcome:
        outcome = await super().run(step)
        if not self.raised:
            self.raised = True
            raise KeyError("outcome")
        return outcome


def test_a_bug_in_outside_work_leaves_no_attempt_for_ever() -> None:
    ended = live(Buggy, "{restart-nginx: heals}")
    assert [fact["status"] for fact in last(ended, "attempt")] == ["FIXED"]
    assert len(ended.world.effects) == 1


def look_that_fails(at: int) -> type[ScriptedProbing]:
    """Give probing whose look of this number raises."""

    class Failing(ScriptedProbing):
        looks = 0

        async def look(self, checks: Sequence[Check]) -> dict[str, list[Result]]:
            self.looks += 1
            if self.looks == at:
                raise RefusedByExecutorError("host 'web1' is not in the catalog")
            return await super().look(checks)

    return Failing


def live_with(probing: type[ScriptedProbing], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(scenarios, "ScriptedProbing", probing)
    ended = live(ScriptedExecutor, "{restart-nginx: heals}")
    assert ended.broken == []
    return [str(fact["status"]) for fact in last(ended, "incident")]


def test_a_look_that_fails_in_our_hands_proves_nothing_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the look before the first effect (1) nor one of the proof (2, 3)."""
    for at in (1, 2, 3):
        assert live_with(look_that_fails(at), monkeypatch) == ["RESOLVED"], at
