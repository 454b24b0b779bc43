"""Decides tier, priority and whether a ticket is due. Pure; it opens and sends nothing.

Before on-call policies exist everything starts at tier L1. Source of the table: DESIGN §3.
"""

from collections.abc import Iterable

from monitord.model.catalog import Check
from monitord.model.incident import Incident
from monitord.model.result import Status


def priority(severity: Status, impacts: Iterable[str]) -> str:
    """Give P2 for a CRITICAL of high impact, P3 for a CRITICAL, P4 for the rest.

    `impacts` are the words that the host, the check and its services say (high, normal, low).
    """
    if severity is not Status.CRITICAL:
        return "P4"
    return "P2" if "high" in set(impacts) else "P3"


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
