"""What was told of passive checks, on its way to the core: its JSON, and the spool on disk.

It trusts nothing that it reads back: every field is looked at again, lengths included. Files lie
in the spool of the job pings, under an ending of their own.
"""

import contextlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from monitord.inbound import MOST
from monitord.model.ids import Instant
from monitord.model.inbound import Told
from monitord.model.result import Status
from monitord.model.text import block, one_line
from monitord.pings import keep

LONGEST = 900 * 1024
"""Bytes of one piece on its way: what the control socket takes."""

_ENDING = "told"
_AT_ONCE = 100  # files that one beat takes
_LONGEST_NAME, _LONGEST_SUMMARY, _LONGEST_DETAILS, _MOST_CHECKS = 200, 500, 4096, 20


def pieces(source: str, reports: Sequence[Told]) -> Iterator[dict[str, Any]]:
    """Give the bodies in which reports travel: one, or few where they are too long for one."""
    piece: list[dict[str, Any]] = []
    size = 0
    for report in reports:
        fields = asdict(report)
        length = len(json.dumps(fields))
        if piece and size + length > LONGEST - 4096:
            yield {"source": source, "reports": piece}
            piece, size = [], 0
        piece.append(fields)
        size += length + 2
    if piece:
        yield {"source": source, "reports": piece}


def spool(folder: Path, body: Mapping[str, Any], at: Instant) -> None:
    """Keep a piece until the core is back; it is on the disk when this returns.

    Raises:
        SpoolError: the folder is missing, full, or not ours to write.
    """
    keep(folder, at, json.dumps(body, ensure_ascii=True), _ENDING)


def waiting(folder: Path, *, now: Instant) -> Iterator[tuple[Path, str, list[Told]]]:
    """Give what waits, oldest first; the caller removes a file once its reports are stored.

    A file that holds no reports is renamed to `*.bad`, so that it is met once.
    """
    if not folder.is_dir():
        return
    for path in sorted(folder.glob(f"[0-9]*.{_ENDING}"))[:_AT_ONCE]:
        try:
            source, reports = _read(path, now)
        except (OSError, ValueError):
            # Where it cannot be renamed (gone, or a foreign folder) it is simply met again.
            with contextlib.suppress(OSError):
                path.rename(path.with_suffix(".bad"))
            continue
        yield path, source, reports


def _read(path: Path, now: Instant) -> tuple[str, list[Told]]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LONGEST:
            raise ValueError(f"{path} holds no reports")
        body = json.loads(file.read(LONGEST))
    if not isinstance(body, dict) or not isinstance(body.get("source"), str):
        raise ValueError(f"{path} holds no reports")  # noqa: TRY004 - one error type for a bad file
    return body["source"], checked(body.get("reports"), now=now)


def checked(reports: object, *, now: Instant) -> list[Told]:
    """Make reports of JSON from outside.

    Raises:
        ValueError: a field has the wrong type or value; the text names it.
    """
    if not isinstance(reports, list) or len(reports) > MOST:
        raise ValueError(f"reports: not a list of at most {MOST}")
    return [_told(fields, now) for fields in reports]


def _told(fields: object, now: Instant) -> Told:
    if not isinstance(fields, dict):
        raise ValueError("reports: not maps")  # noqa: TRY004 - one error type for a bad report
    checks, status, at = fields.get("checks"), fields.get("status"), fields.get("at")
    if not isinstance(checks, list) or len(checks) > _MOST_CHECKS:
        raise ValueError("checks: not a list of names")
    if isinstance(status, bool) or status not in tuple(Status)[:4]:
        raise ValueError(f"status: {status!r} is not 0 to 3")
    if not isinstance(at, int) or isinstance(at, bool) or at < 0:
        raise ValueError(f"at: {at!r} is not µs since the epoch")
    details = fields.get("details", "")
    return Told(
        host=_text(fields, "host", _LONGEST_NAME),
        checks=tuple(_texts(checks)),
        status=Status(int(str(status))),
        summary=_text(fields, "summary", _LONGEST_SUMMARY),
        at=Instant(min(at, now)),  # one from the future would hide the true ones after it
        item=_text(fields, "item", _LONGEST_NAME),
        details=block(details, _LONGEST_DETAILS) if isinstance(details, str) else "",
        alert=_text(fields, "alert", _LONGEST_NAME),
        began=_began(fields.get("began")),
    )


def _began(value: object) -> Instant | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 62:
        raise ValueError(f"began: {value!r} is not µs since the epoch")
    return Instant(value)


def _text(fields: Mapping[str, object], name: str, longest: int) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{name}: not a text")  # noqa: TRY004 - one error type for a bad report
    return one_line(value, longest)


def _texts(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        if not isinstance(value, str):
            raise ValueError("checks: not texts")  # noqa: TRY004 - one error type
        yield one_line(value, _LONGEST_NAME)
