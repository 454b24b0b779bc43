"""How one incident looks, with its timeline and what was tried; and closing it."""

import json as json_
from typing import Any

import typer

from monitord.cli import show, source
from monitord.clock import SystemClock

_HEAD = [
    ("status", "status"),
    ("severity", "severity"),
    ("priority", "priority"),
    ("tier", "tier"),
    ("summary", "summary"),
    ("items", "items"),
    ("first failed", "first_failed"),
    ("opened", "opened"),
    ("waits for", "waiting_for"),
    ("part of", "part_of"),
    ("inhibited by", "inhibited_by"),
    ("escalated", "escalated"),
    ("resolved", "resolved"),
    ("cause", "cause"),
    ("closed", "closed"),
    ("closed by", "closed_by"),
    ("because", "close_reason"),
    ("ticket", "ticket"),
]


def show_one(number: int, *, json: bool) -> None:
    """Print one incident."""

    def stored(view: Any) -> Any:
        from monitord.cli import offline

        return offline.incident(view, number, now=SystemClock().now())

    document = source.get(f"/v1/incidents/{number}", stored)
    if json:
        show.as_json(document)
        return
    show.line(f"incident {number}: {document['key']}", style="bold")
    show.fields(document, _HEAD)
    show.heading("timeline")
    show.table(
        document["events"],
        [("AT", "at"), ("WHAT", "kind"), ("BY", "actor"), ("TEXT", "text")],
        none="nothing yet",
    )
    _changed(document.get("changed"))
    _clocks(document)
    for attempt in document["attempts"]:
        show_attempt(attempt)


def show_attempt(attempt: dict[str, Any]) -> None:
    """Print one attempt with its steps and what they said."""
    outcome = f": {attempt['outcome']}" if attempt["outcome"] else ""
    show.heading(
        f"attempt {attempt['attempt']}: {attempt['runbook']} ({attempt['mode']}) "
        f"{attempt['status']}{outcome}"
    )
    for step in attempt["steps"]:
        effect = step["effect"]
        argv = effect.get("argv") if isinstance(effect, dict) else None
        what = " ".join(argv) if argv else json_.dumps(effect)
        code = "" if step["exit_code"] is None else f" (exit {step['exit_code']})"
        text = f"{step['phase']} on {step['target']}: {what}: {step['status']}{code}"
        show.line(text, indent=2)
        show.paragraph(step["output"] or step["error"], indent=4)


def _changed(changed: dict[str, Any] | None) -> None:
    """Print what changed, where the host was asked or somebody told."""
    if changed is None:
        return
    show.heading(f"what changed since it was last OK ({changed['since']})")
    columns = [("AT", "at"), ("WHAT", "kind"), ("BY", "who"), ("TEXT", "text")]
    show.table(changed["rows"], columns, none="nothing that the host tells")
    for said in changed["unread"]:
        show.line(f"({said})")


def _clocks(document: dict[str, Any]) -> None:
    """Print what people said that bears on its clocks; `monitord sla` tells how they stand."""
    deadline = document.get("deadline")
    if deadline:
        show.heading(f"deadline {deadline['at']} of {deadline['whose']}")
        show.line(deadline["reason"])
    pauses = document.get("pauses") or []
    if pauses:
        show.heading("pauses of its clocks")
        rows = [{**one, "until": one["ended"] or one["expires"]} for one in pauses]
        columns = [("FROM", "starts"), ("UNTIL", "until"), ("VENDOR", "vendor"), ("BY", "by")]
        show.table(rows, [*columns, ("BECAUSE", "reason")], none="")


def close(number: int, reason: str, cure: str, *, json: bool) -> None:
    """Close one incident in the name of whoever asks."""
    answer = source.post(f"/v1/incidents/{number}/close", {"reason": reason, "cure": cure})
    if json:
        show.as_json(answer)
    else:
        show.line(f"incident {number} is closed")


def hand_on(number: int, reason: str, *, json: bool) -> None:
    """Have the next of its policy told of one incident, in the name of whoever asks."""
    answer = source.post(f"/v1/incidents/{number}/next", {"reason": reason})
    if json:
        show.as_json(answer)
        return
    names = [*answer["people"], *(f"vendor {name}" for name in answer["vendors"])]
    show.line(f"incident {number} is handed on to {answer['tier']}: {', '.join(names)}")


def review(number: int, *, json: bool) -> None:
    """Print the review of one incident, as Markdown."""

    def stored(view: Any) -> Any:
        from monitord.api import problems

        return {"markdown": problems.review(view, number)}

    answer = source.get(f"/v1/incidents/{number}/review", stored)
    if json:
        show.as_json(answer)
    else:
        typer.echo(answer["markdown"])
