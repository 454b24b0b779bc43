"""Builds the review of an incident from its rows, as Markdown: what happened, what is to be said.

What rows know is written; what only people know is left open, each with a question. Pure.
"""

from collections.abc import Iterable, Iterator, Sequence

from monitord.decisions.ticket_document import iso
from monitord.model.ids import Instant
from monitord.model.incident import Attempt, Incident
from monitord.model.problem import Problem
from monitord.model.text import one_line
from monitord.model.ticket import Event

_LINE = 300
_ARRIVED = ("noticed", "delivered")  # by a way of a person, or in a backend
_MICRO = 1_000_000


def markdown(
    incident: Incident,
    timeline: Sequence[Event],
    attempts: Sequence[Attempt],
    problem: Problem | None,
) -> str:
    """Give the page. Texts of targets are cleaned and cannot become structure."""
    parts = (
        f"# Review of incident {incident.id}: {_said(incident.key)}\n",
        _facts(incident, timeline, problem),
        "## What happened\n\n" + "\n".join(_lines(timeline)) + "\n",
        "## What automation did\n\n" + "\n".join(_tried(attempts)) + "\n",
        "## Cause\n\n" + _or_ask(problem.cause if problem else "", "What was the cause?") + "\n",
        "## Cure\n\n" + _or_ask(incident.cure, "What ended it, and would it again?") + "\n",
        "## What went well, what did not\n\n_To be written._\n",
        "## Actions\n\n| action | who | due |\n| --- | --- | --- |\n| | | |\n",
    )
    return "\n".join(parts)


def _facts(incident: Incident, timeline: Sequence[Event], problem: Problem | None) -> str:
    told = next((event.at for event in timeline if event.kind in _ARRIVED), None)
    handed = any(event.kind in ("paged", "ticket-opened") for event in timeline)
    seized = next((event.at for event in timeline if event.kind in ("ack", "take")), None)
    rows = (
        ("what", _said(incident.summary)),
        ("severity", incident.severity.name),
        ("priority, tier", f"{incident.priority}, {incident.tier}"),
        ("first failed probe", iso(incident.first_failed)),
        ("people told", _since(incident, told) or ("nobody was reached" if handed else "")),
        ("somebody answered", _since(incident, seized)),
        ("over", _since(incident, incident.resolved or incident.closed)),
        ("how it ended", _said(incident.cause or incident.status.value)),
        ("came back", f"{incident.reopened} times" if incident.reopened else ""),
        ("problem", f"{problem.id}: {_said(problem.title)}" if problem else ""),
    )
    table = "\n".join(f"| {name} | {value} |" for name, value in rows if value)
    return f"| | |\n| --- | --- |\n{table}\n"


def _since(incident: Incident, at: Instant | None) -> str:
    if at is None:
        return ""
    minutes = (at - incident.first_failed) / _MICRO / 60
    return f"{iso(at)} (after {minutes:.0f} min)"


def _lines(timeline: Iterable[Event]) -> Iterator[str]:
    for event in timeline:
        actor = "" if event.actor == "monitord" else f" ({_said(event.actor)})"
        yield f"- {iso(event.at)} {_said(event.text)}{actor}"


def _tried(attempts: Iterable[Attempt]) -> Iterator[str]:
    found = False
    for attempt in attempts:
        found = True
        wrong = f"; called wrong: {_said(attempt.wrong)}" if attempt.wrong else ""
        yield f"- {_said(attempt.runbook)}: {attempt.status.value}: {_said(attempt.outcome)}{wrong}"
    if not found:
        yield "Nothing."


def _or_ask(text: str, question: str) -> str:
    return _said(text) if text else f"_{question}_"


def _said(text: str) -> str:
    """Give hostile text as one line in which Markdown finds nothing to obey."""
    line = one_line(text, _LINE)
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>#|!" else sign for sign in line)
