"""What a repair has harmed: a neighbour that was well, fails hard by its own results, and alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitord.decisions.harm import Neighbour, doubtful, harmed
from monitord.decisions.reach import Reach
from monitord.model.ids import Instant, StateKey
from monitord.model.result import Status
from monitord.model.state import CheckState

MINUTE = 60_000_000
ACTED = Instant(100 * MINUTE)
HARD = Neighbour(StateKey("web1/shop"), Status.CRITICAL, "no answer", in_a_row=3, attempts=3)


def peer(minute: float, status: Status = Status.CRITICAL) -> CheckState:
    """Give a like check elsewhere that has failed since a minute (100: the first effect)."""
    failed = Instant(round(minute * MINUTE))
    return CheckState(StateKey("web2/shop"), status=status, first_failed=failed)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"status": Status.WARNING},
        {"peers": (replace(peer(0), status=Status.OK, first_failed=None),)},
        {"peers": (peer(89.9),)},
        {"peers": (peer(101, Status.UNKNOWN),)},
        {"gauges": True},
    ],
    ids=[
        "alone",
        "a warning",
        "others are well",
        "another fails for long",
        "nobody can tell",
        "full",
    ],
)
def test_what_was_well_and_fails_hard_was_harmed(changes: dict[str, Any]) -> None:
    one = replace(HARD, **changes)
    assert harmed([one], acted=ACTED) == (one,)


@pytest.mark.parametrize(
    "changes",
    [
        {"in_a_row": 2},
        {"reach": Reach.DOWN},
        {"reach": Reach.UNSURE},
        {"worked_on": True},
        {"gauges": True, "status": Status.WARNING},
        {"peers": (peer(90),)},
        {"peers": (peer(0), peer(103, Status.WARNING))},
    ],
    ids=["soft", "a parent is down", "it may be", "maintenance", "busy", "before", "since"],
)
def test_what_others_explain_is_no_harm(changes: dict[str, Any]) -> None:
    assert harmed([replace(HARD, **changes)], acted=ACTED) == ()


def test_a_proof_waits_for_what_is_not_judged_yet_and_for_nothing_else() -> None:
    soft = replace(HARD, in_a_row=1)
    unsure = replace(HARD, reach=Reach.UNSURE)
    excused = [replace(soft, reach=Reach.DOWN), replace(soft, worked_on=True), HARD]
    excused.append(replace(soft, gauges=True, status=Status.WARNING))
    assert doubtful([soft]) == doubtful([unsure]) == (HARD.key,)
    assert doubtful(excused) == ()
