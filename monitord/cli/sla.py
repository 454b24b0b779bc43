"""The command `sla`: the service levels in force, and what the open incidents have left of them."""

from typing import Annotated, Any

import typer

from monitord.cli.app import Json, command

_PERCENT = 100


@command("sla")
def sla(
    word: Annotated[str, typer.Argument(help="A service; or correct, revoke, corrections.")] = "",
    about: Annotated[
        str, typer.Argument(help="correct: a service or check; revoke: a correction's number.")
    ] = "",
    *,
    from_: Annotated[str, typer.Option("--from", help="correct: from when.")] = "",
    to: Annotated[str, typer.Option("--to", help="correct: until when.")] = "",
    as_: Annotated[str, typer.Option("--as", help="correct: up, down or excluded.")] = "",
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; it is kept.")] = "",
    approved_by: Annotated[str, typer.Option("--approved-by", help="Who else said yes.")] = "",
    json: Json = False,
) -> int:
    """Tell the service levels in force and the clocks of the open incidents.

    Of a service also its availability. Exits 1 when a promise of an open incident is broken.
    `sla correct SERVICE|CHECK --from … --to … --as up --reason … --approved-by …` says what a time
    really was; `sla corrections` lists them, `sla revoke NUMBER --reason …` takes one back.
    """
    from monitord.cli import levels, show, source

    if word == "correct":
        said = {"from": from_, "to": to, "as": as_, "reason": reason, "approved_by": approved_by}
        levels.correct(about, said, json=json)
        return 0
    if word == "revoke":
        levels.revoke(about, reason, json=json)
        return 0
    if word == "corrections":
        levels.corrections(json=json)
        return 0
    answer = source.get("/v1/sla", lambda view: _stored(view, word), service=word)
    if json:
        show.as_json(answer)
    else:
        _print(answer, word)
    clocks = [clock for one in answer["incidents"] for clock in one["clocks"]]
    return 1 if any(clock["breached"] for clock in clocks) else 0


def _stored(view: Any, service: str) -> Any:
    from monitord.api import sla as levels
    from monitord.cli.look import catalog_here
    from monitord.cli.places import NowhereError
    from monitord.clock import SystemClock

    catalog = catalog_here()
    if catalog is None:
        raise NowhereError(
            "service levels stand in the configuration, which cannot be read here; name it with"
            " --config FILE"
        )
    return levels.document(view, catalog, view.states(), service=service, now=SystemClock().now())


def _print(answer: dict[str, Any], service: str) -> None:
    from monitord.cli import show

    show.table(
        [_level(level) for level in answer["slas"]],
        [
            ("SLA", "sla"),
            ("CALENDAR", "calendar"),
            ("NOW", "now"),
            *((name, name) for name in ("P1", "P2", "P3", "P4", "P5")),
            ("AVAILABLE", "available"),
            ("SERVICES", "services"),
        ],
        none="",
    )
    show.heading("open incidents")
    show.table(
        [row for one in answer["incidents"] for row in _clocks(one)],
        [
            ("INCIDENT", "incident"),
            ("PRIORITY", "priority"),
            ("KEY", "key"),
            ("SLA", "named"),
            ("TO", "promise"),
            ("WITHIN", "allowed"),
            ("LEFT", "left"),
            ("DUE", "due"),
            ("", "says"),
        ],
        none="none is open that a clock runs for",
    )
    if service:
        _print_availability(answer["availability"], service)


def _level(level: dict[str, Any]) -> dict[str, Any]:
    promised = "" if level["availability"] is None else f"{level['availability'] * _PERCENT:g}%"
    return {
        **level,
        "now": "open" if level["open"] else f"opens {level['opens'] or 'never'}",
        "available": f"{promised} a {level['window']}" if promised else "",
        **{name: _target(one, level) for name, one in level["targets"].items()},
    }


def _target(target: dict[str, Any], level: dict[str, Any]) -> str:
    times = f"{target['respond'] or '-'} / {target['resolve'] or '-'}"
    own = target["calendar"]
    return times if own == level["calendar"] else f"{times} ({own})"


def _clocks(incident: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            **incident,
            **clock,
            "named": clock["whose"] or clock["sla"],
            "left": _left(clock["remaining"]),
            "says": _says(clock),
        }
        for clock in incident["clocks"]
    ]


def _left(seconds: int) -> str:
    from datetime import timedelta

    from monitord.model.spec import format_duration

    text = format_duration(timedelta(seconds=abs(seconds)))
    return f"-{text}" if seconds < 0 else text


def _says(clock: dict[str, Any]) -> str:
    if clock["breached"]:
        return "broken"
    if clock["stopped"]:
        return "kept"
    until = f" until {clock['goes_on']}" if clock["goes_on"] else ""
    return f"paused{until}: {clock['paused']}" if clock["paused"] else ""


def _print_availability(found: dict[str, Any], service: str) -> None:
    from monitord.cli import show

    show.heading(f"availability of {service} since {found['from']}")
    share = "nothing to divide by" if found["share"] is None else f"{found['share']:.4%}"
    promise = "" if found["target"] is None else f"{found['target'] * _PERCENT:g}%"
    met = {None: "", True: " (kept so far)", False: " (missed so far)"}[found["met"]]
    rows = {"was": share, "promised": f"{promise}{met}", "seal": found["seal"]}
    rows |= {name: _left(round(seconds)) for name, seconds in found["times_s"].items() if seconds}
    rows["of"] = _left(round(found["denominator_s"]))
    show.fields(rows, [(name.replace("_", " "), name) for name in rows])
    for one in found["corrections"]:
        said = f"{one['about']} was {one['as']} from {one['from']} until {one['until']}"
        show.line(f"correction {one['correction']}: {said}: {one['reason']}")
        show.line(f"by {one['by']}, approved by {one['approved_by']}", indent=2)
    for one in found["excused"]:
        show.line(f"excused from {one['from']} until {one['until']}: {one['reason']}")
