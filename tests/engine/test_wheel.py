import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.engine.wheel import Wheel

DUES = st.lists(st.floats(0, 1000, allow_nan=False), max_size=60)
GRAINS = st.sampled_from([0.005, 0.1, 1.0])


def wheel_of(dues: list[float], grain: float) -> Wheel[int]:
    wheel: Wheel[int] = Wheel(grain)
    for number, due in enumerate(dues):
        wheel.put(due, number)
    return wheel


def test_an_empty_wheel_is_never_due() -> None:
    wheel: Wheel[str] = Wheel()
    assert wheel.next_due() is None
    assert wheel.take(1e9) == []
    assert len(wheel) == 0


def test_an_entry_is_due_when_its_slot_has_ended_and_not_before() -> None:
    wheel = wheel_of([1.0021], 0.005)
    assert wheel.next_due() == pytest.approx(1.005)
    assert wheel.take(1.0049) == []
    assert wheel.take(1.005) == [(1.0021, 0)]
    assert wheel.next_due() is None


def test_entries_of_one_slot_come_together_in_the_order_in_which_they_were_put() -> None:
    wheel = wheel_of([5.5, 5.1, 5.9, 6.0], 1.0)
    assert [number for _, number in wheel.take(6.0)] == [0, 1, 2]


@given(DUES, GRAINS, st.lists(st.floats(0, 1100, allow_nan=False), max_size=20))
def test_each_entry_comes_once_in_time_and_none_is_invented(
    dues: list[float], grain: float, looks: list[float]
) -> None:
    wheel = wheel_of(dues, grain)
    taken: list[int] = []
    for now in [*sorted(looks), 1e6]:
        found = wheel.take(now)
        assert all(due <= now + 1e-6 for due, _ in found)
        left = set(range(len(dues))) - set(taken) - {number for _, number in found}
        assert all(dues[number] > now - grain - 1e-6 for number in left)
        assert all(dues[number] == due for due, number in found)
        taken += [number for _, number in found]
        assert len(wheel) == len(dues) - len(taken)
    assert sorted(taken) == list(range(len(dues)))


@given(DUES.filter(bool), GRAINS)
def test_what_is_said_to_be_due_next_is_there_then(dues: list[float], grain: float) -> None:
    wheel = wheel_of(dues, grain)
    due = wheel.next_due()
    assert due is not None
    assert min(dues) <= due <= min(dues) + grain + 1e-6
    assert wheel.take(due)
