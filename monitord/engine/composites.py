"""What composite checks are judged by: what is believed of their members, and when to look again.

The verdict is decided by decisions/composite.py; which members there are, by the catalog.
"""

from collections.abc import Iterable

from monitord.decisions.availability import Time
from monitord.decisions.composite import judge
from monitord.decisions.services import SAID, what_is_seen
from monitord.engine.beliefs import Beliefs
from monitord.model.catalog import Catalog, Check, Composite
from monitord.model.ids import CheckKey, Instant, StateKey
from monitord.model.kinds import Member, MembersRecord
from monitord.model.result import Cause
from monitord.model.state import CheckState

_NONE = Composite((), 0)


def record(check: Check, beliefs: Beliefs, now: Instant) -> MembersRecord:
    """Give what each member is seen to be.

    While an attempt holds a member, what was seen last counts: else no repair could be proven.
    """
    of = check.members or _NONE
    return MembersRecord(tuple(_member(key, beliefs, now) for key in of.keys), of.need)


def judge_anew(beliefs: Beliefs, catalog: Catalog, keys: Iterable[CheckKey], at: Instant) -> None:
    """Judge composites of which a member has changed; what they come to is believed at once."""
    for check in (catalog.checks[key] for key in keys if key in catalog.checks):
        beliefs.absorb(check, (judge(record(check, beliefs, at)),), at)


def made_of(catalog: Catalog, keys: Iterable[str]) -> set[str]:
    """Give the composites that one of these checks is a member of."""
    wanted = frozenset(keys)
    return {
        str(key)
        for key, check in catalog.checks.items()
        if check.members is not None and not wanted.isdisjoint(check.members.keys)
    }


def _member(key: CheckKey, beliefs: Beliefs, now: Instant) -> Member:
    states = _held(key, beliefs, now) or beliefs.of(key)
    seen, why = what_is_seen(states)
    cause: Cause | None = next((state.cause for state in states if state.cause is not None), None)
    said = SAID[why] if why is not None else ""
    return Member(key, seen, said, cause, pending=why is Time.NO_DATA)


def _held(key: CheckKey, beliefs: Beliefs, now: Instant) -> list[CheckState]:
    """Give what was seen of a member's items while an attempt keeps it from counting."""
    own = {state.key for state in beliefs.of(key)}
    newest = {
        at: result
        for hold in beliefs.holding(key, now)
        for at, result in hold.seen.copy().items()
        if at in own or at == StateKey(key)
    }
    return [
        CheckState(at, status=result.status, hard=result.status, cause=result.cause)
        for at, result in newest.items()
    ]
