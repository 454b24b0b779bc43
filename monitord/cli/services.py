"""The command `services`: how the business services stand, by what, and what they have left."""

from typing import Annotated, Any

import typer

from monitord.cli.app import Json, command

_EXIT = {"UP": 0, "DEGRADED": 1, "DOWN": 2, "UNKNOWN": 3}
_PERCENT = 100


@command("services", failed=3)
def services(
    name: Annotated[str, typer.Argument(help="Only this service, with its rules and checks.")] = "",
    *,
    json: Json = False,
) -> int:
    """Tell how the services stand: UP, DEGRADED, DOWN or UNKNOWN, since when and by what.

    Exits 0, 1, 2 or 3 with the worst of them, as a Nagios plugin does.
    """
    from monitord.cli import show, source

    route = f"/v1/services/{name}" if name else "/v1/services"
    answer = source.get(route, lambda view: _stored(view, name))
    if json:
        show.as_json(answer)
    elif name:
        show_one(answer)
    else:
        _print(answer["services"])
    rows = [answer] if name else answer["services"]
    return max((_EXIT[row["state"]] for row in rows), key=_badness, default=0)


def _badness(code: int) -> int:
    return (0, 1, 3, 2).index(code)


def _stored(view: Any, name: str) -> Any:
    from monitord.api import services as views
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
    if name:
        return views.document(view, catalog, states, name, now=now)
    return views.listed(view, catalog, states, now=now)


def _print(rows: list[dict[str, Any]]) -> None:
    from monitord.cli import show

    show.table(
        [_line(row) for row in rows],
        [
            ("STATE", "state"),
            ("SERVICE", "service"),
            ("FOR", "for"),
            ("PRIO", "priority"),
            ("INCIDENTS", "numbers"),
            ("SLA", "sla"),
            ("LEFT", "left"),
            ("BY", "by"),
            ("", "work"),
        ],
        none="no service is configured",
    )


def _line(row: dict[str, Any]) -> dict[str, Any]:
    left = row["budget_s"]["left"] if row["budget_s"] else None
    works = [f"maintenance of {one['checks']} by {one['by']}" for one in row["maintenance"]]
    return {
        **row,
        "for": "" if row["for_s"] is None else _span(row["for_s"]),
        "numbers": [one["incident"] for one in row["incidents"]],
        "left": "" if left is None else f"{_span(left)} this {row['window']}",
        "work": works,
    }


def _span(seconds: float) -> str:
    from datetime import timedelta

    from monitord.model.spec import format_duration

    text = format_duration(timedelta(seconds=round(abs(seconds))))
    return f"-{text}" if seconds < 0 else text


def show_one(answer: dict[str, Any]) -> None:
    """Print one service: how it stands, its rules, its checks, its incidents, its last changes."""
    from monitord.cli import show

    show.line(f"{answer['service']} is {answer['state']}", style="bold")
    row = _line(answer)
    if answer["target"] is not None and answer["share"] is not None:
        row["was"] = f"{answer['share']:.4%} of {answer['target'] * _PERCENT:g}% promised"
    show.fields(
        row,
        [
            *((word, word) for word in ("since", "by", "impact", "sla", "was", "left")),
            ("maintenance", "work"),
        ],
    )
    for heading, field, columns, none in _PARTS:
        show.heading(heading)
        rows = [{**one, "holds": _HOLDS[one["holds"]]} for one in answer["rules"]]
        show.table(rows if field == "rules" else answer[field], columns, none=none)


_HOLDS = {True: "yes", False: "no", None: "cannot be told"}
_PARTS = (
    (
        "rules",
        "rules",
        [("RULE", "rule"), ("TEXT", "text"), ("HOLDS", "holds"), ("COUNTED", "counted")],
        "none is written: it is down while one of its checks is CRITICAL",
    ),
    (
        "checks",
        "members",
        [("STATUS", "status"), ("CHECK", "key"), ("NOT SEEN", "why"), ("SUMMARY", "summary")],
        "nothing",
    ),
    (
        "open incidents",
        "incidents",
        [("INCIDENT", "incident"), ("PRIO", "priority"), ("STATUS", "status"), ("KEY", "key")],
        "none",
    ),
    ("changes", "changes", [("AT", "at"), ("STATE", "state"), ("BY", "by")], "none yet"),
)
