"""How times stand on a page."""

from __future__ import annotations

import pytest

from monitord.web.console.render import lasted, span, told

_DAY = 86_400


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (2 * _DAY - 60, "1 d 23 h"),
        (3 * _DAY, "3 d"),
        (12 * _DAY + 7500, "12 d"),
    ],
)
def test_a_length_of_time_says_its_two_largest_units(seconds: float, shown: str) -> None:
    assert span(seconds) == shown


def test_what_is_over_lasted_from_its_first_failure_to_its_end() -> None:
    assert lasted("2026-11-23T14:45:01Z", "2026-11-23T14:46:36Z") == "1 min 35 s"


def test_points_in_time_in_our_own_words_are_the_readers() -> None:
    shown = told("<b> since 2026-11-30T14:45:00Z, not 2026-11-31T14:45:00Z")
    assert shown.startswith('&lt;b&gt; since <time datetime="2026-11-30T14:45:00Z" data-t="at"')
    assert shown.endswith(", not 2026-11-31T14:45:00Z")
