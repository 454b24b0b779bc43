"""Decides whether what a check hangs on is up, so that one outage stays one incident.

A check hangs on its host's `behind`, on its own `needs` and on its transport (`via`). Only hard,
judged badness of a parent excuses a child, and doubt only ever delays it: whatever leaves a parent
in doubt for good (no state, stale, hard UNKNOWN) excuses nobody. docs/decisions/states.md gives the
table. This module asks for beliefs and never changes one.
"""

from collections.abc import Callable, Collection, Sequence
from enum import Enum

from monitord.model.catalog import Check, Host, Requirement
from monitord.model.ids import CheckKey, Instant
from monitord.model.result import Status
from monitord.model.state import CheckState

Believed = Callable[[CheckKey], CheckState | None]
"""Gives the belief about a check (of one with items: the worst of them), None without any."""


class Reach(Enum):
    """Whether the parents of a check are up, best first."""

    UP = 0
    UNSURE = 1
    DOWN = 2


def hangs_on(check: Check, host: Host, status: Status) -> tuple[Requirement, ...]:
    """Give what must be up for a bad `status` of this check to be its own fault.

    WARNING or CRITICAL out of facts came through the transport: both it and the way to the host
    are proven up, whatever their own checks say, and only `needs` is left. All else is seen over
    the monitor's own network, which its canaries stand for. A composite sees nothing itself: it
    hangs on its members where it cannot tell, for each of them has its own reason.
    """
    if check.members is not None:
        unseen = status not in (Status.WARNING, Status.CRITICAL)
        return (check.needs, Requirement("all", check.members.keys)) if unseen else (check.needs,)
    if check.via is not None and status in (Status.WARNING, Status.CRITICAL):
        return (check.needs,)
    apart = not host.vantage.keys or check.key in host.vantage.keys
    seen_over = () if apart else (host.vantage,)
    if check.via is None:
        return (host.behind, check.needs, *seen_over)
    return (host.behind, check.needs, *seen_over, Requirement("all", (check.via,)))


def reach(
    requirements: Sequence[Requirement],
    believed: Believed,
    *,
    via: CheckKey | None = None,
    since: Instant | None = None,
    canaries: Collection[CheckKey] = (),
) -> Reach:
    """Say whether the requirements are met: the worst of them; of an `any`, its best key.

    Args:
        requirements: what must be up, from `hangs_on`.
        believed: how to look up a parent.
        via: the transport check among them: for it alone a hard UNKNOWN is down, since it means
            that nobody can log in.
        since: the child's first bad result; a parent not seen since then is UNSURE. Without it a
            parent's last OK counts however old it is.
        canaries: those of them for which, as for `via`, a hard UNKNOWN is down: without a network
            a resolver does not answer.
    """
    worst = Reach.UP
    for requirement in requirements:
        if not requirement.keys:
            continue
        each = [
            _parent(believed(key), via=key == via or key in canaries, since=since)
            for key in requirement.keys
        ]
        choose = min if requirement.mode == "any" else max
        worst = max(worst, choose(each, key=_by_value), key=_by_value)
    return worst


def recheck(
    requirements: Sequence[Requirement],
    believed: Believed,
    *,
    via: CheckKey | None = None,
    since: Instant,
    canaries: Collection[CheckKey] = (),
) -> tuple[CheckKey, ...]:
    """Name the parents to look at now that a child has failed at `since`: each once.

    Parents seen since then, and those already known to be down, need no look; nor does any when
    the child is excused already.
    """
    if reach(requirements, believed, via=via, canaries=canaries) is Reach.DOWN:
        return ()
    wanted: dict[CheckKey, None] = {}
    for requirement in requirements:
        for key in requirement.keys:
            state = believed(key)
            seen = state is not None and state.last_seen >= since
            strict = key == via or key in canaries
            if not seen and _parent(state, via=strict, since=None) is not Reach.DOWN:
                wanted[key] = None
    return tuple(wanted)


def _by_value(reach: Reach) -> int:
    return reach.value


def _parent(state: CheckState | None, *, via: bool, since: Instant | None) -> Reach:
    if state is None:
        return Reach.UP
    answers = state.status in (Status.OK, Status.WARNING)
    if state.unreachable:
        return Reach.DOWN
    if state.hard is Status.CRITICAL or (via and state.hard is Status.UNKNOWN):
        # One that answers again but has not been OK often enough leaves after-effects behind.
        return Reach.UNSURE if answers and not state.stale else Reach.DOWN
    return Reach.UP if state.stale or _believable(state, answers, since) else Reach.UNSURE


def _believable(state: CheckState, answers: bool, since: Instant | None) -> bool:
    """Tell whether a parent that is not down is in no doubt either."""
    if since is not None and state.last_seen < since:
        return False
    # A hard UNKNOWN has its own incident; doubting on would keep the child soft for good.
    return answers or (state.status is state.hard is Status.UNKNOWN)
