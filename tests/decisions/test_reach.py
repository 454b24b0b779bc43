"""What a parent's belief means for its children (notation of beliefs: rows.py)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from monitord.decisions.reach import Reach, hangs_on, reach, recheck
from monitord.model.catalog import Check, Host, Requirement
from monitord.model.ids import CheckKey, Instant
from monitord.model.result import Status
from monitord.model.spec import Spec
from monitord.model.state import CheckState, StatePolicy
from tests.decisions.rows import FRESH, last

SW1, SW2, DB, SSH = (
    CheckKey(key) for key in ("sw1/reach", "sw2/reach", "db1/pg-primary", "web1/ssh")
)


def states(**words: str) -> Callable[[CheckKey], CheckState | None]:
    """Give a lookup: the row of results of each parent, by its host's name."""
    found = {key: last(row) if row else FRESH for key, row in words.items()}
    return lambda key: found.get(key.split("/")[0])


def alone(words: str, *, via: bool = False, since: int | None = None) -> Reach:
    return reach(
        [Requirement("all", (SW1,))],
        states(sw1=words),
        via=SW1 if via else None,
        since=None if since is None else Instant(since * 1_000_000),
    )


@pytest.mark.parametrize(
    ("parent", "expected"),
    [
        ("O", Reach.UP),
        ("O W", Reach.UP),  # slow, but it answers
        ("W W W", Reach.UP),
        ("", Reach.UNSURE),  # before the first result
        ("P", Reach.UNSURE),
        ("C", Reach.UNSURE),
        ("O C", Reach.UNSURE),
        ("O U", Reach.UNSURE),
        ("C C C", Reach.DOWN),
        ("C C C O", Reach.UNSURE),  # it comes back: what fails now may be an after-effect
        ("C C C O O", Reach.UP),
        ("C C C U", Reach.DOWN),
        ("C C C U U U", Reach.DOWN),  # stale, but nothing says that it is back
        ("W W W U", Reach.UNSURE),
        ("W W W U U U", Reach.UP),  # stale: its own incident tells, it excuses nobody
        ("U U U", Reach.UP),  # UNKNOWN excuses nobody
        ("U U U O", Reach.UP),
        ("O C!", Reach.DOWN),  # behind something that is down itself
        ("O C! O", Reach.UP),
    ],
)
def test_a_parent_is_up_in_doubt_or_down(parent: str, expected: Reach) -> None:
    assert alone(parent) is expected


@pytest.mark.parametrize(
    ("parent", "expected"),
    [
        ("O", Reach.UP),
        ("U", Reach.UNSURE),
        ("O U", Reach.UNSURE),
        ("U U U", Reach.DOWN),  # nobody can log in: what hangs on it cannot be judged
        ("U U U O", Reach.UNSURE),
        ("C C C", Reach.DOWN),
    ],
)
def test_a_transport_that_is_hard_unknown_is_down(parent: str, expected: Reach) -> None:
    assert alone(parent, via=True) is expected


def test_a_parent_nobody_has_a_state_of_excuses_nobody() -> None:
    assert reach([Requirement("all", (SW1,))], lambda _: None) is Reach.UP


def test_an_ok_from_before_the_childs_failure_leaves_doubt() -> None:
    assert alone("O O", since=2) is Reach.UP
    assert alone("O O", since=3) is Reach.UNSURE
    assert alone("C C C", since=9) is Reach.DOWN
    assert alone("U U U", since=9) is Reach.UNSURE


def test_a_parent_that_fell_silent_while_it_came_back_is_still_down() -> None:
    silent = replace(last("C C C O"), stale=True)
    assert reach([Requirement("all", (SW1,))], lambda _: silent) is Reach.DOWN


def test_a_parent_that_is_never_seen_again_leaves_no_doubt_for_good() -> None:
    """Else its child could never become hard: the parent goes stale, and that ends the doubt."""
    assert alone("W W W U U U", since=99) is Reach.UP


@pytest.mark.parametrize(
    ("mode", "one", "other", "expected"),
    [
        ("any", "C C C", "O", Reach.UP),
        ("any", "C C C", "O C", Reach.UNSURE),
        ("any", "C C C", "C C C", Reach.DOWN),
        ("all", "C C C", "O", Reach.DOWN),
        ("all", "O C", "O", Reach.UNSURE),
        ("all", "O", "O", Reach.UP),
    ],
)
def test_any_asks_for_the_best_and_all_for_the_worst(
    mode: str, one: str, other: str, expected: Reach
) -> None:
    requirement = Requirement(mode, (SW1, SW2))
    assert reach([requirement], states(sw1=one, sw2=other)) is expected


@pytest.mark.parametrize("mode", ["any", "all"])
def test_nothing_required_is_always_met(mode: str) -> None:
    assert reach([], states()) is Reach.UP
    assert reach([Requirement(mode)], states()) is Reach.UP


def test_of_several_requirements_the_worst_decides() -> None:
    switches, database = Requirement("any", (SW1, SW2)), Requirement("all", (DB,))
    parents = states(sw1="O", sw2="C C C", db1="C C C")
    assert reach([switches], parents) is Reach.UP
    assert reach([switches, database], parents) is Reach.DOWN


def a_check(via: CheckKey | None) -> Check:
    return Check(
        key=CheckKey("web1/disk"),
        host="web1",
        name="disk",
        kind="disk",
        spec=Spec(),
        every=timedelta(minutes=1),
        retry_every=timedelta(seconds=15),
        timeout=timedelta(seconds=10),
        policy=StatePolicy(),
        via=via,
        needs=Requirement("all", (DB,)),
    )


WEB1 = Host("web1", "10.1.1.11", behind=Requirement("any", (SW1, SW2)))
LOGIN = Requirement("all", (SSH,))


@pytest.mark.parametrize(
    ("via", "status", "expected"),
    [
        (None, Status.CRITICAL, (WEB1.behind, Requirement("all", (DB,)))),
        (SSH, Status.UNKNOWN, (WEB1.behind, Requirement("all", (DB,)), LOGIN)),
        (SSH, Status.CRITICAL, (Requirement("all", (DB,)),)),
        (SSH, Status.WARNING, (Requirement("all", (DB,)),)),
    ],
)
def test_a_fact_that_arrived_proves_the_way_it_came(
    via: CheckKey | None, status: Status, expected: tuple[Requirement, ...]
) -> None:
    """A full disk read over SSH is full, though the switch before it answers no ping."""
    assert hangs_on(a_check(via), WEB1, status) == expected


def test_parents_are_looked_at_when_a_child_fails() -> None:
    requirements = [Requirement("any", (SW1, SW2)), Requirement("all", (DB, SW1))]
    parents = states(sw1="O O O", sw2="O O O O", db1="")
    assert recheck(requirements, parents, since=Instant(4_000_000)) == (SW1, DB)


def test_a_parent_without_a_state_is_looked_at_too() -> None:
    assert recheck([LOGIN], lambda _: None, via=SSH, since=Instant(1)) == (SSH,)


def test_a_parent_known_to_be_down_needs_no_look() -> None:
    requirement = Requirement("any", (SW1, SW2))
    parents = states(sw1="C C C", sw2="O")
    assert recheck([requirement], parents, since=Instant(9_000_000)) == (SW2,)


def test_a_child_that_is_excused_needs_no_look_at_its_parents() -> None:
    requirements = [Requirement("all", (SW1,)), Requirement("all", (DB,))]
    parents = states(sw1="C C C", db1="O")
    assert recheck(requirements, parents, since=Instant(9_000_000)) == ()
