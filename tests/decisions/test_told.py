"""Pages per person, counted from rows: what arrived, by which way, and what did not."""

from __future__ import annotations

from typing import Any

from monitord.decisions.told import counted
from monitord.model.ids import IncidentId, Instant
from monitord.model.notice import Notice, NoticeKind, NoticeStatus

PENDING, SENT, DEAD, VOID = NoticeStatus


def notice(number: int, person: str, status: NoticeStatus = SENT, **more: Any) -> Notice:
    kind = more.pop("kind", NoticeKind.PAGE)
    way = "email" if status is SENT else ""
    return Notice(
        number, IncidentId(1), person, kind, "P2", "site", "down", status, Instant(0), Instant(0),
        **{"told_by": way, **more},
    )  # fmt: skip


def test_what_arrived_is_counted_by_kind_and_way_whoever_was_paged_most_first() -> None:
    rows = [
        notice(1, "ann"),
        notice(2, "kim", told_by="apprise"),
        notice(3, "kim"),
        notice(4, "kim", kind=NoticeKind.OVER),
        notice(5, "kim", VOID),
    ]
    kim, ann = counted(rows)
    assert (kim.person, kim.pages, kim.over) == ("kim", 2, 1)
    assert kim.ways == {"apprise": 1, "email": 2}
    assert (ann.person, ann.pages, ann.ways) == ("ann", 1, {"email": 1})


def test_what_failed_and_what_waits_is_no_page() -> None:
    rows = [
        notice(3, "kim", PENDING, tries=1, last_error="the newest"),
        notice(1, "kim", DEAD, tries=6, last_error="the first"),
        notice(2, "kim", tries=1),
    ]
    (kim,) = counted(rows)
    assert (kim.pages, kim.failed, kim.waiting, kim.tries) == (1, 1, 1, 8)
    assert kim.last_error == "the newest"


def test_who_was_told_nothing_stands_there_and_who_is_gone_is_still_counted() -> None:
    found = counted([notice(1, "gone")], ["kim"])
    assert [(one.person, one.pages) for one in found] == [("gone", 1), ("kim", 0)]
