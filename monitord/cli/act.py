"""The commands by which a person acts: ack, maintenance, halt, resume, close, forget, run, repair.

Each shows what it would touch before it does anything and asks on a terminal. The core does it, in
the name that the socket's peer has; only `halt` and `resume` also work without one (the file HALT).
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from monitord.cli.app import For, Json, Reason, Until, Yes, command

_SHOWN = 20  # keys that are named before an order

Selector = Annotated[str, typer.Argument(help='What: "web1/site", "group=web & site=ulm", "*".')]
Key = Annotated[str, typer.Argument(help="host/check or host/check/item")]


def _now() -> datetime:
    return datetime.now(UTC)


def _confirm(question: str, touches: Sequence[str], *, yes: bool) -> None:
    """Say what is touched, and on a terminal ask; `no` ends the command with exit 1."""
    from monitord.model.text import one_line

    if not touches:
        return  # the core refuses an order that touches nothing, and says why
    typer.echo(f"This touches {len(touches)} check{'s' * (len(touches) != 1)}:", err=True)
    for key in touches[:_SHOWN]:
        typer.echo(f"  {one_line(key)}", err=True)
    if len(touches) > _SHOWN:
        typer.echo(f"  … and {len(touches) - _SHOWN} more", err=True)
    if not yes and sys.stdin.isatty():
        typer.confirm(question, abort=True, err=True)


def _preview(selector: str) -> list[str]:
    from monitord.cli import source

    touches: list[str] = source.get("/v1/preview", selector=selector)["touches"]
    return touches


def _say(text: str, *, json: bool) -> None:
    from monitord.cli import show

    show.as_json({"text": text}) if json else show.line(text)


def _say_order(answer: dict[str, Any], *, json: bool) -> None:
    from monitord.cli import show

    if json:
        show.as_json(answer)
        return
    order = answer["order"]
    text = f"order {order['order']}: {order['verb']} on {order['selector']}"
    show.line(f"{text} from {order['starts']} until {order['expires']}, by {order['by']}")
    for killed in answer.get("killed", ()):
        show.line(killed)
    show.line(f"ends early with: monitord resume {order['order']}")


@command("ack")
def ack(
    selector: Selector,
    *,
    reason: Reason,
    for_: For = None,
    until: Until = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Stop paging for what is known; repair goes on."""
    from monitord.cli import source, when

    expires = when.expiry(for_, until, start=_now())
    _confirm("Acknowledge these?", _preview(selector), yes=yes)
    body = {"selector": selector, "reason": reason, "expires": expires.isoformat()}
    _say_order(source.post("/v1/ack", body), json=json)


@command("maintenance")
def maintenance(
    selector: Selector,
    *,
    reason: Reason,
    from_: Annotated[
        str | None, typer.Option("--from", help="When it starts; left out: now.")
    ] = None,
    for_: For = None,
    until: Until = None,
    until_ok: Annotated[
        bool, typer.Option("--until-ok", help="Ends by itself once all of it is OK.")
    ] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Neither act on nor page for what is being worked on."""
    from monitord.cli import source, when

    starts = when.moment(from_, start=_now()) if from_ else _now()
    expires = when.expiry(for_, until, start=starts)
    _confirm("Put these in maintenance?", _preview(selector), yes=yes)
    body = {
        "selector": selector,
        "reason": reason,
        "starts": starts.isoformat(),
        "expires": expires.isoformat(),
        "until_ok": until_ok,
    }
    _say_order(source.post("/v1/maintenance", body), json=json)


@command("halt")
def halt(
    selector: Selector = "*",
    *,
    reason: Reason,
    for_: For = None,
    until: Until = None,
    now: Annotated[
        bool, typer.Option("--now", help="Also kill the steps that run (outcome UNKNOWN).")
    ] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Let no further action begin, here or anywhere.

    Without a core it writes the file HALT, which stops everything.
    """
    from monitord.cli import halted, source, when

    expires = when.expiry(for_, until, start=_now())
    if not source.running():
        _say(halted.write(selector, reason), json=json)
        return
    _confirm("Halt actions on these?", _preview(selector), yes=yes)
    body = {"selector": selector, "reason": reason, "expires": expires.isoformat(), "now": now}
    _say_order(source.post("/v1/halt", body), json=json)


@command("resume")
def resume(
    what: Annotated[str, typer.Argument(help="An order's number, or a halt's selector.")] = "*",
    *,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """End an order before its time.

    `*` ends the halts of everything and removes the file HALT.
    """
    from monitord.cli import halted, show, source

    if not source.running():
        _say(halted.remove(what), json=json)
        return
    if not yes and sys.stdin.isatty():
        typer.confirm(f"End {what}, so that automation may act again?", abort=True, err=True)
    answer = source.post("/v1/resume", {"what": int(what) if what.isdigit() else what})
    if json:
        show.as_json(answer)
        return
    for order in answer["ended"]:
        show.line(f"order {order['order']} ended: {order['verb']} on {order['selector']}")
    if not answer["ended"]:
        show.line("the file HALT is gone; no order was in force")


@command("incident")
def incident(
    number: Annotated[int, typer.Argument(min=1)],
    verb: Annotated[str, typer.Argument(help="show or close")] = "show",
    *,
    reason: Annotated[str | None, typer.Option("--reason", "-r", help="Why it is closed.")] = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Show one incident, or close it.

    `monitord incident 3` shows it with all its rows; `incident 3 close --reason …` closes it.
    """
    from monitord.cli import incidents

    if verb not in ("show", "close"):
        raise typer.BadParameter(f"{verb!r}: an incident can be shown or closed (show, close)")
    if verb == "show":
        incidents.show_one(number, json=json)
        return
    if not reason:
        raise typer.BadParameter("say why it is closed: --reason …")
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Close incident {number} in your name?", abort=True, err=True)
    incidents.close(number, reason, json=json)


@command("forget")
def forget(key: Key, *, yes: Yes = False, json: Json = False) -> None:
    """Drop the state of an item that is gone for good."""
    from monitord.cli import show, source

    _confirm("Forget this state and its counters?", [key], yes=yes)
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
