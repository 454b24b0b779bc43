"""The command `history`: how a check was and what it measured, as a table and a line of bars."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from monitord.cli.app import Json, command

_WIDTH = 60  # characters of a line of bars
_BARS = "▁▂▃▄▅▆▇█"
_SHOWN = 20  # measurements, and times in which it was not OK
_HOUR = 3_600  # seconds


@command("history")
def history(
    key: Annotated[str, typer.Argument(help="host/check or host/check/item")],
    *,
    since: Annotated[
        str, typer.Option("--since", help="From when on: 30d, 2027-01-31; left out: 1d.")
    ] = "1d",
    measurement: Annotated[
        str, typer.Option("--measurement", "-m", help="Only this measurement.")
    ] = "",
    points: Annotated[
        int, typer.Option("--points", help="How many points of a chart.", min=1, max=5000)
    ] = _WIDTH,
    json: Json = False,
) -> None:
    """Tell how a check was and what it measured.

    The share of each status, when it was not OK, and a line of bars for each measurement. What
    was not looked at is no data, and stays blank.
    """
    from monitord.cli import ledger, show

    start, end = ledger.start_of(since), datetime.now(UTC)
    answers = [_ask(key, measurement, start, end, points)]
    if json:
        show.as_json(answers[0])
        return
    rest = [] if measurement else answers[0]["measurements"][1:_SHOWN]
    answers += [_ask(key, one["name"], start, end, points) for one in rest]
    _print(answers, start, end)


def _ask(key: str, measurement: str, start: datetime, end: datetime, points: int) -> dict[str, Any]:
    """Ask the core, or where none runs read the files."""
    from monitord.cli import source
    from monitord.control import CoreDownError

    route = f"/v1/history/{key}"
    span = {"from": start.isoformat(), "to": end.isoformat()}
    try:
        answer = source.core().get(route, measurement=measurement, points=points, **span)
    except CoreDownError:
        answer = _from_files(key, measurement, start, end, points)
    return dict(answer)


def _from_files(
    key: str, measurement: str, start: datetime, end: datetime, points: int
) -> dict[str, Any]:
    from monitord.api.history import document
    from monitord.cli import places
    from monitord.clock import as_instant
    from monitord.history import HISTORY, Reader
    from monitord.model.ids import StateKey

    reader = Reader(places.place().state / HISTORY)
    span = as_instant(start), as_instant(end)
    return document(reader, StateKey(key), measurement, *span, points, known=set())


def _print(answers: list[dict[str, Any]], start: datetime, end: datetime) -> None:
    from monitord.cli import show

    first = answers[0]
    show.line(f"{first['key']}  {first['from']} to {first['to']}")
    show.line(shares(first, start, end))
    bad = [run for run in first["states"] if run["status"] != "OK"][-_SHOWN:]
    if bad:
        columns = [("STATUS", "status"), ("FROM", "from"), ("TO", "to"), ("ATTEMPT", "attempt")]
        show.heading("not OK")
        show.table(bad, [*columns, ("SUMMARY", "summary")], none="")
    show.heading("measured")
    rows = [_row(answer, start, end) for answer in answers if answer["points"]]
    columns = [("MEASUREMENT", "name"), ("UNIT", "unit"), ("MIN", "min"), ("MEAN", "mean")]
    shown = [*columns, ("MAX", "max"), ("OVER THE TIME", "bars")]
    show.table(rows, shown, none="nothing was measured in that time")


def shares(answer: dict[str, Any], start: datetime, end: datetime) -> str:
    """Give `OK 99.2 %, CRITICAL 0.1 %, no data 0.7 %`: runs, and hours before the first of them."""
    spent: dict[str, float] = {}
    runs = [(_time(run["from"]), _time(run["to"]), run["status"]) for run in answer["states"]]
    first = min((began for began, _, _ in runs), default=end)
    for began, ended, status in runs:
        spent[status] = spent.get(status, 0.0) + (ended - began).total_seconds()
    for row in answer["hours"]:
        if (first - _time(row["at"])).total_seconds() >= _HOUR:
            for status, seconds in row["seconds"].items():
                spent[status] = spent.get(status, 0.0) + seconds
    whole = (end - start).total_seconds()
    spent["no data"] = max(0.0, whole - sum(spent.values()))
    return ", ".join(f"{name} {seconds / whole:.2%}" for name, seconds in spent.items())


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _row(answer: dict[str, Any], start: datetime, end: datetime) -> dict[str, Any]:
    points = answer["points"]
    count = sum(point[4] for point in points)
    mean = sum(point[3] * point[4] for point in points) / count
    return {
        "name": answer["measurement"],
        "unit": answer["unit"],
        "min": f"{min(point[1] for point in points):.5g}",
        "mean": f"{mean:.5g}",
        "max": f"{max(point[2] for point in points):.5g}",
        "bars": bars([(p[0], p[3]) for p in points], start.timestamp(), end.timestamp()),
    }


def bars(means: list[tuple[float, float]], start: float, end: float) -> str:
    """Give a line of bars of (time, mean) over a time; blank where there is no data."""
    low, high = min(value for _, value in means), max(value for _, value in means)
    line = [" "] * _WIDTH
    for at, value in means:
        place = min(_WIDTH - 1, max(0, int((at - start) / (end - start) * _WIDTH)))
        level = (value - low) / (high - low) if high > low else 0.0
        line[place] = _BARS[round(level * (len(_BARS) - 1))]
    return "".join(line)
