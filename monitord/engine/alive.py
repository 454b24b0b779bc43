"""Keeps when monitord did not run: what nobody watched is never called up (docs/sla.md).

While it runs it says so once a minute in the store; who starts reads there how long nobody did.
"""

import json
from datetime import timedelta

from monitord.clock import between
from monitord.decisions.watched import OUTAGES
from monitord.model.ids import Instant
from monitord.store.contract import Tx

EVERY = 60
"""Seconds between two signs of life."""

_ALIVE = "alive"
_MISSED = timedelta(minutes=3)  # a restart, and the minute before it, are no outage
_KEPT = 1000  # outages


def beat(tx: Tx, now: Instant) -> None:
    """Say that it runs."""
    tx.put_meta(_ALIVE, str(now))


def began(tx: Tx, now: Instant) -> None:
    """Note how long nobody watched before this start, where that was more than a restart."""
    last = Instant(int(tx.meta(_ALIVE) or now))
    if between(last, now) > _MISSED:
        known = json.loads(tx.meta(OUTAGES) or "[]")
        tx.put_meta(OUTAGES, json.dumps([*known, [last, now]][-_KEPT:]))
    beat(tx, now)
