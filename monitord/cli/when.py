"""Reading `--for` and `--until`: every order ends by itself, at a time that the person said."""

from datetime import datetime, time, timedelta

import typer


def expiry(for_: str | None, until: str | None, *, start: datetime) -> datetime:
    """Give when an order ends, as an aware time.

    `for_` counts from `start`; `until` is a time of day (the next one), a date (its first minute),
    both, or ISO 8601 with a zone; without a zone it is this machine's.

    Raises:
        typer.BadParameter: neither or both were given, or one cannot be read.
    """
    if (for_ is None) == (until is None):
        raise typer.BadParameter("say when it ends: --for 2h, or --until 18:00")
    return start + _length(for_) if for_ is not None else moment(until or "", start=start)


def moment(text: str, *, start: datetime) -> datetime:
    """Read a point in time; a bare time of day is the next after `start`.

    Raises:
        typer.BadParameter: it cannot be read.
    """
    try:
        clock = time.fromisoformat(text if ":" in text else "no")  # "2027" is not 20:27
    except ValueError:
        return _date(text)
    today = start.astimezone().date()
    found = datetime.combine(today, clock).astimezone()
    return (
        found if found > start else datetime.combine(today + timedelta(days=1), clock).astimezone()
    )


def _date(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f'{text!r} is no point in time (write 18:00, 2027-01-31 or "2027-01-31 18:00")'
        ) from None
    return found.astimezone()


def _length(text: str) -> timedelta:
    from monitord.model.spec import parse_duration

    try:
        length = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if length <= timedelta(0):
        raise typer.BadParameter(f"{text!r} is no time at all (write 30m or 2h)")
    return length
