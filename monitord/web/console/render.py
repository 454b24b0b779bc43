"""The templates' environment: everything escaped, times as the reader's, words for statuses.

What targets say reaches a page only through `text`, which shows what cannot be seen and cuts what
is endless.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from monitord.model.text import block, one_line

FOLDER = Path(__file__).parents[1]

_LONGEST = 2000
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_STAMP = re.compile(r"\b(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ)")


def environment() -> Environment:
    """Make the environment."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.filters.update(
        text=text,
        lines=lines,
        when=when,
        ago=ago,
        until=until,
        badge=badge,
        span=span,
        tojs=tojs,
        told=told,
        lasted=lasted,
    )
    made.filters["urlencode"] = in_address
    return made


def in_address(value: object) -> str:
    """Give a part of an address; Jinja's own fails on what no encoding has."""
    return quote(str(value), safe="/", errors="replace")


def _shown(value: object) -> object:
    """Let nothing unseen onto a page, not even into an attribute; the template escapes it."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return block(value, len(value))


def text(value: object, longest: int = _LONGEST) -> str:
    """Give one line of what somebody else said; the template escapes it."""
    return one_line(str(value), longest)


def lines(value: object) -> str:
    """Give several lines of what somebody else said; the template escapes it."""
    return block(str(value))


def told(value: object, longest: int = _LONGEST) -> Markup:
    """Give one line of our own with the points in time that it names as the reader's."""
    pieces = _STAMP.split(text(value, longest))  # every second one is a point in time
    return Markup("").join(_moment(one) if at % 2 else one for at, one in enumerate(pieces))


def when(iso: str | None) -> Markup:
    """Show a point in time; the page's script writes it in the reader's zone."""
    return _time(iso, "at", _utc(iso)) if iso else Markup("–")


def ago(iso: str | None) -> Markup:
    """Show how long ago something was; the page's script keeps it true."""
    if not iso:
        return Markup("–")
    passed = (datetime.now(UTC) - _read(iso)).total_seconds()
    return _time(iso, "ago", span(passed))


def lasted(start: str, end: str) -> str:
    """Give how long something was."""
    return span((_read(end) - _read(start)).total_seconds())


def until(iso: str | None) -> Markup:
    """Show how long something is off; the page's script keeps it true."""
    if not iso:
        return Markup("–")
    left = (_read(iso) - datetime.now(UTC)).total_seconds()
    return _time(iso, "until", span(left) if left > 0 else f"{span(-left)} over")


def span(seconds: float) -> str:
    """Give a length of time in its two largest units: `3 min 20 s`, `2 h 5 min`, `4 d 3 h`."""
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{max(whole, 0)} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min" + (f" {whole % _MINUTE} s" if whole < 10 * _MINUTE else "")
    if whole < _DAY:
        minutes = whole % _HOUR // _MINUTE
        return f"{whole // _HOUR} h" + (f" {minutes} min" if minutes else "")
    hours = whole % _DAY // _HOUR
    return f"{whole // _DAY} d" + (f" {hours} h" if hours and whole < 10 * _DAY else "")


_SIGNS = {"OK": "✓", "WARNING": "!", "CRITICAL": "✕", "UNKNOWN": "?", "PENDING": "…"}
_SIGNS |= {"UP": "✓", "DEGRADED": "!", "DOWN": "✕"}


def badge(status: str) -> Markup:
    """Show a status by sign, word and colour: never by colour alone."""
    sign, status = _SIGNS.get(status, ""), one_line(status, 40)
    return Markup('<span class="st st-{}"><i aria-hidden="true">{}</i> {}</span>').format(
        status.lower(), sign, status
    )


def tojs(value: object) -> Markup:
    """Give JSON for a data attribute."""
    return escape(json.dumps(value))


def _moment(stamp: str) -> str:
    try:
        return when(stamp)
    except ValueError:
        return stamp  # the 31st of November


def _time(iso: str, kind: str, shown: str) -> Markup:
    return Markup('<time datetime="{}" data-t="{}" title="{}">{}</time>').format(
        iso, kind, _utc(iso), shown
    )


def _utc(iso: str | None) -> str:
    return _read(iso).strftime("%Y-%m-%d %H:%M:%S UTC") if iso else ""


def _read(iso: str) -> datetime:
    return datetime.fromisoformat(iso).astimezone(UTC)
