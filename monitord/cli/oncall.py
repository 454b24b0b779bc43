"""`monitord oncall …`: who is on call; overrides, swaps, taken shifts; calendars out and in.

The core does it, in the name that the socket's peer has. Nothing is asked before: what it says
afterwards names the change, and `oncall end` takes it back.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from monitord.cli.app import For, Json, Reason, Until, app, command

SHOW = "show"
_GAP_DAYS = 28


class ShowsByDefault(TyperGroup):
    """A group in which `show` may be left out: `monitord oncall linux`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `show` before what is no command of the group."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = [SHOW, *args]
        return super().parse_args(ctx, args)


shifts = typer.Typer(
    cls=ShowsByDefault,
    rich_markup_mode=None,
    help="Who is on call; who stands in, swaps, takes over.",
)
app.add_typer(shifts, name="oncall")

Rotation = Annotated[str, typer.Argument(help="The rotation.")]
Person = Annotated[str, typer.Argument(help="The person, by the name in people:.")]
Number = Annotated[int, typer.Argument(min=1, help="The number of the change.")]
From = Annotated[str | None, typer.Option("--from", help="When it starts; left out: now.")]


@command(SHOW, shifts)
def show_(
    rotation: Annotated[str, typer.Argument(help="Only this rotation.")] = "",
    *,
    at: Annotated[
        str | None, typer.Option("--at", help="Who is on call then; left out: now.")
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=400, help="How far; left out: 7, gaps 28.")
    ] = None,
    gaps: Annotated[
        bool,
        typer.Option("--gaps", help="Only when nobody is; exits 1 where there is such a time."),
    ] = False,
    ics: Annotated[
        bool, typer.Option("--ics", help="The rotation's shifts as iCalendar, 90 days of them.")
    ] = False,
    json: Json = False,
) -> int:
    """Tell who is on call, and whose shifts come.

    `monitord oncall` is the same; `oncall linux --days 28` is one rotation's plan.
    """
    from monitord.cli import show, source

    if ics:
        return _calendar(rotation, days, json=json)
    moment = _moment(at) if at else datetime.now(UTC)
    far = days or (_GAP_DAYS if gaps else 7)

    def stored(view: Any) -> Any:
        return _stored(view, rotation, moment, far)

    answer = source.get("/v1/oncall", stored, rotation=rotation, at=moment.isoformat(), days=far)
    found = [one for one in answer["rotations"] if one["gaps"]]
    if json:
        show.as_json(answer)
    elif gaps:
        _print_gaps(answer["rotations"])
    else:
        _print(answer)
    return 1 if gaps and found else 0


def _stored(view: Any, rotation: str, moment: datetime, days: int) -> Any:
    from datetime import timedelta

    from monitord.api import oncall
    from monitord.cli.look import catalog_here
    from monitord.cli.places import NowhereError
    from monitord.clock import as_instant

    catalog = catalog_here()
    if catalog is None:
        raise NowhereError(
            "rotations stand in the configuration, which cannot be read here; name it with"
            " --config FILE"
        )
    until = as_instant(moment + timedelta(days=days))
    return oncall.document(view, catalog, rotation, as_instant(moment), until)


def _calendar(rotation: str, days: int | None, *, json: bool) -> int:
    from monitord.cli import show, source

    if not rotation:
        raise typer.BadParameter("say which rotation: monitord oncall linux --ics")
    answer = source.get("/v1/oncall/ics", rotation=rotation, days=days or 90)
    show.as_json(answer) if json else typer.echo(answer["ics"], nl=False)
    return 0


_SHIFTS = [
    ("PERSON", "person"),
    ("FROM", "starts"),
    ("UNTIL", "ends"),
    ("LAYER", "layer"),
    ("CHANGE", "change"),
    ("BESIDE", "beside"),
]
_CHANGES = [
    ("CHANGE", "change"),
    ("KIND", "kind"),
    ("PERSON", "person"),
    ("INSTEAD OF", "instead"),
    ("FROM", "starts"),
    ("UNTIL", "ends"),
    ("BY", "by"),
    ("AGREED", "agreed_by"),
    ("COUNTS", "counts"),
    ("REASON", "reason"),
]


def _print(answer: dict[str, Any]) -> None:
    from monitord.cli import show

    if not answer["rotations"]:
        show.line("no rotation is configured")
    for one in answer["rotations"]:
        zone = one["timezone"]
        on = ", ".join(one["on"]) or "NOBODY"
        show.heading(f"{one['rotation']}: {on} ({_local(answer['at'], zone)}, {zone})")
        show.table([_here(shift, zone) for shift in one["shifts"]], _SHIFTS, none="no shift")
        for gap in one["gaps"]:
            show.line(f"! {_gap(gap, zone)}", style="yellow")
        if one["changes"]:
            show.table([_here(change, zone) for change in one["changes"]], _CHANGES, none="")


