"""The five orders (ack, take, mute, maintenance, halt), and what ends one: release, resume.

Each shows what it would touch before it does anything and asks on a terminal; with --preview that
is all. The core gives it, in the name that the socket's peer has; only `halt` and `resume` also
work without one (the file HALT). What an order means is in monitord/decisions/verbs.py.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from monitord.cli.app import For, Json, Preview, Reason, Until, Yes, command

_SHOWN = 20  # keys that are named before an order

Selector = Annotated[str, typer.Argument(help='What: "web1/site", "group=web & site=ulm", "*".')]
Hosts = Annotated[str, typer.Argument(help='Which hosts: "web1", "group=web & site=ulm".')]


def _now() -> datetime:
    return datetime.now(UTC)


def show_touched(touches: Sequence[str], *, err: bool = True) -> None:
    """Name the first keys of what something would touch, on stderr unless told otherwise."""
    from monitord.model.text import one_line

    typer.echo(f"This touches {len(touches)} check{'s' * (len(touches) != 1)}:", err=err)
    for key in touches[:_SHOWN]:
        typer.echo(f"  {one_line(key)}", err=err)
    if len(touches) > _SHOWN:
        typer.echo(f"  … and {len(touches) - _SHOWN} more", err=err)


def confirm(question: str, touches: Sequence[str], *, yes: bool) -> None:
    """Say what is touched, and on a terminal ask; `no` ends the command with exit 1."""
    if not touches:
        return  # the core refuses an order that touches nothing, and says why
    show_touched(touches)
    if not yes and sys.stdin.isatty():
        typer.confirm(question, abort=True, err=True)


def terms(
    selector: str,
    reason: str,
    for_: str | None,
    until: str | None,
    *,
    start: datetime | None = None,
) -> dict[str, Any]:
    """Give what every order says: on what, why, until when."""
    from monitord.cli import when

    expires = when.expiry(for_, until, start=start or _now())
    return {"selector": selector, "reason": reason, "expires": expires.isoformat()}


def _give(
    verb: str,
    question: str,
    body: dict[str, Any],
    *,
    preview: bool,
    yes: bool,
    json: bool,
) -> None:
    """Show what an order touches, ask, give it, and say what was given and how it ends."""
    from monitord.cli import show, source

    touches = source.get("/v1/preview", selector=body["selector"])["touches"]
    if preview:
        show.as_json({"touches": touches}) if json else show_touched(touches, err=False)
        return
    confirm(question, touches, yes=yes)
    answer = source.post(f"/v1/{verb}", body)
    if json:
        show.as_json(answer)
        return
    order = answer["order"]
    text = f"order {order['order']}: {order['verb']} on {order['selector']}"
    show.line(f"{text} from {order['starts']} until {order['expires']}, by {order['by']}")
    for killed in answer.get("killed", ()):
        show.line(killed)
    show.line(f"ends early with: monitord resume {order['order']}")


def _say_ended(answer: dict[str, Any], *, json: bool) -> None:
    from monitord.cli import show

    if json:
        show.as_json(answer)
        return
    for order in answer["ended"]:
        show.line(f"order {order['order']} ended: {order['verb']} on {order['selector']}")
    if not answer["ended"]:
        show.line("the file HALT is gone; no order was in force")


def _say(text: str, *, json: bool) -> None:
    from monitord.cli import show

    show.as_json({"text": text}) if json else show.line(text)


@command("ack")
def ack(
    selector: Selector,
    *,
    reason: Reason,
    for_: For = None,
    until: Until = None,
    preview: Preview = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Stop paging for what is known; repair goes on."""
    body = terms(selector, reason, for_, until)
    _give("ack", "Acknowledge these?", body, preview=preview, yes=yes, json=json)


@command("take")
def take(
    hosts: Hosts,
    *,
    reason: Reason,
    for_: For = None,
    until: Until = None,
    preview: Preview = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Take hosts into your own hands: automation holds them and pages nobody.

    A step that runs ends by itself and is verified; no next one begins. `monitord release` gives
    them back, and so does the end of the order.
    """
    body = terms(hosts, reason, for_, until)
    _give("take", "Take these from automation?", body, preview=preview, yes=yes, json=json)


@command("release")
def release(
    what: Annotated[str, typer.Argument(help="What was taken: the same selector, or its order.")],
    *,
    json: Json = False,
) -> None:
    """Give back what you took: automation goes on where it stood."""
    from monitord.cli import source

    body = {"what": int(what) if what.isdigit() else what, "verb": "take"}
    _say_ended(source.post("/v1/resume", body), json=json)


@command("mute")
def mute(
    selector: Selector,
    *,
    reason: Reason,
    for_: For = None,
    until: Until = None,
    preview: Preview = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Page nobody; repair goes on, and the timeline marks what was kept quiet."""
    body = terms(selector, reason, for_, until)
    _give("mute", "Mute these?", body, preview=preview, yes=yes, json=json)


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
    excused: Annotated[
        bool, typer.Option("--excused", help="It is agreed not to count for service levels.")
    ] = False,
    preview: Preview = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Neither act on nor page for what is being worked on."""
    from monitord.cli import when

    starts = when.moment(from_, start=_now()) if from_ else _now()
    body = terms(selector, reason, for_, until, start=starts)
    body |= {"starts": starts.isoformat(), "until_ok": until_ok, "excused": excused}
    question = "Put these in maintenance?"
    _give("maintenance", question, body, preview=preview, yes=yes, json=json)


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
    preview: Preview = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Let no further action begin, here or anywhere.

    Without a core it writes the file HALT, which stops everything.
    """
    from monitord.cli import halted, source

    body = {**terms(selector, reason, for_, until), "now": now}
    if not source.running() and not preview:
        _say(halted.write(selector, reason), json=json)
        return
    _give("halt", "Halt actions on these?", body, preview=preview, yes=yes, json=json)


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
    from monitord.cli import halted, source

    if not source.running():
        _say(halted.remove(what), json=json)
        return
    if not yes and sys.stdin.isatty():
        typer.confirm(f"End {what} before its time?", abort=True, err=True)
    answer = source.post("/v1/resume", {"what": int(what) if what.isdigit() else what})
    _say_ended(answer, json=json)
