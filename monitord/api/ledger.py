"""The effectiveness ledger as the API, the metrics and the command line without a core show it.

It reads rows and shapes them; what is counted, and how, stands in decisions/ledger.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from monitord.clock import after
from monitord.decisions import ledger
from monitord.decisions.ledger import By, Line, Only
from monitord.decisions.ticket_document import iso
from monitord.model.ids import IncidentId, Instant
from monitord.model.incident import Attempt
from monitord.model.ticket import Event
from monitord.store.contract import View

WINDOW = timedelta(days=30)
"""What is looked at unless told otherwise, and what the metrics show."""

_BEFORE = timedelta(days=1)  # the fixes of a day ago may recur after `since`


def document(view: View, only: Only) -> dict[str, Any]:
    """Give the ledger by runbook, check and host; a share is null where nothing was tried."""
    attempts, told = _rows(view, only)
    keys = _keys(view, attempts, told)
    shown = {
        f"{by.value}s": [_shown(line) for line in ledger.lines(by, attempts, told, keys, only)]
        for by in By
    }
    return {"since": iso(only.since) if only.since else None, **shown}


def between(view: View, since: Instant, until: Instant) -> list[dict[str, Any]]:
    """Give the lines of the runbooks over a span of time.

    What came back is looked for past its end, too.
    """
    only = Only(since=since)
    attempts, told = _rows(view, only)
    attempts = [one for one in attempts if one.planned < until]
    told = [one for one in told if one.at < until or one.kind in ledger.OPENINGS]
    found = ledger.lines(By.RUNBOOK, attempts, told, _keys(view, attempts, told), only)
    return [_shown(line) for line in found]


def by_runbook(view: View, *, now: Instant) -> list[Line]:
    """Give the lines of the runbooks over the last 30 days, for the metrics."""
    only = Only(since=after(now, -WINDOW))
    attempts, told = _rows(view, only)
    return ledger.lines(By.RUNBOOK, attempts, told, _keys(view, attempts, told), only)


def _rows(view: View, only: Only) -> tuple[list[Attempt], list[Event]]:
    since = after(only.since, -_BEFORE) if only.since else only.since
    return view.attempts(runbook=only.runbook, since=since), view.told(ledger.TOLD, since)


def _keys(
    view: View, attempts: Iterable[Attempt], told: Iterable[Event]
) -> Mapping[IncidentId, str]:
    """Give the keys of all incidents that something is told of."""
    keys = {attempt.incident: attempt.key for attempt in attempts}
    others = dict.fromkeys(event.incident for event in told if event.incident not in keys)
    return {**keys, **dict.fromkeys(others, ""), **view.keys_of(others)}


def _shown(line: Line) -> dict[str, Any]:
    rounded = replace(line, low=round(line.low, 4), high=round(line.high, 4))
    success = round(line.verified / line.attempts, 4) if line.attempts else None
    recurrence = round(line.recurred / line.verified, 4) if line.verified else None
    return {**asdict(rounded), "success": success, "recurrence": recurrence}
