"""Rows as CSV that no spreadsheet takes for formulas. Pure.

Cells are often words of targets or of people. One that begins like a formula would be computed by
who opens the file (CWE-1236): it gets an apostrophe before it, which spreadsheets do not show.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from monitord.model.text import one_line

_BEGINS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "|", "%")
_LONGEST = 2000

Cell = str | int | float | None


def csv_of(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Give a table with its head; numbers as they are, None as an empty cell, lines end in CRLF."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def _cell(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell
    shown = one_line(cell, _LONGEST)
    return f"'{shown}" if shown.startswith(_BEGINS) else shown
