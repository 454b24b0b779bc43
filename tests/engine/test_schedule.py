"""When checks run, over hours of virtual time."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.engine.schedule import Scheduler, Slot
from monitord.engine.virtual_time import Door, VirtualLoop, run
from monitord.metrics import Counters
from monitord.model.catalog import Check
from monitord.model.ids import CheckKey
from monitord.model.spec import Spec
from monitord.model.state import StatePolicy


def check(key: str, every: float = 30, retry: float | None = None, via: str | None = None) -> Check:
    host, name = key.split("/")
    return Check(
        key=CheckKey(key),
        host=host,
        name=name,
        kind="tcp",
        spec=Spec(),
        every=timedelta(seconds=every),
        retry_every=timedelta(seconds=retry if retry is not None else every),
        timeout=timedelta(seconds=5),
        policy=StatePolicy(),
        via=CheckKey(via) if via else None,
    )


@dataclass
class Day:
    """A scheduler whose checks take `takes` seconds each; `runs` has (second, key)."""

    takes: Callable[[str], float] = lambda _key: 0.0
    again_in: Callable[[str], timedelta | None] = lambda _key: None
    loop: VirtualLoop = field(default_factory=lambda: VirtualLoop(Door()))
    counters: Counters = field(default_factory=Counters)
    runs: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(self.loop, self._dispatch, self.counters)

    def _dispatch(self, slots: list[Slot]) -> None:
        for slot in slots:
            key = slot.check.key
            self.runs.append((self.loop.time(), key))
            again = self.again_in(key)
            self.loop.call_later(self.takes(key), self.scheduler.finished, slot, again)

    def load(self, *checks: Check, at_once: Iterable[str] = ()) -> None:
        keys = [CheckKey(key) for key in at_once]
        self.scheduler.load({each.key: each for each in checks}, at_once=keys)

    def pass_until(self, end: float, *deeds: tuple[float, Callable[[], None]]) -> None:
        async def main() -> None:
            for at, deed in [*deeds, (end, self.scheduler.stop)]:
                await asyncio.sleep(at - self.loop.time())
                deed()

        asyncio.set_event_loop(self.loop)
        try:
            run(main(), self.loop)
        finally:
            asyncio.set_event_loop(None)

    def of(self, key: str) -> list[float]:
        return [at for at, name in self.runs if name == key]


def gaps(times: list[float]) -> list[float]:
    return [round(after - before, 2) for before, after in pairwise(times)]


def test_a_check_runs_soon_and_then_once_in_each_interval() -> None:
    day = Day()
    day.load(check("a/x", 60))
    day.pass_until(601)
    assert day.of("a/x")[0] <= 15.1
    assert set(gaps(day.of("a/x")[1:])) == {60}
    assert 10 <= len(day.of("a/x")) <= 11


def test_a_thousand_checks_do_not_start_at_once() -> None:
    day = Day()
    day.load(*(check(f"h{number}/x", 60) for number in range(1000)))
    day.pass_until(300)
    last = [at for at, _ in day.runs if at > 200]
    busiest = max(sum(second <= at < second + 1 for at in last) for second in range(200, 300))
    assert busiest < 40  # 1,000 in 60 s are 17 a second


def test_checks_of_one_transport_start_together() -> None:
    day = Day()
    names = ("disk", "memory", "load")
    day.load(*(check(f"a/{name}", 60, via="a/ssh") for name in names), check("a/ssh", 60))
    day.pass_until(300)
    times = [day.of(f"a/{name}") for name in names]
    assert times[0] == times[1] == times[2]


def test_a_check_that_still_runs_is_refused_and_counted() -> None:
    day = Day(takes=lambda _key: 70.0)
    day.load(check("a/x", 30))
    day.pass_until(301)
    starts = day.of("a/x")
    assert min(gaps(starts)) >= 70
    assert day.counters.overlaps_refused == 10 - len(starts)


def test_a_late_check_runs_once_and_keeps_its_phase() -> None:
    day = Day()
    day.load(check("a/x", 30))

    def sleep_through() -> None:
        day.loop._virtual.time += 200  # the process was stopped: time went on without it

    day.pass_until(400, (100, sleep_through))
    before = [at for at in day.of("a/x") if at <= 100]
    after = [at for at in day.of("a/x") if at > 100]
    assert after[0] == pytest.approx(300, abs=0.1)
    assert day.counters.checks_late == 1
    assert after[1] - before[-1] == pytest.approx(210, abs=0.1) or after[1] - after[0] <= 30
    assert set(gaps(after[1:])) == {30}
    assert (after[1] - before[-1]) % 30 == pytest.approx(0, abs=0.1)


def test_a_soft_state_brings_the_next_run_forward() -> None:
    soft = {"a/x"}
    day = Day(again_in=lambda key: timedelta(seconds=10) if key in soft else None)
    day.load(check("a/x", 60, 10))
    day.pass_until(400, (150, soft.clear))
    early = [gap for gap in gaps(day.of("a/x")) if gap < 60]
    assert max(early[:-1]) <= 20
    assert gaps(day.of("a/x"))[-2:] == [60, 60]


def test_a_retry_does_not_move_a_check_out_of_its_phase() -> None:
    soft: set[str] = set()
    day = Day(again_in=lambda key: timedelta(seconds=7) if key in soft else None)
    day.load(check("a/x", 60, 7, via="a/ssh"), check("a/y", 60, 7, via="a/ssh"))
    day.pass_until(900, (200, lambda: soft.add("a/x")), (330, soft.clear))
    x, y = day.of("a/x"), day.of("a/y")
    assert len(x) > len(y) + 5
    assert [at for at in x if at > 420] == [at for at in y if at > 420]


def test_a_look_in_between_does_not_make_two_quick_attempts() -> None:
    """A run shortly before the usual one takes its place: they would count as two attempts."""
    day = Day()
    day.load(check("a/x", 60, 10))

    def look() -> None:
        usual = day.of("a/x")[-1] + 60
        day.loop.call_at(usual - 3, day.scheduler.run_now, [CheckKey("a/x")])

    day.pass_until(600, (200, look))
    assert min(gaps(day.of("a/x")[1:])) >= 10


def test_a_check_can_be_run_now_and_unknown_ones_are_ignored() -> None:
    day = Day()
    day.load(check("a/x", 600))
    now = [CheckKey("a/x"), CheckKey("gone/x")]
    day.pass_until(500, (100, lambda: day.scheduler.run_now(now)))
    assert any(abs(at - 100) < 0.1 for at in day.of("a/x"))


def test_what_is_urgent_at_a_load_runs_at_once() -> None:
    day = Day()
    day.load(check("a/x", 600), check("a/y", 600), at_once=["a/y"])
    day.pass_until(1)
    assert [key for _, key in day.runs] == ["a/y"]


def test_a_reload_keeps_the_due_times_of_what_stays() -> None:
    calm, other = Day(), Day()
    stays, goes, comes = check("a/stays", 60), check("a/goes", 60), check("a/comes", 60)
    calm.load(stays)
    calm.pass_until(600)
    other.load(stays, goes)
    texts = replace(stays, means="other words", retry_every=timedelta(seconds=5))
    other.pass_until(600, (250, lambda: other.load(texts, comes)))
    assert other.of("a/stays") == calm.of("a/stays")
    assert max(other.of("a/goes")) < 250
    assert 250 <= min(other.of("a/comes")) <= 265.1


def test_another_interval_begins_anew() -> None:
    day = Day()
    day.load(check("a/x", 600))
    day.pass_until(600, (100, lambda: day.load(check("a/x", 20))))
    assert gaps(day.of("a/x"))[-5:] == [20] * 5


def test_a_removed_check_that_still_runs_does_not_come_back() -> None:
    day = Day(takes=lambda _key: 30.0, again_in=lambda _key: timedelta(seconds=1))
    day.load(check("a/x", 60), at_once=["a/x"])
    day.pass_until(300, (10, day.load))
    assert day.of("a/x") == [pytest.approx(0, abs=0.1)]


def test_what_is_overdue_is_counted() -> None:
    day = Day()
    day.load(check("a/x", 10), check("a/y", 1000))
    found: list[int] = []

    def stop_and_wait() -> None:
        day.loop._virtual.time += 60
        found.append(day.scheduler.overdue(30))

    day.pass_until(100, (20, stop_and_wait))
    assert found == [1]


@settings(max_examples=40, deadline=None)
@given(
    every=st.integers(1, 120),
    retry=st.integers(1, 120),
    takes=st.lists(st.floats(0, 200), min_size=1, max_size=5),
    soft=st.lists(st.booleans(), min_size=1, max_size=7),
)
def test_however_long_runs_take_it_never_runs_beside_itself_and_never_stops(
    every: int, retry: int, takes: list[float], soft: list[bool]
) -> None:
    retry = min(retry, every)
    ends: list[float] = [0.0]

    def duration(_key: str) -> float:
        number = len(day.runs)
        assert day.loop.time() >= ends[-1] - 0.01
        ends.append(day.loop.time() + takes[number % len(takes)])
        return takes[number % len(takes)]

    def again(_key: str) -> timedelta | None:
        return timedelta(seconds=retry) if soft[len(day.runs) % len(soft)] else None

    day = Day(takes=duration, again_in=again)
    day.load(check("a/x", every, retry))
    day.pass_until(2000)
    assert max(gaps(day.of("a/x")), default=0) <= max(takes) + 2 * every + 0.1
    assert day.of("a/x")[-1] >= 2000 - max(takes) - 2 * every - 1


def test_a_check_that_is_asked_for_while_it_runs_runs_once_more_right_after() -> None:
    day = Day(takes=lambda _key: 10.0, again_in=lambda _key: timedelta(seconds=25))
    day.load(check("a/x", 600), at_once=["a/x"])
    asks = [(at, lambda: day.scheduler.run_now([CheckKey("a/x")])) for at in (3.0, 4.0, 5.0)]
    day.pass_until(60, *asks)
    assert day.of("a/x") == pytest.approx([0, 10, 45], abs=0.1)


def test_a_question_for_a_check_that_is_removed_while_it_runs_is_forgotten() -> None:
    day = Day(takes=lambda _key: 10.0)
    day.load(check("a/x", 600), at_once=["a/x"])
    day.pass_until(60, (3.0, lambda: day.scheduler.run_now([CheckKey("a/x")])), (4.0, day.load))
    assert len(day.of("a/x")) == 1
