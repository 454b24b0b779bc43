"""The route that shows a history: chart, state runs, hours. It reads files, not the engine's rows.

A question costs some milliseconds of a thread and none of the event loop.
"""

import asyncio
import difflib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from monitord.api.access import Right
from monitord.api.bodies import BadBodyError
from monitord.api.routes import Asked, Route
from monitord.clock import after, as_instant
from monitord.decisions.ticket_document import iso
from monitord.errors import NotFoundError
from monitord.history import HISTORY as FOLDER
from monitord.history import Reader, Run
from monitord.model.ids import Instant, StateKey

SPAN = timedelta(days=1)
"""What is shown unless told otherwise."""

POINTS = 300
_MOST_POINTS = 5000


async def history(asked: Asked) -> Any:
    """GET /v1/history/{key}: `measurement`, `from`, `to`, `points`."""
    engine, wanted = asked.engine, asked.request.query_params
    key = StateKey(asked.request.path_params["key"])
    now = engine.now()
    end = _moment("to", wanted.get("to"), now)
    start = _moment("from", wanted.get("from"), after(end, -SPAN))
    if end <= start:
        raise BadBodyError("from: it is not before to; write from=2027-01-30T18:00:00Z")
    points, measurement = _points(wanted.get("points")), wanted.get("measurement", "")
    reader = Reader(Path(engine.catalog.settings.state) / FOLDER)
    keys = {str(state.key) for state in engine.states()} | set(engine.catalog.checks)
    return await asyncio.to_thread(
        document, reader, key, measurement, start, end, points, known=keys
    )


def document(
    reader: Reader,
    key: StateKey,
    measurement: str,
    start: Instant,
    end: Instant,
    points: int,
    *,
    known: set[str],
) -> dict[str, Any]:
    """Give a history as JSON; without a measurement the first one that there is.

    Raises:
        NotFoundError: neither a check of `known` has the key nor anything in the history, or it
            has no such measurement.
    """
    runs, hours = reader.states(key, start, end), reader.hours(key, start, end)
    units = {one.name: one.unit for one in reader.measurements(key)}
    if not (units or runs or hours):
        _must_be_of(key, known)
    shown = _chosen(key, measurement, units)
    chart = reader.series(key, shown, start, end, points) if shown else []
    return {
        "key": key,
        "from": iso(start),
        "to": iso(end),
        "measurements": [{"name": name, "unit": unit} for name, unit in units.items()],
        "measurement": shown,
        "unit": units.get(shown, ""),
        "points": [[p.at / 1e6, p.min, p.max, p.mean, p.samples] for p in chart],
        "states": [_run(run) for run in runs],
        "hours": [
            {"at": iso(at), "seconds": {status.name: spent for status, spent in row.items()}}
            for at, row in hours
        ],
    }


def _must_be_of(key: StateKey, known: set[str]) -> None:
    if key not in known:
        nearest = difflib.get_close_matches(key, known, 1, 0.0)
        hint = f"; the nearest is {nearest[0]}" if nearest else ""
        raise NotFoundError(f"nothing is known of {key!r}{hint}")


def _chosen(key: StateKey, measurement: str, units: Mapping[str, str]) -> str:
    if measurement and measurement not in units:
        names = ", ".join(units) or "none"
        raise NotFoundError(f"{key} has no measurement {measurement!r}; it has {names}")
    return measurement or next(iter(units), "")


def _run(run: Run) -> dict[str, Any]:
    return {
        "from": iso(run.start),
        "to": iso(run.end),
        "status": run.status.name,
        "attempt": run.attempt or None,
        "summary": run.summary,
    }


def _moment(name: str, text: str | None, otherwise: Instant) -> Instant:
    if not text:
        return otherwise
    try:
        return as_instant(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise BadBodyError(
            f"{name}={text}: no point in time with a zone; write {name}=2027-01-31T18:00:00Z"
        ) from None


def _points(text: str | None) -> int:
    if text is None:
        return POINTS
    if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= _MOST_POINTS:
        return int(text[:6])
    raise BadBodyError(
        f"points={text}: not a number from 1 to {_MOST_POINTS}; write points={POINTS}"
    )


HISTORY = (
    Route(
        "GET",
        "/v1/history/{key:path}",
        Right.READ,
        history,
        "charts and state runs; `measurement`, `from`, `to`, `points`",
        query=("measurement", "from", "to", "points"),
    ),
)
