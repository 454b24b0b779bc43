"""What a person says that bears on service levels: pauses, deadlines, corrections."""

from datetime import UTC, datetime
from typing import Any

import typer

from monitord.cli import show, source, when

_DAY = "1d"  # how long a pause lasts where nothing is said
_LIST = [
    ("CORRECTION", "id"), ("ABOUT", "about"), ("FROM", "starts"), ("TO", "ends"), ("WAS", "said"),
    ("BY", "by"), ("APPROVED BY", "approved_by"), ("REVOKED", "revoked"), ("BECAUSE", "reason"),
]  # fmt: skip


def pause(
    number: int, reason: str, ends: tuple[str | None, str | None], vendor: str, *, json: bool
) -> None:
    """Have an incident's clocks stand still."""
    for_, until = ends
    if for_ is None and until is None:
        for_ = _DAY
    expires = when.expiry(for_, until, start=datetime.now(UTC)).isoformat()
    body = {"reason": reason, "expires": expires, "vendor": vendor}
    answer = source.post(f"/v1/incidents/{number}/pause", body)
    what = f"vendor {vendor} holds it" if vendor else "its clocks stand still"
    _say(answer, f"incident {number}: {what} until {answer['until']}", json=json)


def resume(number: int, *, json: bool) -> None:
    """Have an incident's clocks go on."""
    answer = source.post(f"/v1/incidents/{number}/resume", {})
    _say(answer, f"incident {number}: its clocks go on", json=json)


def answered(number: int, vendor: str, *, json: bool) -> None:
    """Note that a vendor has answered."""
    answer = source.post(f"/v1/incidents/{number}/answered", {"vendor": vendor})
    _say(answer, f"incident {number}: its vendor has answered", json=json)


def deadline(number: int, text: str, reason: str, whose: str, *, json: bool) -> None:
    """Note by when a customer wants it."""
    if not text:
        raise typer.BadParameter('say by when: deadline "2027-01-31 18:00", or deadline none')
    at = None if text == "none" else when.moment(text, start=datetime.now(UTC)).isoformat()
    body = {"at": at, "reason": reason, "whose": whose}
    answer = source.post(f"/v1/incidents/{number}/deadline", body)
    named = f"is due {answer['deadline']}" if at else "has no deadline any more"
    _say(answer, f"incident {number} {named}", json=json)


def correct(about: str, said: dict[str, str], *, json: bool) -> None:
    """Say what a service or check really was."""
    missing = [name for name in ("from", "to", "as", "reason", "approved_by") if not said[name]]
    if not about or missing:
        raise typer.BadParameter(
            "correct SERVICE --from --to --as up|down|excluded --reason … --approved-by NAME;"
            f" left out: {', '.join(missing) or 'the service or check'}"
        )
    start = datetime.now(UTC)
    times = {name: when.moment(said[name], start=start).isoformat() for name in ("from", "to")}
    row = source.post("/v1/corrections", {**said, **times, "about": about})
    text = f"correction {row['id']}: {about} was {row['said']}, approved by {row['approved_by']}"
    _say(row, text, json=json)


def revoke(number: str, reason: str, *, json: bool) -> None:
    """Take a correction back."""
    if not number.isdigit() or not reason:
        raise typer.BadParameter("revoke NUMBER --reason …; `monitord sla corrections` lists them")
    answer = source.post(f"/v1/corrections/{number}/revoke", {"reason": reason})
    _say(answer, f"correction {number} is revoked", json=json)


def corrections(*, json: bool) -> None:
    """List the corrections."""

    def stored(view: Any) -> Any:
        from monitord.api import levels

        return levels.listed(view)

    answer = source.get("/v1/corrections", stored)
    if json:
        show.as_json(answer)
        return
    show.table(answer["corrections"], _LIST, none="nothing was corrected")


def _say(answer: Any, text: str, *, json: bool) -> None:
    show.as_json(answer) if json else show.line(text)
