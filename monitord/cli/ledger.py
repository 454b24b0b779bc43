"""The command `ledger`: what the runbooks are worth, by what was measured."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from monitord.cli.app import Json, command

_PERCENT = 100


@command("ledger")
def ledger(
    *,
    runbook: Annotated[str, typer.Option("--runbook", help="Only this runbook.")] = "",
    check: Annotated[str, typer.Option("--check", help="Only checks of this name.")] = "",
    host: Annotated[str, typer.Option("--host", help="Only this host.")] = "",
    since: Annotated[
        str, typer.Option("--since", help="From when on: 30d, 2027-01-31; left out: 30d.")
    ] = "30d",
    json: Json = False,
) -> None:
    """Tell what the runbooks are worth.

    Per runbook, check and host: attempts, verified success with its interval, time to repair,
    recurrence within 24 h, refusals by guard, attempts that a person called wrong.
    """
    from monitord.cli import show, source
    from monitord.clock import as_instant

    start = start_of(since)

    def stored(view: Any) -> Any:
        from monitord.api import ledger as ledgers
        from monitord.decisions.ledger import Only

        return ledgers.document(view, Only(runbook, check, host, as_instant(start)))

    only = {"runbook": runbook, "check": check, "host": host}
    answer = source.get("/v1/ledger", stored, since=start.isoformat(), **only)
    if json:
        show.as_json(answer)
        return
    for name in ("runbook", "check", "host"):
        show.heading(f"{name}s")
        rows = [_row(line) for line in answer[f"{name}s"]]
        columns = [(name.upper(), "name"), *_COLUMNS]
        show.table(rows, columns, none="nothing was tried or refused in that time")
    standing = [one for one in answer.get("standing", ()) if runbook in ("", one["runbook"])]
    if standing:
        show.heading("trust")
        show.table(standing, _TRUST, none="")


_COLUMNS = [
    ("TRIED", "attempts"),
    ("VERIFIED", "verified"),
    ("SUCCESS", "rate"),
    ("95 % BETWEEN", "interval"),
    ("P50", "p50"),
    ("P95", "p95"),
    ("AGAIN IN 24H", "recurred"),
    ("WRONG", "wrong"),
    ("SHADOW", "shadow"),
    ("REFUSED", "refused"),
]


_TRUST = [
    ("RUNBOOK", "runbook"),
    ("MODE", "mode"),
    ("NEXT", "next"),
    ("NOT YET, BECAUSE", "why_not"),
    ("CIRCUIT BREAKER OPEN", "broken"),
]


def start_of(text: str) -> datetime:
    """Read `--since`: how long ago (8h), or a point in time."""
    from monitord.cli import when
    from monitord.model.spec import parse_duration

    now = datetime.now(UTC)
    try:
        return now - parse_duration(text)
    except ValueError:
        pass  # it may be a date
    try:
        return when.moment(text, start=now)
    except typer.BadParameter:
        raise typer.BadParameter(
            f"--since: {text!r} is neither a length nor a date (write 30d, 12h or 2027-01-31)"
        ) from None


def _row(line: dict[str, Any]) -> dict[str, Any]:
    tried, shadowed = line["attempts"], line["shadowed"]
    return {
        **line,
        "rate": _percent(line["success"]),
        "interval": f"{_percent(line['low'])}-{_percent(line['high'])}" if tried else "",
        "p50": _seconds(line["repair_p50"]),
        "p95": _seconds(line["repair_p95"]),
        "shadow": f"{shadowed} ({line['alone']} healed alone)" if shadowed else "",
    }


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share * _PERCENT:.0f}%"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}s"
