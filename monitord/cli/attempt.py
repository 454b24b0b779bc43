"""The commands about one attempt: look at it, say yes or no to its plan, say that it was wrong.

The core does it, in the name of who asks. What a yes means is in monitord/engine/approvals.py.
"""

import sys
from typing import Annotated, Any

import typer

from monitord.cli.app import Json, Preview, Reason, Yes, command

Number = Annotated[int, typer.Argument(min=1, help="An attempt's number.")]

_HEAD = [
    ("status", "status"),
    ("runbook", "runbook"),
    ("mode", "mode"),
    ("for", "key"),
    ("on", "targets"),
    ("outcome", "outcome"),
    ("planned", "planned"),
    ("approved by", "approved_by"),
    ("started", "started"),
    ("finished", "finished"),
    ("undone", "undoing"),
    ("wrong", "wrong"),
    ("says", "wrong_by"),
]
_PROMOTION = [("CHECK", "key"), ("MODE", "mode"), ("THEN", "next")]
_PLAN = [("PHASE", "phase"), ("KIND", "kind"), ("ON", "target"), ("WHAT", "text")]


def _document(number: int) -> Any:
    from monitord.cli import source

    def stored(view: Any) -> Any:
        from monitord.api import views

        return views.attempt_document(view, number)

    return source.get(f"/v1/attempts/{number}", stored)


def _show(document: dict[str, Any]) -> None:
    from monitord.cli import incidents, show

    show.line(f"attempt {document['attempt']} of incident {document['incident']}", style="bold")
    show.fields(document, _HEAD)
    show.heading("plan")
    show.table(document["plan"], _PLAN, none="no step")
    if document["steps"]:
        incidents.show_attempt(document)


def _show_and_ask(number: int, question: str, *, yes: bool, json: bool) -> None:
    """Show the exact plan that is answered, and on a terminal ask."""
    if not json:
        _show(_document(number))
    if not yes and sys.stdin.isatty():
        typer.confirm(question, abort=True, err=True)


def _say(answer: Any, text: str, *, json: bool) -> None:
    from monitord.cli import show

    show.as_json(answer) if json else show.line(text)


@command("approve")
def approve(number: Number, *, yes: Yes = False, json: Json = False) -> None:
    """Let an attempt run that waits for a person's yes.

    Its exact plan is shown first. Every guard is asked again; what one refuses goes on waiting.
    """
    from monitord.cli import source

    _show_and_ask(number, "Let this run, in your name?", yes=yes, json=json)
    answer = source.post(f"/v1/attempts/{number}/approve", {})
    _say(answer, f"attempt {number} runs", json=json)


@command("deny")
def deny(number: Number, *, reason: Reason, yes: Yes = False, json: Json = False) -> None:
    """Say no to an attempt that waits for a person's yes.

    It is void, nothing is done, and its incident is handed over to people.
    """
    from monitord.cli import source

    _show_and_ask(number, "Deny this?", yes=yes, json=json)
    answer = source.post(f"/v1/attempts/{number}/deny", {"reason": reason})
    _say(answer, f"attempt {number} is void; its incident is handed over", json=json)


@command("attempt")
def attempt(
    number: Number,
    verb: Annotated[str, typer.Argument(help="show or wrong")] = "show",
    *,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="What was wrong.")] = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Show one attempt, or say that it was wrong.

    `monitord attempt 7` shows its plan, its steps, who approved it, how it ended. `attempt 7 wrong
    --reason …` undoes it where that is possible, counts it as a failure, takes trust from its
    runbook, and opens a ticket about that.
    """
    from monitord.cli import show, source

    if verb not in ("show", "wrong"):
        raise typer.BadParameter(f"{verb!r}: an attempt can be shown or wrong (show, wrong)")
    if verb == "show":
        document = _document(number)
        show.as_json(document) if json else _show(document)
        return
    if not reason:
        raise typer.BadParameter("say what was wrong: --reason …")
    _show_and_ask(number, "Was this wrong?", yes=yes, json=json)
    answer = source.post(f"/v1/attempts/{number}/wrong", {"reason": reason})
    undone = "its undo runs" if answer["undone"] else f"not undone: {answer['why_not_undone']}"
    _say(answer, f"attempt {number} counts as wrong; {undone}", json=json)


def _show_promotion(found: dict[str, Any]) -> None:
    """Show from which mode to which, the record that stands for it, and on which checks."""
    from monitord.cli import show

    show.line(f"{found['runbook']}: {found['mode']} → {found['next'] or 'no higher'}", style="bold")
    if found["tried"]:
        share = f"{found['verified']} of {found['tried']} attempts verified"
        show.line(f"record: {share} (95 % between {found['low']:.0%} and {found['high']:.0%})")
    else:
        show.line(f"record: not tried yet in {found['mode']}; seen in shadow {found['shadowed']}×")
    if found["why_not"]:
        show.line(f"not yet: {found['why_not']}")
    rows = [
        {**one, "next": one["next"] if one["next"] != one["mode"] else "stays"}
        for one in found["checks"]
    ]
    show.table(rows, _PROMOTION, none="no check names it")


@command("promote")
def promote(
    runbook: Annotated[str, typer.Argument(help="A runbook's name.")],
    *,
    reason: Reason,
    preview: Preview = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Let a runbook do more by itself: from shadow to approve, from approve to auto.

    Only when its measured record allows it, and not by who wrote it. What changes on which checks
    is shown first.
    """
    from monitord.cli import show, source

    found = source.get("/v1/promotion", runbook=runbook)
    if preview and json:
        show.as_json(found)
        return
    if not json:
        _show_promotion(found)
    if preview:
        return
    if not yes and not found["why_not"] and sys.stdin.isatty():
        typer.confirm("Promote it, in your name?", abort=True, err=True)
    answer = source.post("/v1/promote", {"runbook": runbook, "reason": reason})
    _say(answer, f"{runbook} is in {answer['mode']} now", json=json)
