"""What the engine hands to the history: every result, with the attempt that held it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitord.engine.core import Core
from monitord.engine.remembering import Remembering
from monitord.history import Reader, Run, Writer
from monitord.metrics import Counters
from monitord.model.catalog import Catalog, Retention
from monitord.model.ids import AttemptId, Instant, StateKey
from monitord.model.result import Cause, Measurement, Result, Status
from tests.engine.conftest import Kept, at
from tests.engine.test_holds import HOUSE, SICK, SITE, two_holds
from tests.engine.test_reloads import RENAMED, House, house, reload_to

__all__ = ["house"]  # the fixture


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    made = Writer(tmp_path / "history", now=lambda: at(0))
    yield made
    made.close()


def runs(writer: Writer, key: str, start: int = at(0)) -> list[Run]:
    assert writer.flush(60)
    reader = Reader(writer.folder)
    return reader.states(StateKey(key), Instant(start), Instant(start + 3_600_000_000))


def test_results_during_an_attempt_are_kept_with_its_id(
    catalog: Callable[[str], Catalog], writer: Writer
) -> None:
    house, kept = catalog(HOUSE), Kept()
    beliefs = two_holds(house, kept)
    Remembering(writer, beliefs, Counters())
    site = house.checks[SITE]
    beliefs.absorb(site, SICK, at(60))
    beliefs.release(AttemptId(2), at(70))
    beliefs.release(AttemptId(1), at(70))
    beliefs.absorb(site, [Result.ok("200", Measurement("time", 0.25, "s"))], at(80))
    found = [(r.status, r.attempt, (r.start - at(0)) // 1_000_000) for r in runs(writer, SITE)]
    assert found == [(Status.CRITICAL, 2, 60), (Status.OK, 0, 80)]
    (run,) = [r for r in runs(writer, SITE) if r.attempt == 0]
    overdue = 2 * site.every + site.timeout
    assert timedelta(microseconds=run.end - run.start) == overdue


def test_a_check_that_could_not_look_is_unknown_for_each_of_its_items(
    catalog: Callable[[str], Catalog], writer: Writer
) -> None:
    house, kept = catalog(HOUSE), Kept()
    beliefs = kept.beliefs()
    beliefs.use(house, at(0))
    Remembering(writer, beliefs, Counters())
    site = house.checks[SITE]
    beliefs.absorb(site, [Result.ok("fine", item="/srv"), Result.ok("fine", item="/var")], at(1))
    beliefs.absorb(site, [Result.unknown("no login", Cause.LOGIN)], at(31))
    for item in ("/srv", "/var"):
        found = [run.status for run in runs(writer, f"{SITE}/{item}")]
        assert found == [Status.OK, Status.UNKNOWN]
    assert runs(writer, SITE) == []


def test_the_condition_tells_why_nothing_is_written(
    catalog: Callable[[str], Catalog], tmp_path: Path
) -> None:
    house, kept, counters = catalog(HOUSE), Kept(), Counters()
    (tmp_path / "in-the-way").write_text("")
    writer = Writer(tmp_path / "in-the-way" / "history", now=lambda: at(0))
    beliefs = kept.beliefs()
    beliefs.use(house, at(0))
    remembering = Remembering(writer, beliefs, counters)
    assert remembering.look(Retention()) == ""
    beliefs.absorb(house.checks[SITE], SICK, at(60))
    assert writer.flush(60)
    assert "pauses" in remembering.look(Retention())
    assert counters.history_waiting == 1
    assert beliefs.states[StateKey(SITE)].status is Status.CRITICAL  # checking goes on
    writer.close()


def test_verifying_looks_are_kept_and_a_renamed_check_carries_all_of_it(
    house: House, writer: Writer
) -> None:
    async def begin(core: Core) -> None:
        core._remembering._writer = writer
        core.instance.beliefs.keep = core._remembering.keep

    ended = house.live(
        '{60s: {web1/site: critical "no"}}',
        {1: begin, 300: reload_to(house, RENAMED)},
        actions="{two: {does: heals, takes: 30s}}",
    )
    start = ended.world.start
    assert runs(writer, "web1/site", start) == []
    found = runs(writer, "web1/shop", start)
    steps = [(run.status, run.attempt) for run in found]
    assert steps[0] == (Status.OK, 0)
    assert (Status.CRITICAL, 0) in steps
    assert (Status.OK, 1) in steps  # the looks that proved it
    assert steps[-1] == (Status.OK, 0)
    assert found[-1].end - start > 400_000_000
