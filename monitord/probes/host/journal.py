"""Reads what journal.sh told: the entries since the last look, and where the next look begins.

The position is a cursor of journald's own: it holds over rotation and vacuuming. Pure.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitord.model.kinds import HostScript, Target
from monitord.model.result import Cause, Result
from monitord.probes.host import frames

_CURSOR = re.compile(r"[A-Za-z0-9=;]{1,300}")
_NOT_ALL = ("not seeing messages", "insufficient permissions", "No journal files were opened")
_BUDGET = 400_000  # bytes of one look; what is left is read by the next one


@dataclass(frozen=True, slots=True)
class Entries:
    """The messages of one look, oldest first; `first` where it only said where the journal ends."""

    messages: tuple[str, ...]
    cursor: str
    first: bool
    more: bool


def since(target: Target) -> str:
    """Give the cursor that the last look ended at."""
    said = str(target.memory.get("", {}).get("cursor", ""))
    return said if said == "+" or _CURSOR.fullmatch(said) else ""


def ask(calls: str) -> HostScript:
    """Give the script that reads the entries that the arguments of `journal` choose."""
    return frames.script("journal", calls=calls, budget=_BUDGET)


def entries(answer: frames.Answer, target: Target, thing: str) -> Entries | Result:
    """Read the entries, or say UNKNOWN: the journal may not be read by this login."""
    complaint = answer.complaint
    if any(words in complaint for words in _NOT_ALL):
        text = (
            f"{thing}: the reading login sees only its own messages: add it to the group "
            "systemd-journal (usermod -aG systemd-journal USER)"
        )
        return Result.unknown(text, Cause.LOGIN)
    before = since(target)
    told = list(_lines(answer.said("entries")))
    newest = next((cursor for cursor, _ in _lines(answer.said("newest"))), "")
    if complaint and not told and not newest:
        return Result.unknown(f"{thing}: the journal cannot be read: {complaint}", Cause.PLUGIN)
    # While nothing comes the place stays, so that nothing need be written down.
    still = before if before not in {"", "+"} else newest or "+"
    cursor = told[-1][0] if told else still
    cut = len(answer.said("entries").encode()) >= _BUDGET
    return Entries(tuple(text for _, text in told), cursor, not before, cut)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Give cursor and message of each whole entry; what is cut off is left to the next look."""
    for line in text.splitlines():
        try:
            entry: Mapping[str, Any] = json.loads(line)
            cursor = str(entry["__CURSOR"])
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
        if _CURSOR.fullmatch(cursor):
            yield cursor, _message(entry.get("MESSAGE"))


def _message(said: Any) -> str:
    """Give a message as text; journald tells bytes that are no text as numbers."""
    if isinstance(said, str):
        return said
    if isinstance(said, Sequence) and all(isinstance(n, int) and 0 <= n < 256 for n in said):  # noqa: PLR2004 - bytes
        return bytes(said).decode("utf-8", "replace")
    return ""
