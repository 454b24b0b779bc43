import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.decisions.flapping import is_flapping, percent, push

BITS = st.integers(min_value=0, max_value=2**20 - 1)


def window(changes: str) -> int:
    """Push results, oldest first: x changed, . did not."""
    bits = 0
    for mark in changes:
        bits = push(bits, changed=mark == "x")
    return bits


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ("", 0.0),
        ("x", 5.9),  # 1.18 of 20
        ("x" + "." * 19, 4.0),  # 0.80 of 20
        ("x" + "." * 20, 0.0),
        ("xxxxx", 28.5),
        ("xxxxxx", 33.9),
        ("x" * 20, 99.0),
        ("x" * 200, 99.0),
        ("xxxxx" + "." * 7, 25.0),  # exactly, so that `stop at or below 25` stops here
    ],
)
def test_a_change_weighs_118_when_new_and_2_less_for_each_result_after_it(
    changes: str, expected: float
) -> None:
    assert percent(window(changes)) == expected


@given(BITS, st.booleans())
def test_the_window_holds_20_results(bits: int, changed: bool) -> None:
    after = push(bits, changed=changed)
    assert 0 <= after < 2**20
    assert after & 1 == changed
    assert after >> 1 == bits & (2**19 - 1)


@given(BITS)
def test_the_share_of_changes_lies_between_0_and_99_percent(bits: int) -> None:
    assert 0.0 <= percent(bits) <= 99.0


@given(BITS)
def test_a_result_without_change_never_raises_the_share(bits: int) -> None:
    assert percent(push(bits, changed=False)) <= percent(bits)


@given(BITS)
def test_the_tables_hold_the_plain_formula(bits: int) -> None:
    plain = sum(1.18 - 0.02 * age for age in range(20) if bits >> age & 1) * 100 / 20
    assert percent(bits) == pytest.approx(plain, abs=1e-9)


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        (False, 30.0, False),
        (False, 30.1, True),
        (True, 25.1, True),
        (True, 25.0, False),
        (False, 27.0, False),
        (True, 27.0, True),
    ],
)
def test_flapping_starts_above_high_and_stops_at_low(
    before: bool, value: float, after: bool
) -> None:
    assert is_flapping(before, value, low=25.0, high=30.0) is after
