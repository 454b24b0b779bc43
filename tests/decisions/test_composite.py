"""What a composite check says by what was seen of its members."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.decisions.composite import judge, planned
from monitord.model.ids import CheckKey
from monitord.model.kinds import Member, MembersRecord
from monitord.model.result import Cause, Status
from monitord.model.service import Seen

LETTERS = {"o": Seen.OK, "w": Seen.WARNING, "c": Seen.CRITICAL, "u": Seen.UNKNOWN}
OK, WARNING, CRITICAL, UNKNOWN, PENDING = Status
SEEN = st.lists(st.sampled_from(tuple(Seen)), min_size=1, max_size=6)


def record(letters: str, need: int) -> MembersRecord:
    return of([LETTERS[letter] for letter in letters], need)


def of(seen: list[Seen], need: int) -> MembersRecord:
    made = [
        Member(
            CheckKey(f"web{number}/site"), one, cause=Cause.TIMEOUT if one is Seen.UNKNOWN else None
        )
        for number, one in enumerate(seen, 1)
    ]
    return MembersRecord(tuple(made), need)


@pytest.mark.parametrize(
    ("letters", "need", "status"),
    [
        ("ooo", 3, OK),
        ("oow", 3, WARNING),
        ("ooc", 3, CRITICAL),
        ("oou", 3, UNKNOWN),
        ("ocu", 3, CRITICAL),  # not even the one that was not seen could save it
        ("occ", 1, OK),
        ("wcc", 1, WARNING),
        ("ccc", 1, CRITICAL),
        ("ccu", 1, UNKNOWN),
        ("ouu", 1, OK),
        ("ooc", 2, OK),
        ("owc", 2, WARNING),
        ("owu", 2, UNKNOWN),  # OK or WARNING, by what was not seen
        ("wwu", 2, WARNING),
    ],
)
def test_it_counts_what_surely_works(letters: str, need: int, status: Status) -> None:
    assert judge(record(letters, need)).status is status


def test_it_names_the_count_the_limit_and_who_is_to_blame() -> None:
    found = judge(record("occ", 2))

    assert found.summary == (
        "1 of 3 work (needed: 2): web2/site is critical, web3/site is critical"
    )
    assert [(one.name, one.value) for one in found.measurements] == [("working", 1), ("members", 3)]


def test_what_cannot_be_told_has_the_cause_of_what_was_not_seen() -> None:
    assert judge(record("ou", 2)).cause is Cause.TIMEOUT


def test_before_the_first_results_of_its_members_it_is_pending() -> None:
    new = Member(CheckKey("web1/site"), Seen.UNKNOWN, "has no result", pending=True)

    assert judge(MembersRecord((new,), 1)).status is PENDING


def test_many_bad_members_are_counted_and_not_all_named() -> None:
    assert judge(record("c" * 9, 1)).summary.endswith("web5/site is critical and 4 more")


@given(SEEN, st.data())
def test_what_is_seen_later_never_contradicts_a_verdict(
    seen: list[Seen], data: st.DataObject
) -> None:
    """OK, WARNING and CRITICAL hold whatever the unseen turn out to be."""
    need = data.draw(st.integers(1, len(seen)))
    before = judge(of(seen, need)).status
    told = [
        data.draw(st.sampled_from((Seen.OK, Seen.WARNING, Seen.CRITICAL)))
        if one is Seen.UNKNOWN
        else one
        for one in seen
    ]
    after = judge(of(told, need)).status

    assert after in (OK, WARNING, CRITICAL)
    if before is not UNKNOWN:
        assert _as_bad(after) <= _as_bad(before) if before is WARNING else after is before


@given(SEEN, st.data())
def test_one_that_gets_worse_makes_nothing_better(seen: list[Seen], data: st.DataObject) -> None:
    need = data.draw(st.integers(1, len(seen)))
    known = [Seen.OK if one is Seen.UNKNOWN else one for one in seen]
    place = data.draw(st.integers(0, len(seen) - 1))
    worse = [*known[:place], Seen.CRITICAL, *known[place + 1 :]]

    assert _as_bad(judge(of(worse, need)).status) >= _as_bad(judge(of(known, need)).status)


def test_work_on_so_many_members_that_it_must_fail_was_planned() -> None:
    both = {CheckKey("web2/site"), CheckKey("web3/site")}

    assert planned(record("occ", 2), both)
    assert not planned(record("occ", 2), {CheckKey("web2/site")})
    assert not planned(record("occ", 2), set())


def _as_bad(status: Status) -> int:
    return (OK, WARNING, CRITICAL).index(status)
