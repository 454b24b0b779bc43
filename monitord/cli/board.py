"""/v1/now as the rows and the first line of a terminal. Pure; the screen shows them.

The console's page says the same from the same answer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitord.model.text import one_line

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its mark and words, and what it leads to. `style` is the colour beside the words."""

    what: str
    priority: str
    key: str
    text: str
    since: str
    by: str
    style: str = ""
    incident: int | None = None
    attempt: int | None = None


def first_line(now: Mapping[str, Any], at: datetime) -> str:
    """Give the whole in one line, as the console's."""
    asks = [one for one in now["needs"] if one["kind"] == "approve"]
    total = now["needs_total"]
    needs = f"{total or 'nothing'} {'needs' if total <= 1 else 'need'} you"
    if asks:
        plural = "s" * (len(asks) != 1)
        needs += f" ({len(asks)} approval{plural}, {until(asks[0]['by'], at)})"
    parts = [needs, f"{len(now['repairing']) or 'none'} repairing", *now["hidden"]]
    automation = "automation on"
    if now["observe"]:
        automation = "observing only"
    elif now["halted"]:
        automation = f"automation halted: {', '.join(now['halted'])}"
    parts.append(automation + "".join(f", freeze to {one['until'][:10]}" for one in now["freeze"]))
    parts.append(f"monitor fresh {ago(now['fresh'], at)}")
    parts += [
        f"on call {', '.join(one['on']) or 'nobody'}"
        + (f", then {one['next']}" if one["next"] else "")
        for one in now["on_call"][:2]
    ]
    return one_line(" · ".join(parts), 600)


def lines(now: Mapping[str, Any], at: datetime) -> Iterator[Line]:
    """Give the rows, what needs a person first."""
    for one in now["needs"]:
        by = f"{until(one['by'], at)} {one_line(one['by_what'], 80)}" if one["by"] else ""
        key, text = one_line(one["key"], 80), one_line(one["text"], 300)
        since = ago(one["since"], at)
        mark = (one["incident"], one["attempt"])
        yield Line(one["kind"].upper(), one["priority"], key, text, since, by, "bold red", *mark)
    for one in now["repairing"]:
        yield _row(one, "repairing", f"{one['runbook']}: {_doing(one)}", at, "cyan")
    for one in now["in_hand"]:
        yield _row(one, "in hand", one["summary"], at, "", one["who"])
    for one in now["waiting"]:
        yield _row(one, "waiting", one["summary"], at, "yellow", one["waiting_for"])
    for one in now["fixed"]:
        text = one_line(f"{one['runbook']}, proved after {span(one['took'])}", 300)
        key = one_line(one["key"], 80)
        yield Line("fixed", "", key, text, ago(one["at"], at), "", "green", one["incident"])
    for host in now["hosts"]:
        for bad in host["bad"]:
            word = bad["status"].lower() + (" soft" if bad["soft"] else "")
            key, text = one_line(bad["key"], 80), one_line(bad["summary"], 300)
            yield Line(word, "", key, text, "", "", _COLOURS.get(bad["status"], ""))


_COLOURS = {"CRITICAL": "red", "WARNING": "yellow", "UNKNOWN": "magenta"}


def _row(
    one: Mapping[str, Any], what: str, text: str, at: datetime, style: str, by: str = ""
) -> Line:
    return Line(
        what,
        one["priority"],
        one_line(one["key"], 80),
        one_line(text, 300),
        ago(one["first_failed"], at),
        one_line(by, 60),
        style,
        one["incident"],
    )


def _doing(one: Mapping[str, Any]) -> str:
    if one["attempt_status"] == "VERIFYING":
        return f"proving it, {one['oks']} OK"
    return f"step {one['steps']}, {one['step']['text']}" if one["step"] else "looking"


def ago(iso: str | None, at: datetime) -> str:
    """Give how long ago something was."""
    return span((at - datetime.fromisoformat(iso)).total_seconds()) if iso else ""


def until(iso: str | None, at: datetime) -> str:
    """Give how long something is off."""
    if not iso:
        return ""
    left = (datetime.fromisoformat(iso) - at).total_seconds()
    return span(left) if left > 0 else f"{span(-left)} over"


def span(seconds: float) -> str:
    """Give a length of time: `42 s`, `3 min`, `2 h 5 min`, `4 d 3 h`."""
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    hours = whole % _DAY // _HOUR
    return f"{whole // _DAY} d" + (f" {hours} h" if hours and whole < 10 * _DAY else "")
