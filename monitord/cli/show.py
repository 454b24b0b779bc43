"""How answers look on a terminal: JSON, tables, lines. What targets wrote is cleaned here.

Colours only on a terminal. It asks nothing and decides nothing.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitord.model.text import block, one_line

_COLOURS = {
    "OK": "green",
    "WARNING": "yellow",
    "CRITICAL": "bold red",
    "UNKNOWN": "magenta",
    "PENDING": "dim",
    "OPEN": "bold red",
    "REPAIRING": "cyan",
    "WAITING": "cyan",
    "ESCALATED": "bold red",
    "RESOLVED": "green",
    "CLOSED": "dim",
    "FIXED": "green",
    "FAILED": "red",
    "DONE": "green",
}
_PIPE_WIDTH = 200
_CELL = 400  # characters of one cell
_LONGEST = 1_000_000  # characters of one text, a ticket with its transcripts

Column = tuple[str, str]
"""A heading, and the name of the row's field below it."""


def as_json(value: Any) -> None:
    """Print JSON; every character that is not ASCII escaped, so that nothing can be obeyed."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=True, default=str) + "\n")


def console() -> Console:
    """Give the console: its real width on a terminal, a wide one in a pipe."""
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return Console(highlight=False, markup=False, emoji=False, width=width, soft_wrap=False)


def table(rows: Sequence[Mapping[str, Any]], columns: Iterable[Column], *, none: str) -> None:
    """Print rows as a table, or the sentence `none` where there are none."""
    if not rows:
        line(none)
        return
    columns = list(columns)
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading, _ in columns:
        shown.add_column(heading, overflow="fold")
    for row in rows:
        shown.add_row(*(_cell(row.get(field)) for _, field in columns))
    console().print(shown)


def _cell(value: Any) -> Text:
    text = one_line(_plain(value), _CELL)
    return Text(text, style=_COLOURS.get(text, ""))


def _plain(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{name} {count}" for name, count in value.items() if count)
        case list() | tuple():
            return ", ".join(str(one) for one in value)
        case _:
            return str(value)


def line(text: str, *, style: str = "", indent: int = 0) -> None:
    """Print one line."""
    console().print(Text(" " * indent + one_line(text, 10_000), style=style), soft_wrap=True)


def heading(text: str) -> None:
    """Print a heading with an empty line above it."""
    console().print()
    line(text, style="bold")


def paragraph(text: str, *, indent: int = 0) -> None:
    """Print text with its own lines."""
    for part in block(text, _LONGEST).splitlines():
        console().print(Text(" " * indent + part), soft_wrap=True)


def fields(row: Mapping[str, Any], names: Iterable[Column]) -> None:
    """Print `heading  value` lines, leaving out what is empty."""
    pairs = [(heading, _plain(row.get(name))) for heading, name in names]
    width = max((len(heading) for heading, value in pairs if value), default=0)
    for heading, value in pairs:
        if value:
            line(f"{heading:<{width}}  {value}")
