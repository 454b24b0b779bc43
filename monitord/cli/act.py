"""The commands by which a person acts: close, forget, run, repair, reload; orders are in order.py.

Each shows what it would touch before it does anything and asks on a terminal. The core does it, in
the name that the socket's peer has.
"""

import sys
from typing import Annotated, Any

import typer

from monitord.cli.app import For, Json, Until, Yes, command
from monitord.cli.order import confirm

Key = Annotated[str, typer.Argument(help="host/check or host/check/item")]


@command("incident")
def incident(
    number: Annotated[int, typer.Argument(min=1)],
    verb: Annotated[
        str, typer.Argument(help="show, next, close, review, pause, resume, answered or deadline")
    ] = "show",
    when: Annotated[str, typer.Argument(help="deadline: by when, or none.")] = "",
    *,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="Why; it is kept.")] = None,
    cure: Annotated[str, typer.Option("--cure", help="What helped, for the next time.")] = "",
    for_: For = None,
    until: Until = None,
    vendor: Annotated[str, typer.Option("--vendor", help="Which vendor holds it.")] = "",
    by: Annotated[str, typer.Option("--by", help="Whose deadline it is.")] = "",
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Show one incident, hand it on, close it, begin its review, or say what bears on its clocks.

    `monitord incident 3` shows it with all its rows; `incident 3 next --reason …` tells the
    next of its policy at once, your ack holds them back no more; `close --reason …` closes it;
    `incident 3 review` prints what its rows know as a page in Markdown, for people to complete.
    `incident 3 pause --reason …` has its SLA clocks stand still (`--until`; left out: a day),
    `resume` has them go on. With `--vendor` the vendor holds it, whose own clock runs; `answered`
    notes that they are at work. `deadline 18:00 --reason … --by …` is a customer's own.
    """
    from monitord.cli import incidents, levels

    why = reason or ""
    does = {
        "show": lambda: incidents.show_one(number, json=json),
        "review": lambda: incidents.review(number, json=json),
        "close": lambda: _close(number, why, cure, yes=yes, json=json),
        "next": lambda: incidents.hand_on(number, why, json=json),
        "pause": lambda: levels.pause(number, why, (for_, until), vendor, json=json),
        "resume": lambda: levels.resume(number, json=json),
        "answered": lambda: levels.answered(number, vendor, json=json),
        "deadline": lambda: levels.deadline(number, when, why, by, json=json),
    }
    if verb not in does:
        raise typer.BadParameter(f"{verb!r}: of an incident one can say {', '.join(does)}")
    if verb in ("next", "close", "pause", "deadline") and not why:
        raise typer.BadParameter(f"say why, it is kept: {verb} --reason …")
    does[verb]()


def _close(number: int, reason: str, cure: str, *, yes: bool, json: bool) -> None:
    from monitord.cli import incidents

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
