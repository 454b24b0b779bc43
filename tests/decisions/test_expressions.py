"""What a line of `down_when` means: read, refused, and counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.config.names import glob
from monitord.decisions.expressions import (
    ExpressionError,
    blamed,
    counts_of,
    holds,
    keys_of,
    rule,
    tally,
)
from monitord.model.ids import CheckKey
from monitord.model.service import Compare, Count, Expression, Junction, Seen

WEBS = tuple(CheckKey(f"web{number}/site") for number in range(1, 9))
KEYS = (*WEBS, CheckKey("www/vip"), CheckKey("db1/pg"), CheckKey("db2/pg"))
OK, WARNING, CRITICAL, UNKNOWN = Seen.OK, Seen.WARNING, Seen.CRITICAL, Seen.UNKNOWN


def find(selector: str) -> list[CheckKey]:
    found = [key for key in KEYS if glob(selector)(key)]
    if not found:
        raise ExpressionError(f"there is no check {selector}")
    return found


def read(text: str) -> Expression:
    return rule(text, find).means


def count(text: str) -> Count:
    found = read(text)
    assert isinstance(found, Count)
    return found


@pytest.mark.parametrize(
    ("text", "compare", "number", "seen"),
    [
        ("www/vip", Compare.LEAST, 1, {CRITICAL}),
        ("www/vip critical", Compare.LEAST, 1, {CRITICAL}),
        ("www/vip is not ok", Compare.LEAST, 1, {WARNING, CRITICAL, UNKNOWN}),
        ("www/vip not up", Compare.LEAST, 1, {CRITICAL, UNKNOWN}),
        ("web*/site fewer than 6 ok", Compare.FEWER, 6, {OK}),
        ("web*/site less than 6 are ok", Compare.FEWER, 6, {OK}),
        ("fewer than 6 of web*/site up", Compare.FEWER, 6, {OK, WARNING}),
        ("web*/site more than 2 critical", Compare.MORE, 2, {CRITICAL}),
        ("more than 2 of web*/site", Compare.MORE, 2, {CRITICAL}),
        ("at least 2 of web*/site warning or critical", Compare.LEAST, 2, {WARNING, CRITICAL}),
        ("web*/site at most 3 ok", Compare.MOST, 3, {OK}),
        ("any of web*/site", Compare.LEAST, 1, {CRITICAL}),
        ("web*/site any unknown", Compare.LEAST, 1, {UNKNOWN}),
        ("none of web*/site ok", Compare.FEWER, 1, {OK}),
    ],
)
def test_an_expression_says_how_many_are_what(
    text: str, compare: Compare, number: float, seen: set[Seen]
) -> None:
    found = count(text)
    assert (found.compare, found.number, found.percent, found.seen) == (
        compare, number, False, seen,
    )  # fmt: skip


def test_shares_are_of_all_that_match() -> None:
    found = count("fewer than 62.5% of web*/site ok")
    assert (found.number, found.percent) == (62.5, True)
    by = {key: OK if place < 5 else CRITICAL for place, key in enumerate(WEBS)}
    assert holds(found, by.__getitem__) is False
    by[WEBS[0]] = WARNING
    assert holds(found, by.__getitem__) is True
    assert (count("all of web*/site").number, count("all of web*/site").percent) == (100, True)


def test_or_binds_less_than_and_and_brackets_bind_most() -> None:
    flat = read("www/vip or db1/pg and db2/pg")
    assert isinstance(flat, Junction)
    assert not flat.every
    assert isinstance(flat.parts[1], Junction)
    bound = read("(www/vip or db1/pg) and all of db*/pg critical")
    assert isinstance(bound, Junction)
    assert bound.every
    assert keys_of(bound) == ("www/vip", "db1/pg", "db2/pg")
    states = read("db1/pg warning or critical or www/vip")
    assert isinstance(states, Junction)
    assert [part.seen for part in counts_of(states)] == [{WARNING, CRITICAL}, {CRITICAL}]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("web*/site", "does not say how many: 8 checks match web*/site (write any of web*/site"),
        ("web*/site fewer than 6", "does not say what web*/site should be (add one of ok, up"),
        ("web*/site fewer then 6 ok", "has 'then' behind 'fewer' (write fewer than 2)"),
        ("web*/site at 6 ok", "has '6' behind 'at' (write at least or most 2)"),
        ("web*/site more than six ok", "has 'six' where a number belongs (write more than 2"),
        ("web*/site more than 1.5 ok", "has '1.5', which is no count"),
        ("web*/site more than 101% ok", "has '101%', which is more than all"),
        ("www/vip citical", "has the unknown word 'citical' (did you mean critical?)"),
        ("www/vip down", "has the unknown word 'down' (known: ok, up, warning, critical, unknown)"),
        ("www/vip is down", "has 'down' where a state belongs (known: ok"),
        ("any web*/site", "has no `of` behind 'any' (write any of web*/site)"),
        ("fewer than 6 ok", "has no `of` behind '6' (write 6 of web*/site)"),
        ("ok", "has 'ok' where a selector belongs"),
        ("www/vip and", "has nothing where a selector belongs"),
        ("(www/vip", "has a `(` that nothing closes (add `)`)"),
        ("www/vip)", "has ')' where it should end or go on with `and` or `or`"),
        ("(" * 30 + "www/vip", "has more than 20 brackets in each other"),
        ("web*/site fewer than 9 ok", "would always hold: 8 checks match web*/site, and fewer"),
        ("web*/site more than 8 ok", "would never hold: 8 checks match web*/site, and more than 8"),
        ("at least 2 of www/vip", "would never hold: 1 check matches www/vip, and at least 2"),
        ("web*/site at least 0% ok", "would always hold"),
        ("www/vop", "there is no check www/vop"),
        ("x" * 3000, "is longer than 2000 characters"),
        ("www/vip\x1b", "has some that do not print"),
        ("", "has nothing where a selector belongs"),
    ],
)
def test_a_mistake_is_told_with_its_word_and_cure(text: str, told: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read(text)
    assert told in str(caught.value)


def test_what_was_not_seen_decides_nothing() -> None:
    found = count("web*/site fewer than 6 ok")
    for good, unseen, expected in ((8, 0, False), (6, 2, False), (5, 3, None), (3, 2, True)):
        seen = [OK] * good + [UNKNOWN] * unseen + [CRITICAL] * (8 - good - unseen)
        see = dict(zip(WEBS, seen, strict=True)).__getitem__
        assert holds(found, see) is expected, (good, unseen)
    by = dict.fromkeys(WEBS, UNKNOWN)
    assert holds(count("more than 2 of web*/site unknown"), by.__getitem__) is True
    assert holds(count("more than 2 of web*/site not ok"), by.__getitem__) is True


def test_who_is_to_blame_is_bad_and_counts() -> None:
    seen = [OK, WARNING, CRITICAL, CRITICAL, UNKNOWN, OK, OK, OK]
    see = {**dict(zip(WEBS, seen, strict=True)), "www/vip": CRITICAL}.__getitem__
    for text, guilty in (
        ("web*/site fewer than 6 ok", WEBS[1:4]),
        ("web*/site fewer than 7 up", WEBS[2:4]),
        ("web*/site more than 1 critical", WEBS[2:4]),
        ("web*/site more than 2 not ok", WEBS[1:5]),
        ("web*/site more than 7 critical", ()),
        ("www/vip or web*/site more than 7 critical", ("www/vip",)),
        ("www/vip and web*/site more than 1 critical", ("www/vip", *WEBS[2:4])),
    ):
        assert blamed(read(text), see) == frozenset(guilty), text


@given(st.text(alphabet="abw/*=&,|()[]15% \t", max_size=40) | st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = rule(text, lambda _selector: list(WEBS))
    except ExpressionError:
        return
    assert keys_of(found.means)


_TEXTS = st.sampled_from(
    [
        f"{how} of web*/site {state}"
        for how in (
            "any",
            "all",
            "none",
            "fewer than 6",
            "more than 2",
            "at most 50%",
            "at least 3",
        )
        for state in ("ok", "up", "critical", "not ok", "unknown", "warning or critical")
    ]
)
_SEEN = st.lists(st.sampled_from(list(Seen)), min_size=8, max_size=8)


@given(_TEXTS, _SEEN, st.data())
def test_doubt_is_what_more_seeing_could_turn_either_way(
    text: str, seen: list[Seen], data: st.DataObject
) -> None:
    """What is told holds, whatever the unseen turn out to be."""
    found = count(text)
    told = holds(found, dict(zip(WEBS, seen, strict=True)).__getitem__)
    if told is None or UNKNOWN in found.seen:
        return
    turned = [
        data.draw(st.sampled_from([OK, WARNING, CRITICAL])) if one is UNKNOWN else one
        for one in seen
    ]
    assert holds(found, dict(zip(WEBS, turned, strict=True)).__getitem__) is told


@given(_TEXTS, _SEEN)
def test_what_holds_for_bad_checks_names_some_of_them(text: str, seen: list[Seen]) -> None:
    found = count(text)
    see = dict(zip(WEBS, seen, strict=True)).__getitem__
    sure, most = tally(found, see)
    assert 0 <= sure <= most <= len(WEBS)
    assert all(see(key) is not OK for key in blamed(found, see))
