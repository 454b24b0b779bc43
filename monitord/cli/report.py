"""The command `report`: what a month was like, for a person, a spreadsheet or an auditor."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from monitord.cli.app import Json, command
from monitord.errors import MonitordError

_PERCENT = 100
_HOUR = 3600


@command("report")
def report(
    month: Annotated[
        str, typer.Argument(help="2027-01; left out: the last month that is over.")
    ] = "",
    *,
    csv: Annotated[
        bool, typer.Option("--csv", help="Print a table for spreadsheets and programs.")
    ] = False,
    accounts: Annotated[
        Path | None,
        typer.Option(
            "--accounts",
            metavar="DIR",
            help="Also write what each availability is made of; its SHA-256 is the seal.",
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Compare each seal with what the rows give now; 1 where they differ."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Tell what a month was like.

    Availability per service, sealed; promises kept and broken; how long people and repairs took,
    what automation repaired alone, what keeps coming back, what runbooks are worth.
    """
    from monitord.cli import show, source

    answer = source.get(
        "/v1/reports", lambda view: _stored(view, "document", month), month=month or None
    )
    if accounts is not None:
        _write_accounts(accounts, answer)
    if verify:
        _verify(answer, json=json)
    elif json:
        show.as_json(answer)
    elif csv:
        from monitord.api.months_table import COLUMNS, rows
        from monitord.model.table import csv_of

        typer.echo(csv_of(COLUMNS, rows(answer)), nl=False)
    else:
        _print(answer)


def _stored(view: Any, what: str, month: str, service: str = "") -> Any:
    from monitord.api import months
    from monitord.cli.look import catalog_here
    from monitord.cli.places import NowhereError
    from monitord.clock import SystemClock

    catalog = catalog_here()
    if catalog is None:
        raise NowhereError(
            "services stand in the configuration, which cannot be read here; name it with"
            " --config FILE"
        )
    states, now = view.states(), SystemClock().now()
    if what == "account":
        return months.account(view, catalog, states, month, service, now=now)
    return months.document(view, catalog, states, month, now=now)


def _verify(answer: dict[str, Any], *, json: bool) -> None:
    """Say of each service whether its month is sealed, and in what its rows differ from that."""
    from monitord.cli import show

    words = ("service", "seal", "sealed", "seals", "recomputed", "differs")
    rows = [{word: one[word] for word in words} for one in answer["services"]]
    if json:
        show.as_json({"month": answer["month"], "services": rows})
    for one in () if json else rows:
        show.line(f"{one['service']}: {_verdict(one)}", style="" if not one["differs"] else "red")
        for said in one["differs"]:
            show.line(f"  - {said}")
        for seal in one["seals"]:
            why = f", replaces {seal['replaces']}: {seal['reason']}" if seal["replaces"] else ""
            show.line(f"  seal {seal['number']} of {seal['made']}: {seal['seal']}{why}")
    if any(one["differs"] or not all(each["holds"] for each in one["seals"]) for one in rows):
        raise typer.Exit(1)


def _verdict(one: dict[str, Any]) -> str:
    if not one["sealed"]:
        return "not sealed: the month is not over for an hour, or nothing was known of it"
    if one["differs"]:
        return "what its rows give now differs from what was sealed"
    if one["recomputed"] is None:
        return "its rows are not kept any more; the seal holds"
    return "its rows give the same seal"


