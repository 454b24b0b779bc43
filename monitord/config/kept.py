"""The last good answer of each inventory source: files in the state folder, read with the YAML.

`inventory/NAME.json` holds hosts, one a line, and changes only when they do; `inventory/NAME.asked`
holds when it was asked, the answer's hash, and what was wrong. It asks no source.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitord.errors import MonitordError
from monitord.model.ids import Instant
from monitord.model.inventory import Inventory, Row
from monitord.model.text import one_line

FOLDER = "inventory"
_SYSTEM_FOLDER = "/etc/monitord"
_SYSTEM_STATE = "/var/lib/monitord"
_LOCAL_STATE = "var"
_LONGEST = 300
Host = dict[str, Any]


def state_folder(written: str, main: str, folder: str) -> str:
    """Give the state folder: as `state:` says, else by where the main file `main` is."""
    if not written and str(Path(main).parent) == _SYSTEM_FOLDER:
        return _SYSTEM_STATE
    return os.path.normpath(Path(folder) / (written or _LOCAL_STATE))


@dataclass(frozen=True, slots=True)
class Asked:
    """When a source was asked last (µs), the hash of its last good answer, and what was wrong."""

    at: Instant
    hash: str = ""
    problem: str = ""


def answer_file(state: str, name: str) -> Path:
    """Give the file of a source's kept answer."""
    return Path(state) / FOLDER / f"{name}.json"


def asked(source: Inventory) -> Asked | None:
    """Give when it was asked last; None: never, or nobody can read it."""
    try:
        data = json.loads(_asked_file(source).read_text(encoding="utf-8"))
        return Asked(Instant(int(data["at"])), str(data["hash"]), str(data["problem"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def hosts(source: Inventory) -> dict[str, Host]:
    """Give the kept hosts by name; none where nothing is kept.

    Raises:
        MonitordError: the file is there and cannot be read.
    """
    path = answer_file(source.state, source.name)
    try:
        found: dict[str, Host] = json.loads(path.read_text(encoding="utf-8"))["hosts"]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        text = f"{path} cannot be read: {error} (remove it, then: monitord inventory refresh)"
        raise MonitordError(text) from error
    return found


def row_to_json(row: Row) -> Host:
    """Give what is kept of a host: what is set, and where its source says it."""
    values: Host = {
        "address": row.address,
        "groups": list(row.groups),
        "site": row.site,
        "customer": row.customer,
        "tags": list(row.tags),
        "port": row.port,
        "user": row.user,
        "from": f"{row.file}:{row.line}",
    }
    return {key: value for key, value in values.items() if value}


def keep(source: Inventory, found: Mapping[str, Host], at: Instant, digest: str) -> None:
    """Write the hosts, and that the source was asked well."""
    lines = ",\n".join(
        f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(found[name], ensure_ascii=False)}"
        for name in sorted(found)
    )
    text = f'{{"source": {json.dumps(source.name)}, "hosts": {{\n{lines}\n}}}}\n'
    _write(answer_file(source.state, source.name), text)
    note(source, at, digest, "")


def note(source: Inventory, at: Instant, digest: str, problem: str) -> None:
    """Write when it was asked, and what was wrong then."""
    told = one_line(problem, _LONGEST)
    _write(_asked_file(source), json.dumps({"at": at, "hash": digest, "problem": told}) + "\n")


def digest_of(rows: Iterable[Row]) -> str:
    """Give the hash of an answer, whatever the order of its hosts."""
    lines = sorted(json.dumps([row.name, row_to_json(row)]) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _asked_file(source: Inventory) -> Path:
    return answer_file(source.state, source.name).with_suffix(".asked")


def _write(path: Path, text: str) -> None:
    """Replace a file whole; it belongs to whom the state folder belongs, also when root writes."""
    try:
        if not path.parent.exists():
            path.parent.mkdir(mode=0o2770, parents=True)
            path.parent.chmod(0o2770)  # whatever the umask says: core and executor share the group
            _give(path.parent, path.parent.parent)
        fd, name = tempfile.mkstemp(dir=path.parent, prefix=".")
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o640)
        _give(Path(name), path.parent)
        os.replace(name, path)  # noqa: PTH105 - both are texts and paths of one folder
    except OSError as error:
        cure = f"give {path.parent} to monitord's group"
        raise MonitordError(f"{path} cannot be written: {error.strerror} ({cure})") from error


def _give(path: Path, like: Path) -> None:
    status = like.stat()
    with contextlib.suppress(PermissionError):  # only root gives files away
        os.chown(path, status.st_uid, status.st_gid)


def troubles(sources: Iterable[Inventory], now: Instant) -> str:
    """Say what a person should know of the sources: errors, vanished hosts, silence."""
    found = []
    for source in sources:
        last = asked(source)
        if last is None:
            found.append(f"inventory {source.name} was never fetched (monitord inventory refresh)")
        elif last.problem:
            found.append(f"inventory {source.name}: {last.problem}; the last good answer stands")
        elif source.model.every and now - last.at > 3 * _microseconds(source):
            found.append(f"inventory {source.name} was not asked for three rounds")
    return "; ".join(found)


def due(source: Inventory, now: Instant) -> bool:
    """Tell whether a source's round has come."""
    if source.model.every is None:
        return False
    last = asked(source)
    return last is None or now - last.at >= _microseconds(source) or last.at > now


def _microseconds(source: Inventory) -> int:
    every = source.model.every
    return int(every.total_seconds() * 1_000_000) if every else 0