def _print_gaps(rotations: list[dict[str, Any]]) -> None:
    from monitord.cli import show

    for one in rotations:
        for gap in one["gaps"]:
            show.line(f"{one['rotation']}: {_gap(gap, one['timezone'])} ({one['place']})")
    if not any(one["gaps"] for one in rotations):
        show.line("somebody is on call at every time that is to be covered")


def _gap(gap: dict[str, Any], zone: str) -> str:
    starts, ends = _local(gap["starts"], zone), _local(gap["ends"], zone)
    return f"nobody is on call from {starts} to {ends} ({zone})"


def _here(row: dict[str, Any], zone: str) -> dict[str, Any]:
    return {**row, "starts": _local(row["starts"], zone), "ends": _local(row["ends"], zone)}


def _local(text: str, zone: str) -> str:
    """Give a time of the API on the wall clock of a rotation."""
    from zoneinfo import ZoneInfo

    return f"{datetime.fromisoformat(text).astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M}"


def _moment(text: str) -> datetime:
    from monitord.cli import when

    return when.moment(text, start=datetime.now(UTC))


def _span(from_: str | None, for_: str | None, until: str | None) -> dict[str, str]:
    from monitord.cli import when

    starts = _moment(from_) if from_ else datetime.now(UTC)
    ends = when.expiry(for_, until, start=starts)
    return {"starts": starts.isoformat(), "ends": ends.isoformat()}


def _post(route: str, body: dict[str, Any], *, json: bool) -> None:
    """Have a change made, and say what stands now."""
    from monitord.cli import show, source

    answer = source.post(f"/v1/oncall/{route}", body)
    if json:
        show.as_json(answer)
        return
    show.table(answer["changes"], _CHANGES, none="nothing was changed")
    first = answer["changes"][0] if answer["changes"] else {}
    if first.get("ended"):
        show.line("it is over")
    elif first and not first["counts"]:
        show.line(f"it counts once the other agrees: monitord oncall agree {first['change']}")
    elif first:
        show.line(f"taken back with: monitord oncall end {first['change']}")


@command("override", shifts)
def override(
    rotation: Rotation,
    person: Person,
    *,
    reason: Reason,
    from_: From = None,
    for_: For = None,
    until: Until = None,
    instead: Annotated[
        str, typer.Option("--instead", help="Only where this person would be on call.")
    ] = "",
    beside: Annotated[
        bool, typer.Option("--beside", help="Along with whoever is on call.")
    ] = False,
    json: Json = False,
) -> None:
    """Put somebody on call for a time, whatever the rotation says."""
    body = {"rotation": rotation, "person": person, "reason": reason, "instead": instead}
    _post("override", {**body, "beside": beside, **_span(from_, for_, until)}, json=json)


@command("swap", shifts)
def swap(
    rotation: Rotation,
    person: Person,
    *,
    reason: Reason,
    from_: From = None,
    for_: For = None,
    until: Until = None,
    json: Json = False,
) -> None:
    """Propose to exchange all your shifts and theirs in a span of time.

    It counts once they have agreed, in their own name: `monitord oncall agree N`.
    """
    body = {"rotation": rotation, "person": person, "reason": reason}
    _post("swap", {**body, **_span(from_, for_, until)}, json=json)


@command("agree", shifts)
def agree(number: Number, *, json: Json = False) -> None:
    """Say yes to a swap that somebody proposed to you."""
    _post(f"{number}/agree", {}, json=json)


@command("take", shifts)
def take(
    rotation: Rotation,
    *,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; it is kept.")] = "",
    for_: For = None,
    until: Until = None,
    json: Json = False,
) -> None:
    """Take the shift that is on, now, until it ends (or as long as you say)."""
    body: dict[str, Any] = {"rotation": rotation, "reason": reason}
    if for_ or until:
        body["ends"] = _span(None, for_, until)["ends"]
    _post("take", body, json=json)


@command("end", shifts)
def end(number: Number, *, json: Json = False) -> None:
    """End a change before its time, or say no to a swap."""
    _post(f"{number}/end", {}, json=json)


@command("import", shifts)
def import_(
    rotation: Rotation,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="An iCalendar (.ics) file.")
    ],
    *,
    reason: Reason,
    json: Json = False,
) -> None:
    """Take the events of a calendar as overrides, all of them or none; a SUMMARY is a person."""
    from monitord.api.ics import LONGEST
    from monitord.errors import MonitordError

    with file.open("rb") as opened:
        content = opened.read(LONGEST * 4 + 1)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise MonitordError(f"{file}: is not UTF-8 text (byte {error.start})") from None
    _post("import", {"rotation": rotation, "ics": text, "reason": reason}, json=json)
