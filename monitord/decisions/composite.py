"""Decides what a composite check says by what was seen of its members. Pure.

Who its members are is settled when the configuration is loaded; who hears of what is decided in
decisions/inhibition.py. docs/composites.md has the rules.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from monitord.model.ids import CheckKey
from monitord.model.kinds import Member, MembersRecord
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.service import Seen

_NAMED = 5
_WORKS = frozenset({Seen.OK, Seen.WARNING})


def judge(record: MembersRecord) -> Result:
    """Give the verdict: enough members must work, and as many must be OK, or it is a WARNING.

    One that was not seen counts for neither: where it could decide, nobody can tell. Then the
    result is UNKNOWN with its cause, or PENDING while it has had no result at all.
    """
    members, need = record.members, record.need
    if not members:
        return Result.unknown("none of its checks is on this machine", Cause.MISSING)
    work, fine = _count(members, _WORKS), _count(members, {Seen.OK})
    unseen = [one for one in members if one.seen is Seen.UNKNOWN]
    numbers = (Measurement("working", work), Measurement("members", len(members)))
    told = f"{work} of {len(members)} work (needed: {need})"
    others = [one for one in members if one.seen is not Seen.OK]
    if work + len(unseen) < need:
        return Result.critical(_because(told, others), *numbers)
    if work >= need > fine + len(unseen):
        return Result.warning(_because(f"{told}, fewer of them are OK", others), *numbers)
    if fine >= need:
        return Result.ok(_because(told, others), *numbers)
    text = _because(f"cannot tell: {told}", unseen)
    if any(one.pending for one in unseen):
        return Result(Status.PENDING, text, numbers)
    cause = next((one.cause for one in unseen if one.cause is not None), Cause.MISSING)
    return Result(Status.UNKNOWN, text, numbers, cause=cause)


def planned(record: MembersRecord, in_work: Collection[CheckKey]) -> bool:
    """Tell whether work that was announced on these members alone makes it bad.

    Then it is no news that it is: nobody need act or be told. If all others were OK and it would
    be, something failed that nobody had planned.
    """
    others_fine = (
        one if one.key in in_work else replace(one, seen=Seen.OK) for one in record.members
    )
    return judge(MembersRecord(tuple(others_fine), record.need)).status is not Status.OK


def _count(members: Iterable[Member], seen: Collection[Seen]) -> int:
    return sum(one.seen in seen for one in members)


def _because(told: str, members: Iterable[Member]) -> str:
    named = [f"{one.key} {one.why or f'is {one.seen}'}" for one in members]
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"{told}: {', '.join(named[:_NAMED])}{more}" if named else told
