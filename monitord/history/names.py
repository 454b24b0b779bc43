"""Former names (`was:`): under which key a history was written when.

Chunks keep the key of their day. One line of JSON for each reload that renamed something, appended
and never changed; a line that is torn counts as none.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from monitord.model.ids import Instant, StateKey

FILE = "renames"
_MODE = 0o640
_EVER = Instant(2**62)


class Named(NamedTuple):
    """A key, and from when until when it stood for what is asked for."""

    key: StateKey
    start: Instant
    end: Instant


def note(folder: Path, names: Mapping[StateKey, StateKey], at: Instant) -> None:
    """Append a rename, old keys to new ones; OSError where it cannot be written."""
    line = json.dumps({"at": at, "names": names}, separators=(",", ":"))
    descriptor = os.open(
        folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _MODE
    )
    try:
        os.fchmod(descriptor, _MODE)
        os.write(descriptor, f"\n{line}\n".encode())  # a torn line before it ends here
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def of(folder: Path, key: StateKey) -> list[Named]:
    """Give the names of a key over time, oldest first."""
    found, end = [], _EVER
    for at, names in reversed(_lines(folder)):
        old = next((old for old, new in names.items() if new == key), None)
        if old is not None and at < end:
            found.append(Named(key, Instant(at), end))
            key, end = StateKey(old), Instant(at)
        elif key in names and at < end:  # what stood there before goes by another name now
            return [Named(key, Instant(at), end), *found[::-1]]
    found.append(Named(key, Instant(0), end))
    return found[::-1]


def _lines(folder: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        text = (folder / FILE).read_text(errors="replace")
    except FileNotFoundError:
        return []
    found = []
    for line in text.splitlines():
        try:
            row = json.loads(line)
            at, names = int(row["at"]), dict(row["names"])
        except (ValueError, TypeError, KeyError):
            continue
        found.append((at, names))
    return found
