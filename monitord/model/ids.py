"""The identifiers: distinct types for what is otherwise all text and numbers."""

from typing import NewType

Instant = NewType("Instant", int)
"""µs since the epoch, UTC: the only form in which a point in time is stored or compared."""

CheckKey = NewType("CheckKey", str)
"""`host/check`: one check on one host. Neither name may contain a slash."""

StateKey = NewType("StateKey", str)
"""`host/check` or `host/check/item`: what has a state of its own. The item may contain slashes."""

IncidentId = NewType("IncidentId", int)
AttemptId = NewType("AttemptId", int)
StepId = NewType("StepId", int)
TicketId = NewType("TicketId", int)


def check_key(host: str, check: str) -> CheckKey:
    """Join the two names."""
    return CheckKey(f"{host}/{check}")


def state_key(check: CheckKey, item: str) -> StateKey:
    """Give the state key of one item of a check; an empty item is the check itself."""
    return StateKey(f"{check}/{item}" if item else check)


def split_state_key(key: StateKey) -> tuple[CheckKey, str]:
    """Give the check key and the item (empty when there is none)."""
    host, check, *item = key.split("/", 2)
    return CheckKey(f"{host}/{check}"), item[0] if item else ""


EPOCH = Instant(0)
"""The zero of `Instant`: stands for "never" where a field is not optional."""
