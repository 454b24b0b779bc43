"""Decides tier, priority and whether a ticket is due. Pure; it opens and sends nothing.

Everything starts at tier L1.
"""

from collections.abc import Iterable, Mapping

from monitord.model.catalog import Check
from monitord.model.incident import Incident
from monitord.model.result import Status
from monitord.model.sla import PRIORITY_TABLE


def priority(
    severity: Status,
    impacts: Iterable[str],
    table: Mapping[tuple[str, str], str] = PRIORITY_TABLE,
    *,
    down: bool = False,
) -> str:
    """Give P1 to P5 by impact and urgency; the catalog has the table.

    `impacts` are the words that the host, the check and its services say: high goes before low, and
    low before normal, which nobody needs to say. `down` tells that a whole service of it is down.
    """
    said = set(impacts)
    impact = next((word for word in ("high", "low") if word in said), "normal")
    return table[impact, "down" if down else _URGENCIES.get(severity, "warning")]


_URGENCIES = {Status.CRITICAL: "critical", Status.UNKNOWN: "unknown"}

_TIERS = ("L1", "L2", "L3", "L4")


def next_tier(tier: str) -> str:
    """Give the tier that is asked when nobody of this one answers; the last one has no next."""
    place = _TIERS.index(tier) + 1 if tier in _TIERS else 0
    return _TIERS[min(place, len(_TIERS) - 1)]


def ticket_at_once(incident: Incident, check: Check | None) -> bool:
    """Tell whether a ticket opens with the incident, before any repair was tried.

    UNKNOWN has nobody else who would tell a person, since no runbook ever answers it; nor has a
    WARNING that no check stands for (our own configuration). One of a check gets its ticket when no
    rung answers it, or none is left. `ticket: at_once` asks for it.
    """
    if incident.ticket is not None:
        return False
    if check is None:
        return incident.severity is not Status.CRITICAL
    return incident.severity is Status.UNKNOWN or check.ticket == "at_once"
