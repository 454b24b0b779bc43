"""Plays one scenario after the other with a tool on duty, and judges what came of each."""

from __future__ import annotations

import contextlib
import random
import threading
import time
import traceback
from collections.abc import Sequence

from tests.nightshift import db_faults, quiet_faults, web_faults, web_more
from tests.nightshift.fault import Fault, Stage
from tests.nightshift.judge import Seconds, row_of, short_of, wrong_of
from tests.nightshift.row import Row
from tests.nightshift.scenarios import Expected, Scenario
from tests.nightshift.witness import look
from tests.world.until import until

FAULTS = {**web_faults.FAULTS, **web_more.FAULTS, **db_faults.FAULTS, **quiet_faults.FAULTS}
PEACE = 40.0
"""Seconds in which all must be well again once a fault is taken back."""
UNTOLD = 20.0
"""Seconds for a tool that tells nobody in a way that we could wait for."""
BEAT = 0.2
"""Seconds between two looks at a host by the oracle."""


def in_order(scenarios: Sequence[Scenario], seed: int) -> list[Scenario]:
    """Shuffle, the same way for the same seed."""
    mixed = list(scenarios)
    random.Random(seed).shuffle(mixed)  # noqa: S311 - an order, no secret
    return mixed


def played(stage: Stage, scenario: Scenario) -> Row:
    """Play it; what keeps it from being played to its end is what it falls short by."""
    try:
        return play(stage, scenario)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other scenarios are still played
        stage.together.abort()
        story = f"{traceback.format_exc()}\n{stage.tool.story()}"
        return Row(scenario, short=(f"it broke off: {str(error)[-300:]}",), story=story, broke=True)
    finally:
        stage.tool.end()


def play(stage: Stage, scenario: Scenario) -> Row:
    """Break it, watch, judge, and undo. The tool must be at peace."""
    fault = FAULTS[scenario.id]
    stage.tool.begin()
    fault.before(stage)
    forbidden = [stage.sh(*one, check=False) for one in fault.never]
    with contextlib.suppress(threading.BrokenBarrierError):  # another broke off: we play on
        stage.together.wait()
    started = time.time()
    try:
        fault.inject(stage)
        before = look(stage.machines)
        seconds = _watch(stage, scenario, fault, started)
        after = look(stage.machines)
        told = stage.tool.told(fault.key, started)
        oracle = asked(stage, fault)
        changed = fault.also(stage) + [
            f"{command!r} prints another text"
            for (where, command), text in zip(fault.never, forbidden, strict=True)
            if stage.sh(where, command, check=False) != text
        ]
    finally:
        for take_back in stage.left:
            take_back()
        stage.left.clear()
        fault.undo(stage)
    healed = _heals(stage)
    story = stage.tool.story()
    wrong = [*changed, *wrong_of(stage, fault, before, after, told)]
    short = [*healed, *short_of(scenario, fault, told, seconds, oracle)]
    return row_of(scenario, told, seconds, wrong, short, story)


def _heals(stage: Stage) -> list[str]:
    """Wait until the tool says that all is well again."""
    try:
        until(lambda: not stage.tool.unwell(), within=PEACE, every=BEAT)
    except AssertionError:
        unwell = ", ".join(stage.tool.unwell())
        return [f"{PEACE:.0f} s after the fault was taken back, not all is well: {unwell}"]
    return []


def _watch(stage: Stage, scenario: Scenario, fault: Fault, since: float) -> Seconds:
    """Wait for what is expected, and then some time for what is not."""
    repairs = scenario.expected is Expected.REPAIR
    proves = stage.tool.proves
    limit = fault.within if repairs or stage.tool.tells else UNTOLD
    if scenario.expected is Expected.NOTHING:
        limit = 0.0
    answers: float | None = None
    deadline = time.time() + limit
    while time.time() < deadline:
        if repairs and answers is None and asked(stage, fault) == scenario.must_print:
            answers = time.time() - since
        told = stage.tool.told(fault.key, since)
        done = told.verified if proves else answers
        if done is not None if repairs else fault.key in told.tickets:
            break
        time.sleep(BEAT)
    if not repairs:
        time.sleep(fault.watch * stage.patience)
    return Seconds(since, answers)


def asked(stage: Stage, fault: Fault) -> str | None:
    """Ask the oracle; None where the file asks the tool itself."""
    return None if fault.answers is None else stage.sh(*fault.answers, check=False)
