"""Counts what people were told, per person and way: whom this costs sleep, and what fails. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from monitord.model.notice import Notice, NoticeKind, NoticeStatus


@dataclass(frozen=True, slots=True)
class Count:
    """What one person was told in a span of time.

    Each kind counts what arrived (SENT); `ways` says by which way. `failed` is what no way took,
    `tries` how often a way did not take it, `waiting` what is still to be sent, `last_error` why
    the newest try that failed did.
    """

    person: str
    pages: int
    over: int
    reminders: int
    digests: int
    tests: int
    ways: dict[str, int]
    failed: int
    tries: int
    waiting: int
    last_error: str


def counted(notices: Iterable[Notice], people: Iterable[str] = ()) -> list[Count]:
    """Count notices per person, who was paged most first; `people` are there without any too."""
    rows: dict[str, list[Notice]] = {name: [] for name in people}
    for notice in sorted(notices, key=lambda one: one.id):
        rows.setdefault(notice.person, []).append(notice)
    counts = [_count(person, told) for person, told in rows.items()]
    return sorted(counts, key=lambda one: (-one.pages, one.person))


def _count(person: str, notices: list[Notice]) -> Count:
    sent = [one for one in notices if one.status is NoticeStatus.SENT]
    kinds = Counter(one.kind for one in sent)
    return Count(
        person,
        pages=kinds[NoticeKind.PAGE],
        over=kinds[NoticeKind.OVER],
        reminders=kinds[NoticeKind.REMINDER],
        digests=kinds[NoticeKind.DIGEST],
        tests=kinds[NoticeKind.TEST],
        ways=dict(sorted(Counter(one.told_by for one in sent).items())),
        failed=sum(one.status is NoticeStatus.DEAD for one in notices),
        tries=sum(one.tries for one in notices),
        waiting=sum(one.status is NoticeStatus.PENDING for one in notices),
        last_error=next((one.last_error for one in reversed(notices) if one.last_error), ""),
    )
