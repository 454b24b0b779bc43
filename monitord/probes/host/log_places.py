"""Reads what log.sh told of files: the text that came since the last look, and where each one ends.

A place is an inode, an offset and a checksum of what stands before it: seek.sh says how a rotation
is seen. The last few places of a file are kept, since a rotated one may still grow. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitord.model.result import Cause, Status
from monitord.model.text import one_line
from monitord.probes.host.frames import Answer, number
from monitord.probes.limits import show_bytes
from monitord.probes.verdict import Finding

_PLACES = 3  # of one file: the newest and what was rotated lately
_FORGOTTEN = 86400  # seconds after which a file that is gone, and what is known of it, is forgotten
_UNREAD = "end"  # the place in a file that could not be read yet: what is in it then is old
_PLACE = re.compile(rf"[0-9]{{1,20}}\.[0-9]{{1,18}}\.[0-9]{{1,10}}|{_UNREAD}")
_KEY = re.compile(r"[0-9]{1,10}")

Place = str
"""INODE.OFFSET.PRINT, or `end`"""


@dataclass(frozen=True, slots=True)
class Gained:
    """What one look brought: texts, what to remember, and what stood in the way.

    `blind` says what could not be read (UNKNOWN with `cause` where nothing worse was found).
    `behind` is in bytes.
    """

    texts: tuple[str, ...]
    memory: Mapping[str, Any]
    good: str
    finding: Finding | None = None
    blind: str = ""
    cause: Cause = Cause.MISSING
    behind: int = 0


def since(memory: Mapping[str, Any]) -> str:
    """Give the places as log.sh takes them; empty at the first look."""
    if "files" not in memory:
        return ""
    told = (f",{key}.{place}" for key, (_, *places) in _known(memory).items() for place in places)
    return "+" + "".join(told)


def _known(memory: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Give what is remembered, by file: when it was last there, then its places."""
    files = memory.get("files")
    return {
        key: [float(seen), *(place for place in places if _PLACE.fullmatch(place))]
        for key, (seen, *places) in (files.items() if isinstance(files, Mapping) else ())
        if _KEY.fullmatch(key)
    }


def gained(answer: Answer, memory: Mapping[str, Any], absent: str) -> Gained:
    """Give what the files gained. `absent` says what a file is that is not there."""
    names = {key: name for key, _, name in _rest(answer, "file")}
    places, behind = _places(answer)
    before = _known(memory)
    first = "files" not in memory
    count = len(places)
    good = f"{count} {'file' if count == 1 else 'files'}, " + (
        "read from now on" if first else "nothing bad"
    )
    texts = tuple(frame.body.removesuffix("\n") for frame in answer.of("text"))
    missing = [frame.rest for frame in answer.of("absent")]
    finding = _lost(answer, before, names)
    if missing and absent == "critical":
        finding = (Status.CRITICAL, f"{_listed(missing)}: there is no such file")
    blind, cause = _blind(answer, missing if absent == "unknown" else [])
    unread = {key: [_UNREAD] for key, _, _ in _rest(answer, "denied") if key not in before}
    files = _kept(before, {**unread, **places}, answer.now)
    return Gained(texts, {"files": files}, good, finding, blind, cause, behind)


def _rest(answer: Answer, word: str) -> list[tuple[str, str, str]]:
    return [frame.rest.partition(" ") for frame in answer.of(word)]


def _places(answer: Answer) -> tuple[dict[str, list[Place]], int]:
    """Give the places by file, the newest last, and how many bytes behind them were left."""
    found: dict[str, list[Place]] = {}
    behind = 0
    for key, _, rest in _rest(answer, "at"):
        inode, offset, printed, left, *_ = [*rest.split(" "), "", "", "", ""]
        place = f"{inode}.{offset}.{printed}"
        if _KEY.fullmatch(key) and _PLACE.fullmatch(place):
            found.setdefault(key, []).append(place)
            behind += number(left)
    return found, behind


def _kept(
    before: Mapping[str, list[Any]], places: Mapping[str, list[Place]], now: int
) -> dict[str, list[Any]]:
    """Give what to remember: also of a file that is not there just now, for a day."""
    kept = {key: told for key, told in before.items() if now - told[0] < _FORGOTTEN}
    for key, told in places.items():
        if _KEY.fullmatch(key):
            kept[key] = [_day(now), *told[-_PLACES:]]
    return kept


def _day(now: int) -> int:
    """Round, so that a file that stands still is not written anew at each look."""
    return now - now % 3600


def _lost(
    answer: Answer, before: Mapping[str, list[Any]], names: Mapping[str, str]
) -> Finding | None:
    """Tell of a file whose newest place is nowhere: what came behind it was not read."""
    for key, _, rest in _rest(answer, "lost"):
        inode, _, offset = rest.partition(" ")
        newest = str(before[key][-1]) if key in before else ""
        if newest.startswith(f"{inode}.{offset}."):
            name = one_line(names.get(key, ""), 100)
            text = (
                f"{name} was rotated, and what it held behind {show_bytes(number(offset))} is gone "
                "or packed: lines may be missing (logrotate: delaycompress)"
            )
            return Status.WARNING, text
    return None


def _blind(answer: Answer, missing: list[str]) -> tuple[str, Cause]:
    denied = [name for _, _, name in _rest(answer, "denied")]
    many = [frame.rest for frame in answer.of("many")]
    if denied:
        text = f"{_listed(denied)}: the reading login may not read it (usermod -aG adm USER)"
        return text, Cause.LOGIN
    if missing:
        return f"{_listed(missing)}: there is no such file", Cause.MISSING
    if many:
        return "more than 50 files: write narrower patterns", Cause.MISSING
    return "", Cause.MISSING


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return one_line(names[0], 100) + more
