"""Decides what needs a person now, in which order, and says the whole in one line. Pure.

It reads what stands on the rows and changes nothing; how it looks is the page's business.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitord.model.ids import AttemptId, IncidentId, Instant
from monitord.model.incident import Attempt, AttemptStatus, Incident, IncidentStatus

_FAR = Instant(2**62)


@dataclass(frozen=True, slots=True)
class Want:
    """One thing that a person is asked for.

    `kind` is approve, answer, work or monitor; `by` is when it is too late: the approval lapses,
    the promise breaks, the next one is told (None: no clock runs).
    """

    kind: str
    text: str
    by: Instant | None
    by_what: str = ""
    priority: str = "P3"
    since: Instant | None = None
    incident: IncidentId | None = None
    attempt: AttemptId | None = None
    key: str = ""


def wanted(
    incidents: Iterable[Incident],
    attempts: Iterable[Attempt],
    *,
    answered: Mapping[IncidentId, str],
    breaks: Mapping[IncidentId, Instant],
    problems: Sequence[str],
) -> list[Want]:
    """Give what needs a person, what is too late first at the top.

    `answered` says who has taken which incident on, `breaks` when its next promise breaks;
    `problems` are monitord's own.
    """
    asked = {one.incident: one for one in attempts if one.status is AttemptStatus.APPROVAL}
    found = [Want("monitor", text, None, priority="P1") for text in problems]
    for incident in incidents:
        if incident.part_of:
            continue
        if incident.id in asked:
            found.append(_approve(incident, asked[incident.id]))
        elif incident.status is IncidentStatus.ESCALATED and incident.id not in answered:
            found.append(_answer(incident, breaks.get(incident.id)))
    return sorted(found, key=_urgency)


def in_hand(
    incidents: Iterable[Incident],
    *,
    answered: Mapping[IncidentId, str],
    breaks: Mapping[IncidentId, Instant],
) -> list[tuple[Incident, str, Instant | None]]:
    """Give what somebody works on: the incident, who, and when a promise breaks; soonest first."""
    found = [
        (one, answered[one.id], breaks.get(one.id))
        for one in incidents
        if one.id in answered and one.status is IncidentStatus.ESCALATED and not one.part_of
    ]
    return sorted(found, key=lambda each: (each[2] or _FAR, each[0].priority, each[0].id))


def _approve(incident: Incident, attempt: Attempt) -> Want:
    return Want(
        "approve",
        f"may {attempt.runbook} run? {incident.summary}",
        attempt.deadline,
        "lapses to the next tier",
        incident.priority,
        incident.first_failed,
        incident.id,
        attempt.id,
        incident.key,
    )


def _answer(incident: Incident, breaks: Instant | None) -> Want:
    told = incident.page_at
    by, what = breaks, "the promise breaks"
    if told is not None and (breaks is None or told < breaks):
        by, what = told, "the next are told"
    return Want(
        "answer",
        incident.summary,
        by,
        what if by is not None else "",
        incident.priority,
        incident.first_failed,
        incident.id,
        None,
        incident.key,
    )


def _urgency(want: Want) -> tuple[bool, Instant, str, int]:
    return (want.kind != "monitor", want.by or _FAR, want.priority, want.incident or 0)
