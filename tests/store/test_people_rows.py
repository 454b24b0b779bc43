"""What people are told and problems, as rows: the same on both engines."""

import pytest
from sqlalchemy.exc import IntegrityError

from monitord.errors import IllegalMoveError
from monitord.model.ids import IncidentId
from monitord.model.incident import OPEN_STATUSES
from monitord.model.notice import Notice, NoticeKind, NoticeStatus
from monitord.model.problem import Problem, ProblemStatus
from monitord.store.contract import Store
from tests.store import rows
from tests.store.rows import at

OPEN, KNOWN, CLOSED = ProblemStatus.OPEN, ProblemStatus.KNOWN, ProblemStatus.CLOSED
PENDING, SENT = NoticeStatus.PENDING, NoticeStatus.SENT


def notice(incident: int, *, due: float = 0) -> Notice:
    return Notice(
        0, IncidentId(incident), "kim", NoticeKind.PAGE, "P2", "web1/site", "down", PENDING,
        at(0), at(due),
    )  # fmt: skip


def problem(key: str) -> Problem:
    return Problem(0, key, OPEN, f"{key} keeps coming back", at(0), at(5), 3)


def test_a_notice_is_found_until_it_is_sent_and_stays_with_its_incident(store: Store) -> None:
    first = store.write_now(lambda tx: tx.add_notice(notice(1)))
    store.write_now(lambda tx: tx.add_notice(notice(2, due=9)))
    due = store.read_now(lambda view: view.notices(status=PENDING, due_by=at(1)))
    assert [one.id for one in due] == [first]
    assert store.write_now(lambda tx: tx.move_notice(first, PENDING, SENT, sent=at(2)))
    assert not store.write_now(lambda tx: tx.move_notice(first, PENDING, SENT))
    assert store.read_now(lambda view: view.notices(status=PENDING, due_by=at(1))) == []
    (kept,) = store.read_now(lambda view: view.notices(incident=IncidentId(1)))
    assert store.read_now(lambda view: view.notice(first)) == kept
    assert store.read_now(lambda view: view.notice(99)) is None
    assert (kept.status, kept.sent, kept.kind) == (SENT, at(2), NoticeKind.PAGE)
    assert len(store.read_now(lambda view: view.notices(since=at(0)))) == 2
    with pytest.raises(IllegalMoveError):
        store.write_now(lambda tx: tx.move_notice(first, SENT, PENDING))


def test_one_cause_is_one_open_problem(store: Store) -> None:
    number = store.write_now(lambda tx: tx.add_problem(problem("web1/site")))
    with pytest.raises(IntegrityError):
        store.write_now(lambda tx: tx.add_problem(problem("web1/site")))
    store.write_now(lambda tx: tx.change_problem(number, OPEN, incidents=4, cure="more memory"))
    assert store.write_now(lambda tx: tx.move_problem(number, OPEN, CLOSED, closed=at(9)))
    store.write_now(lambda tx: tx.add_problem(problem("web1/site")))
    found = store.read_now(lambda view: view.problems([OPEN, KNOWN]))
    assert [one.incidents for one in found] == [3]
    closed = store.read_now(lambda view: view.problem(number))
    assert closed is not None
    assert (closed.cure, closed.incidents, closed.closed) == ("more memory", 4, at(9))


def test_incidents_are_found_by_when_people_are_to_hear(store: Store) -> None:
    number = store.write_now(lambda tx: tx.add_incident(rows.incident()))
    status = rows.incident().status
    store.write_now(lambda tx: tx.change_incident(number, status, page_at=at(10), paged=1))
    assert store.read_now(lambda view: view.incidents(OPEN_STATUSES, page_by=at(9))) == []
    (found,) = store.read_now(lambda view: view.incidents(OPEN_STATUSES, page_by=at(10)))
    assert (found.id, found.paged) == (number, 1)
