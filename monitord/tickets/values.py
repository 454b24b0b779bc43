"""What a ticket's document says, as clean text: any of it may be missing, or of another shape.

All of it is hostile data. What is said in which order is decided elsewhere.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from monitord.model.text import block, one_line

_LINE = 300  # characters of a one-line field
_HEAD, _TAIL = 1500, 2500  # characters kept of a long output: how it began, how it ended

Ticket = Mapping[str, Any]


def listed(ticket: Ticket, name: str) -> list[Ticket]:
    """Give the maps of a list; what is none is left out."""
    entries = ticket.get(name)
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return []
    return [entry for entry in entries if isinstance(entry, Mapping)]


def as_line(value: Any) -> str:
    """Give one clean line of at most 300 characters."""
    return "" if value is None else one_line(str(value), _LINE)


def as_lines(value: Any) -> list[str]:
    """Give a long text as clean lines; of a very long one the beginning and the end."""
    text = "" if value is None else str(value)
    if len(text) > _HEAD + _TAIL:
        left_out = len(text) - _HEAD - _TAIL
        text = f"{text[:_HEAD]}\n… {left_out} characters left out …\n{text[-_TAIL:]}"
    return block(text, len(text)).splitlines()


def indented(line: str) -> str:
    """Set a line in by two blanks."""
    return f"  {line}" if line else ""


def paragraph(value: Any) -> str:
    """Give a long text, set in."""
    return "\n".join(f"  {line}" for line in as_lines(value))


def as_moment(value: Any) -> str:
    """Give a time as people read it; what is no time as it stands."""
    if value is None:
        return ""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return as_line(value)
    return moment.strftime("%Y-%m-%d %H:%M:%S %Z").rstrip()
