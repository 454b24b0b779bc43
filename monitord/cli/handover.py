"""`monitord handover`: what the next on call must know, and both names under it."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from monitord.cli.app import Json, app, command
from monitord.cli.oncall import SHOW, ShowsByDefault

pages = typer.Typer(
    cls=ShowsByDefault,
    rich_markup_mode=None,
    help="What the next on call must know; signed by who leaves and who comes.",
)
app.add_typer(pages, name="handover")


@command(SHOW, pages)
def show_(
    *,
    since: Annotated[
        str, typer.Option("--since", help="From when on: 8h, 2027-01-31; left out: 8h.")
    ] = "8h",
    json: Json = False,
) -> None:
    """Tell what is open, taken, muted, was repaired twice, waits for a yes, is due by morning.

    `monitord handover` is the same.
    """
    from monitord.cli import show, source
    from monitord.cli.ledger import start_of

    start = start_of(since)
    answer = source.get("/v1/handover", lambda v: _stored(v, start), since=start.isoformat())
    if json:
        show.as_json(answer)
    else:
        _print(answer)


def _stored(view: Any, start: datetime) -> Any:
    from monitord.api import handover
    from monitord.cli.look import catalog_here
    from monitord.clock import as_instant

    now = as_instant(datetime.now(UTC))
    return handover.document(view, catalog_here(), since=as_instant(start), now=now)


_ORDERS = [
    ("ORDER", "order"),
    ("VERB", "verb"),
    ("SELECTOR", "selector"),
    ("BY", "by"),
    ("UNTIL", "expires"),
    ("REASON", "reason"),
]
_INCIDENTS = [
    ("INCIDENT", "incident"),
    ("STATUS", "status"),
    ("PRIO", "priority"),
    ("TIER", "tier"),
    ("KEY", "key"),
    ("SINCE", "opened"),
    ("NEW", "new"),
    ("SUMMARY", "summary"),
]
_PARTS = [
    (
        "on call",
        "on_call",
        [("ROTATION", "rotation"), ("NOW", "on"), ("NEXT", "next"), ("AT", "at")],
    ),
    ("open", "open", _INCIDENTS),
    ("taken", "taken", _ORDERS),
    ("muted", "muted", _ORDERS),
    (
        "repaired twice",
        "repaired_twice",
        [("TIMES", "times"), ("KEY", "key"), ("RUNBOOK", "runbook")],
    ),
    (
        "waits for a yes",
        "approvals",
        [("ATTEMPT", "attempt"), ("KEY", "key"), ("RUNBOOK", "runbook"), ("UNTIL", "until")],
    ),
    ("due by morning", "due", [("AT", "at"), ("WHAT", "what")]),
]


def _print(answer: dict[str, Any]) -> None:
    from monitord.cli import show

    show.line(f"hand-over at {answer['now']}, of the time since {answer['since']}")
    _print_signed(answer["signed"])
    for title, name, columns in _PARTS:
        show.heading(title)
        rows = answer[name]
        if name == "on_call":
            rows = [{**row, "on": row["on"] or "NOBODY"} for row in rows]
        show.table(rows, columns, none="nothing")
    show.line(f"repaired and verified since then: {answer['repaired']}")


def _print_signed(signed: dict[str, Any] | None) -> None:
    from monitord.cli import show

    if not signed:
        show.line("no hand-over has been signed yet")
        return
    for word, one in (("left", signed["left"]), ("came", signed.get("came"))):
        if one is None:
            show.line("! nobody has signed who came: monitord handover sign --coming")
            continue
        note = f": {one['note']}" if one["note"] else ""
        show.line(f"last signed: {one['by']} {word} at {one['at']}, {one['open']} open{note}")


@command("sign", pages)
def sign(
    *,
    leaving: Annotated[bool, typer.Option("--leaving", help="You leave; sign first.")] = False,
    coming: Annotated[bool, typer.Option("--coming", help="You come and have read it.")] = False,
    note: Annotated[
        str, typer.Option("--note", help="What the next one must know; shown next time.")
    ] = "",
    json: Json = False,
) -> None:
    """Sign the hand-over: who leaves first, then who comes, each in their own name."""
    from monitord.cli import show, source

    if leaving == coming:
        raise typer.BadParameter("say which of the two you are: --leaving or --coming")
    answer = source.post("/v1/handover/sign", {"leaving": leaving, "note": note})
    if json:
        show.as_json(answer)
        return
    _print_signed(answer)
