"""The commands by which a person acts: close, forget, run, repair, reload; orders are in order.py.

Each shows what it would touch before it does anything and asks on a terminal. The core does it, in
the name that the socket's peer has.
"""

import sys
from typing import Annotated, Any

import typer

from monitord.cli.app import Json, Yes, command
from monitord.cli.order import confirm

Key = Annotated[str, typer.Argument(help="host/check or host/check/item")]


@command("incident")
def incident(
    number: Annotated[int, typer.Argument(min=1)],
    verb: Annotated[str, typer.Argument(help="show, close or review")] = "show",
    *,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="Why it is closed.")] = None,
    cure: Annotated[str, typer.Option("--cure", help="What helped, for the next time.")] = "",
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Show one incident, close it, or begin its review.

    `monitord incident 3` shows it with all its rows; `incident 3 close --reason …` closes it;
    `incident 3 review` prints what its rows know as a page in Markdown, for people to complete.
    """
    from monitord.cli import incidents

    if verb not in ("show", "close", "review"):
        known = "show, close, review"
        raise typer.BadParameter(f"{verb!r}: an incident can be shown, closed, reviewed ({known})")
    if verb == "review":
        incidents.review(number, json=json)
        return
    if verb == "show":
        incidents.show_one(number, json=json)
        return
    if not reason:
        raise typer.BadParameter("say why it is closed: --reason …")
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Close incident {number} in your name?", abort=True, err=True)
    incidents.close(number, reason, cure, json=json)


@command("forget")
def forget(key: Key, *, yes: Yes = False, json: Json = False) -> None:
    """Drop the state of an item that is gone for good."""
    from monitord.cli import show, source

    confirm("Forget this state and its counters?", [key], yes=yes)
    answer = source.post("/v1/forget", {"key": key})
    if json:
        show.as_json(answer)
    else:
        show.line(f"{key} is forgotten")


@command("run-check")
def run_check(key: Key, *, json: Json = False) -> int:
    """Run one check now.

    Exits 0, 1, 2, 3 as a Nagios plugin does.
    """
    from monitord.cli import show, source

    answer = source.post("/v1/run-check", {"key": key}, timeout=300)
    if json:
        show.as_json(answer)
    else:
        columns = [("STATUS", "status"), ("ITEM", "item"), ("SUMMARY", "summary")]
        show.table(answer["results"], columns, none="no result")
    worst = {"OK": 0, "WARNING": 1, "UNKNOWN": 3, "CRITICAL": 2}
    order = list(worst)
    found = max((one["status"] for one in answer["results"]), key=order.index, default="UNKNOWN")
    return worst[found]


@command("remediate")
def remediate(
    key: Key,
    *,
    runbook: Annotated[
        str | None, typer.Option(help="One runbook of the ladder; left out: the next rung.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show the plan and what the guards say.")
    ] = False,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Show the plan of the next rung, then start it.

    Every guard's verdict is shown; nothing starts that one of them refuses.
    """
    from monitord.cli import explained, show, source

    body: dict[str, Any] = {"key": key, "runbook": runbook, "dry_run": True}
    answer = source.post("/v1/remediate", body)
    if not dry_run:
        explained.show_plan(answer)
        if not yes and sys.stdin.isatty():
            typer.confirm("Start it?", abort=True, err=True)
        answer = source.post("/v1/remediate", {**body, "dry_run": False})
    if json:
        show.as_json(answer)
    elif dry_run:
        explained.show_plan(answer)
    else:
        started = answer.get("started")
        show.line(f"attempt {started} started" if started else "refused: see the guards above")
    return 0 if dry_run or answer.get("started") else 1


@command("reload")
def reload(*, json: Json = False) -> None:
    """Apply the configuration files, whole or not."""
    from monitord.cli import show, source

    answer = source.post("/v1/reload", {}, timeout=300)
    if json:
        show.as_json(answer)
        return
    for text in answer["lines"] or ["nothing changed"]:
        show.line(text)
