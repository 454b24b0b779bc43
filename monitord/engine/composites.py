"""What composite checks are judged by: what is believed of their members, and when to look again.

The verdict is decided by decisions/composite.py; which members there are, by the catalog.
"""

from collections.abc import Iterable
from dataclasses import replace

from monitord.decisions.availability import Time
from monitord.decisions.composite import judge
from monitord.decisions.services import SAID, what_is_seen
from monitord.engine.beliefs import Beliefs
from monitord.model.catalog import Catalog, Check, Composite
from monitord.model.ids import EPOCH, CheckKey, Instant, StateKey, split_state_key
from monitord.model.kinds import Member, MembersRecord
from monitord.model.result import Cause, Status
from monitord.model.state import CheckState

_NONE = Composite((), 0)


def record(check: Check, beliefs: Beliefs, now: Instant) -> MembersRecord:
    """Give what each member is seen to be.

    While an attempt holds a member, one that answers counts so: else no repair could be proven.
    One that fails meanwhile is judged for itself, by its own attempts. What was bad before the
    composite itself came to be OK says it again by its next look, not by what is remembered.
    """
    of = check.members or _NONE
    own = beliefs.believed(check.key)
    well_since = own.since if own is not None and own.hard is Status.OK else EPOCH
    return MembersRecord(tuple(_member(key, beliefs, now, well_since) for key in of.keys), of.need)


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


def _member(key: CheckKey, beliefs: Beliefs, now: Instant, well_since: Instant) -> Member:
    answering = _answering(key, beliefs, now)
    known = [answering.get(state.key, state) for state in beliefs.of(key)]
    states = [_anew(state, well_since) for state in known]
    seen, why = what_is_seen(states)
    cause: Cause | None = next((state.cause for state in states if state.cause is not None), None)
    said = SAID[why] if why is not None else ""
    return Member(key, seen, said, cause, pending=why is Time.NO_DATA)


def _anew(state: CheckState, well_since: Instant) -> CheckState:
    """Give what is seen of an item that was bad before its composite came to be OK."""
    if state.hard not in (Status.WARNING, Status.CRITICAL) or state.since >= well_since:
        return state
    if state.last_seen < well_since:
        return replace(state, hard=Status.PENDING)
    return replace(state, hard=state.status) if state.status is Status.OK else state


def _answering(key: CheckKey, beliefs: Beliefs, now: Instant) -> dict[StateKey, CheckState]:
    """Give the items of a member that answered while an attempt keeps that from counting."""
    newest = {
        at: result
        for hold in beliefs.holding(key, now)
        for at, result in hold.seen.copy().items()
        if split_state_key(at)[0] == key
    }
    return {
        at: CheckState(at, status=result.status, hard=result.status)
        for at, result in newest.items()
        if result.status in (Status.OK, Status.WARNING)
    }
