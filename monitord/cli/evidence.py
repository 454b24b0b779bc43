"""The command `evidence`: for an auditor, a folder of who could and did what in a span of time.

All of it is the core's; this command sorts it into tables and notes the hash of each file.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer

from monitord.cli.app import Json, command
from monitord.errors import MonitordError

_GROUPS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "access": frozenset({"login", "user", "token", "lock-out"}),
        "approvals": frozenset({"approve", "void", "wrong", "promote", "correct", "revoke"}),
        "configuration": frozenset({"start", "reload", "promote", "demote", "forget"}),
        "automation": frozenset({"plan", "ask", "act", "undo", "escalate"}),
    }
)
"""Which acts of the audit chain stand in which table; everything.csv has them all."""

_LINK = ("id", "at", "actor", "act", "subject", "detail", "digest")
_USER = ("name", "role", "created", "created_by", "password", "disabled", "disabled_by")
_HELD = ("credential", "kind", "user", "role", "about", "created", "created_by", "seen", "expires")
_DRILL = ("key", "status", "summary")
_COMMIT = ("commit", "at", "author", "subject")
_WAIT = 20.0  # seconds for git


@command("evidence")
def evidence(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder that is not there yet, or empty.")
    ],
    *,
    start: Annotated[str, typer.Option("--from", help="2027-01-01, or with a time of day.")],
    end: Annotated[str, typer.Option("--to", help="The same; a date is that whole day.")],
    json: Json = False,
) -> None:
    """Write what an auditor asks for: access, approvals, changes of the configuration, drills.

    Tables of the audit chain for that time, and who may log in, what drills proved and whether the
    chain holds as of now; manifest.json has the SHA-256 of each file.
    """
    from monitord.cli import show

    first, last = _moment(start), _moment(end)
    if "T" not in end and " " not in end and ":" not in end:
        last += timedelta(days=1)
    if first >= last:
        raise MonitordError(f"--from {start} does not lie before --to {end}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise MonitordError(f"{folder} is not empty; name a folder that is not there yet")
    files = _gathered(first, last)
    manifest = _manifest(files, first, last)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, text in {**files, "manifest.json": manifest}.items():
        (folder / name).write_bytes(text)
    answer = {"folder": str(folder), "files": sorted(files), "manifest": _sha256(manifest)}
    if json:
        show.as_json(answer)
    else:
        show.line(f"{len(files)} files in {folder}")
        show.line(f"SHA-256 of manifest.json: {answer['manifest']}")


def _moment(text: str) -> datetime:
    from monitord.cli.when import moment

    return moment(text, start=datetime.now(UTC)).astimezone(UTC)


def _gathered(first: datetime, last: datetime) -> dict[str, bytes]:
    """Give the files, by name."""
    from monitord.cli import source

    chain = source.get("/v1/audit/verify")
    links = [
        row for row in source.pages("audit") if first <= datetime.fromisoformat(row["at"]) < last
    ]
    files = {"everything.json": _json(links), "everything.csv": _csv(_LINK, links)}
    for name, acts in _GROUPS.items():
        files[f"{name}.csv"] = _csv(_LINK, [row for row in links if row["act"] in acts])
    commits = _commits(first, last)
    if commits is not None:
        files["commits.csv"] = _csv(_COMMIT, commits)
    files["users.csv"] = _csv(_USER, source.get("/v1/users")["users"])
    files["credentials.csv"] = _csv(_HELD, source.get("/v1/credentials")["credentials"])
    drills = [row for row in source.pages("checks") if row.get("kind") == "drill"]
    files["drills.csv"] = _csv(_DRILL, drills)
    files["chain.json"] = _json(chain)
    return files


def _commits(first: datetime, last: datetime) -> list[dict[str, str]] | None:
    """Give the commits of the folder of the configuration; None where git keeps none of it."""
    import subprocess

    from monitord.cli import places

    written = [f"--since={first.isoformat()}", f"--until={last.isoformat()}"]
    try:
        argv = ["git", "-C", str(places.config().parent), "log", *written]
        argv += ["--format=%H%x1f%cI%x1f%an%x1f%s", "--", "."]
        done = subprocess.run(argv, capture_output=True, timeout=_WAIT, check=True)
    except (places.NowhereError, OSError, subprocess.SubprocessError):
        return None
    lines = done.stdout.decode(errors="replace").split("\n")
    return [dict(zip(_COMMIT, line.split("\x1f"), strict=False)) for line in lines if line]


def _manifest(files: Mapping[str, bytes], first: datetime, last: datetime) -> bytes:
    from monitord import __version__

    return _json(
        {
            "from": first.isoformat(),
            "until": last.isoformat(),
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "monitord": __version__,
            "as_of_now": ["users.csv", "credentials.csv", "drills.csv", "chain.json"],
            "files": {
                name: {"sha256": _sha256(text), "bytes": len(text)} for name, text in files.items()
            },
        }
    )


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    from monitord.model.table import csv_of

    return csv_of(columns, [[row.get(name) for name in columns] for row in rows]).encode()


def _json(value: Any) -> bytes:
    from json import dumps

    return (dumps(value, indent=1) + "\n").encode()


def _sha256(text: bytes) -> str:
    from hashlib import sha256

    return sha256(text).hexdigest()
