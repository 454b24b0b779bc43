"""Decides which order of a person is in force for a host, check or runbook, and when one is over.

What follows from an order (no page, no step) is decided where that is decided.
"""

from collections.abc import Iterable

from monitord.decisions.selector import matches, parse
from monitord.decisions.verbs import MATRIX
from monitord.model.catalog import Catalog, Check, Host
from monitord.model.ids import Instant
from monitord.model.result import Status
from monitord.model.state import CheckState
from monitord.model.ticket import Order, Verb


def in_force(
    orders: Iterable[Order],
    verb: Verb,
    host: Host,
    check: Check | None,
    now: Instant,
    *,
    runbook: str = "",
) -> Order | None:
    """Give the order with this verb that is on and covers them: the one that lasts longest.

    Without a check only orders that cover the whole host count, and so it always is for verbs that
    are of hosts; `runbook=…` matches only when a runbook is given (a halt is asked for the runbook
    that wants to act).

    Raises:
        BadSelectorError: an order's selector cannot be read; nobody may act on a guess.
    """
    found = [
        order
        for order in orders
        if order.verb is verb and _on(order, now) and _covers(order, host, check, runbook)
    ]
    return max(found, key=lambda order: (order.expires, order.id), default=None)


def touched(catalog: Catalog, selector: str, verb: Verb = Verb.HALT) -> list[str]:
    """Give the check keys that an order of this verb with this selector bears on now, sorted.

    A halt is the widest verb, and so stands for a selector of which no verb is known yet.

    Raises:
        BadSelectorError: it cannot be read.
    """
    hosts = catalog.hosts
    return sorted(
        key
        for key, check in catalog.checks.items()
        if bears_on(selector, verb, hosts[check.host], check)
    )


def bears_on(selector: str, verb: Verb, host: Host, check: Check) -> bool:
    """Tell whether an order of this verb with this selector bears on a check.

    A halt can name runbooks: it bears on the checks that have one of these on their ladder.

    Raises:
        BadSelectorError: it cannot be read.
    """
    parsed = parse(selector)
    if MATRIX[verb].hosts:
        return matches(parsed, host=host)
    rungs = [rung.runbook for rung in check.remediate] if verb is Verb.HALT else []
    return any(
        matches(parsed, host=host, check=check.name, services=check.services, runbook=runbook)
        for runbook in ("", *rungs)
    )


def last_end(
    orders: Iterable[Order], verb: Verb, host: Host, check: Check, now: Instant
) -> Instant | None:
    """Give when the last order with this verb that covered the check was over, by `now`."""
    ends = (
        min(order.expires, order.ended or order.expires)
        for order in orders
        if order.verb is verb and order.starts <= now and _covers(order, host, check, "")
    )
    return max((end for end in ends if end <= now), default=None)


def ended_by_ok(order: Order, states: Iterable[CheckState]) -> bool:
    """Tell whether an order given until OK is over: all it touches is OK, and came back since.

    `states` are those that it touches. One that was given before the work began, while all was
    still OK, is not over until something has failed and recovered (or it expires).
    """
    if not order.until_ok:
        return False
    touched = list(states)
    return all(_well(state) for state in touched) and any(
        state.since >= order.starts for state in touched
    )


def _on(order: Order, now: Instant) -> bool:
    ended = order.ended is not None and order.ended <= now
    return order.starts <= now < order.expires and not ended


def _covers(order: Order, host: Host, check: Check | None, runbook: str) -> bool:
    selector = parse(order.selector)
    if check is None or MATRIX[order.verb].hosts:
        return matches(selector, host=host, runbook=runbook)
    return matches(selector, host=host, check=check.name, services=check.services, runbook=runbook)


def _well(state: CheckState) -> bool:
    usual = state.status is state.hard is Status.OK
    return usual and not (state.stale or state.unreachable)