def _write_accounts(folder: Path, answer: dict[str, Any]) -> None:
    from monitord.cli import source

    moving = [one["service"] for one in answer["services"] if not one["over"]]
    if moving:
        raise MonitordError(
            f"{answer['month']} is not over for {', '.join(moving)}: what it is made of still"
            " grows; write the accounts of a month that is"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for one in answer["services"]:
        month, name = answer["month"], one["service"]
        stored = partial(_stored, what="account", month=month, service=name)
        found = source.get("/v1/reports/account", stored, month=month, service=name)
        file = folder / f"{month}-{name}-{found['seal'][:16]}.json"
        file.write_text(found["account"], encoding="ascii")


def _print(answer: dict[str, Any]) -> None:
    from monitord.cli import show

    end = "" if answer["over"] else f", up to {answer['until']}"
    show.line(f"{answer['month']} of {answer['instance']}{end}", style="bold")
    if not answer["whole"]:
        show.line("! it began before what is still kept: figures are not whole", style="yellow")
    show.heading("services")
    show.table([_service(one) for one in answer["services"]], _SERVICES, none="none is configured")
    show.heading("outages")
    _print_incidents(answer["incidents"])
    show.heading("what keeps coming back")
    recurring = [
        {**one, "hours": round(one["seconds"] / _HOUR, 1)}
        for one in answer["incidents"]["recurring"]
    ]
    columns = [("KEY", "key"), ("OUTAGES", "count"), ("HOURS", "hours")]
    show.table(recurring, columns, none="nothing")
    show.heading("runbooks")
    show.table([_runbook(one) for one in answer["runbooks"]], _RUNBOOKS, none="nothing was tried")
    show.heading("restore drills")
    show.table(answer["drills"], _DRILLS, none="no check of kind drill is configured")


_DRILLS = [("STATUS", "status"), ("DRILL", "key"), ("FAILED", "failed"), ("LAST PROOF", "summary")]
_SERVICES = [
    ("SERVICE", "service"),
    ("AVAILABLE", "share"),
    ("PROMISED", "target"),
    ("MET", "met"),
    ("RESPOND", "respond"),
    ("RESOLVE", "resolve"),
    ("SEAL", "seal"),
]
_RUNBOOKS = [
    ("RUNBOOK", "name"),
    ("TRIED", "attempts"),
    ("VERIFIED", "verified"),
    ("SUCCESS", "success"),
    ("P50", "p50"),
    ("AGAIN IN 24H", "recurred"),
]


def _service(one: dict[str, Any]) -> dict[str, Any]:
    met = {True: "yes", False: "no"}.get(one["met"], "")
    target = f"{_share(one['target'])} a {one['window']}" if one["target"] is not None else ""
    promises = {name: _kept(counts) for name, counts in one["promises"].items()}
    return {
        "respond": "",
        "resolve": "",
        **promises,
        "service": one["service"],
        "share": _share(one["share"]) if one["watched"] else "not watched",
        "target": target,
        "met": met,
        "seal": one["seal"][:16] if one["over"] else "when it is over",
    }


def _kept(counts: dict[str, int]) -> str:
    return f"{counts['kept']} of {sum(counts.values())}"


def _runbook(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "success": _share(one["success"]), "p50": _span(one["repair_p50"])}


def _share(value: float | None) -> str:
    return "" if value is None else f"{value * _PERCENT:.3f}".rstrip("0").rstrip(".") + " %"


def _span(seconds: float | None) -> str:
    from datetime import timedelta

    from monitord.model.spec import format_duration

    return "" if seconds is None else format_duration(timedelta(seconds=round(seconds)))


def _print_incidents(found: dict[str, Any]) -> None:
    from monitord.cli import show

    ended = ", ".join(f"{count} {how}" for how, count in found["ended"].items() if count)
    rows = {
        "opened": f"{found['opened']}, and {found['parts']} told of by others",
        "ended": ended,
        "repaired without a person": _share(found["automation"]),
        "time to acknowledge": _took(found["acknowledged"]),
        "ended unanswered": found["unanswered"],
        "time to repair": _took(found["repaired"]),
    }
    show.fields(rows, [(name, name) for name in rows])


def _took(of: dict[str, Any]) -> str:
    if not of["count"]:
        return ""
    mean, median, most = (_span(of[name]) for name in ("mean", "p50", "p95"))
    return f"mean {mean}, half within {median}, 95 % within {most} (of {of['count']})"
