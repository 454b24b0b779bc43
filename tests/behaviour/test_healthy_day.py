"""A healthy day with noisy signals ends without an action.

Here an hour and a half of it, with the noise of six; all 24: `make healthyday`.
"""

from tests.behaviour.healthy_day import HOUR, live


def test_a_healthy_day_ends_without_an_action() -> None:
    lived = live(seed=2, length=3 * HOUR // 2, gaps=(90, 1200))
    assert lived.transitions > 15  # it was noisy
    assert (lived.actions, lived.broken, lived.bugs) == ((), (), ())
