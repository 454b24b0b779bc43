"""The guards about what could come of it: group, targets, calendar, record, and monitord itself.

Pure; who is healthy, which windows are on and what a runbook would touch was gathered before.
"""

from monitord.decisions.guards.situation import GroupHealth, Refusal, Situation, Then, soon

_SMALL = 4
_SHARE, _AT_LEAST = 5, 2  # one in five, and two in any case
_NAMED = 3
_BARRED_BY_FREEZE = frozenset({"change", "network", "reboot"})


def room(group: GroupHealth) -> int | None:
    """Give how many hosts of a group may be unhealthy while one is acted on, itself counted.

    None: any number. Of a group of one there is no other; in one of 2 to 4 no other may be; from 5
    on a fifth of them, but always two; a rule says how many must stay healthy.
    """
    if group.rule == 0 or group.members <= 1:
        return None
    if group.rule is not None:
        return max(group.members - group.rule, 0)
    return 1 if group.members <= _SMALL else max(group.members // _SHARE, _AT_LEAST)


def overdrawn(group: GroupHealth) -> bool:
    """Tell whether acting on one more host would leave too few healthy ones."""
    most = room(group)
    return most is not None and len(group.others) + 1 > most


def keep_healthy(s: Situation) -> Refusal | None:
    """What is wrong with many is not cured by repairing each; and somebody must go on serving."""
    refused = [group for group in s.unhealthy if overdrawn(group)]
    if not refused:
        return None
    group = refused[0]
    named = ", ".join(group.others[:_NAMED])
    more = len(group.others) - _NAMED
    who = f"{named} and {more} more" if more > 0 else named
    reason = f"too few would stay healthy in group {group.name} of {group.members}"
    if who:
        reason += f": {who} {'is' if len(group.others) == 1 else 'are'} not"
    waits = all(group.repairing for group in refused)
    return Refusal(reason, Then.WAIT, soon(s)) if waits else Refusal(reason, Then.PERSON)


def targets(s: Situation) -> Refusal | None:
    """Steps go to an explicit, bounded list of hosts that may be acted on, or nowhere."""
    if not s.host.login.may_act:
        reason = f"{s.host.name} is only watched: its login has no `act`"
        return Refusal(reason, Then.PERSON)
    if s.rung_problem:
        return Refusal(f"no exact plan can be made: {s.rung_problem}", Then.NEXT)
    if not s.targets:
        return Refusal("the set of targets is empty", Then.PERSON)
    return None


def freeze(s: Situation) -> Refusal | None:
    """In a freeze window nothing is changed; what is dead is still started, jobs run again."""
    if s.frozen and s.changes in _BARRED_BY_FREEZE:
        return Refusal(f"{s.rung.runbook} would {_does(s.changes)}: {s.frozen}", Then.NEXT)
    return None


def _does(changes: str) -> str:
    return {"change": "change the host", "network": "change the network"}.get(changes, changes)


def breaker(s: Situation) -> Refusal | None:
    """A runbook that keeps failing by measured success is not tried further."""
    if s.broken:
        reason = f"the circuit breaker of {s.rung.runbook} is open: {s.broken}"
        return Refusal(reason, Then.NEXT)
    return None


def recurring(s: Situation) -> Refusal | None:
    """What was fixed again and again has a cause that a repair does not reach."""
    if s.recurring:
        return Refusal(f"{s.check.key} was {s.recurring}: its cause is not known", Then.PERSON)
    return None


def own_host(s: Situation) -> Refusal | None:
    """What would take the ground from under monitord itself is for a person."""
    if s.own:
        return Refusal(f"it is monitord's own host: {s.own}", Then.PERSON)
    return None


def boot(s: Situation) -> Refusal | None:
    """A host that has just come up gets the time to start everything itself."""
    if s.settled is not None and s.now < s.settled:
        reason = f"{s.host.name} has booted just now and may not have started everything yet"
        return Refusal(reason, Then.WAIT, s.settled)
    return None
