"""What `check-config` found good before: told again only while all that it read is the same.

The record holds every file by its content, every folder by its listing, and the program itself by
its files; it is the caller's own (0600), and any doubt means reading anew. It is light on purpose:
a hit loads neither YAML nor any probe.
"""

import contextlib
import glob
import hashlib
import json
import os
import platform
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what is heavy
    from monitord.config.sources import Sources

Found = dict[str, Any]
_BY_THE_CLOCK = ("calendars", "rotations", "people", "freeze", "slas")
"""Sections whose mistakes and warnings depend on the day: with one of these all is read anew."""
_KEPT = 20  # records: of main files that nobody asks about any more, the oldest go
_PACKAGE = Path(__file__).parent.parent


def recall(main: Path) -> Found | None:
    """Give what was found of a main file, if nothing at all has changed since."""
    try:
        with _file(main).open("rb") as file:
            if not _ours(os.fstat(file.fileno())):
                return None
            record = json.loads(file.read())
        if record["program"] != _program() or not _in_time(record["until"]):
            return None
        if any(_seen(kind, name) != said for kind, name, said in record["seen"]):
            return None
        found: Found = record["found"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found


def remember(main: Path, sources: "Sources", until: int | None, found: Found) -> None:
    """Keep what was found; where the cache cannot be written, the next call reads anew.

    The files are read once more after the record was made: it must be of what was judged.
    """
    from monitord.config import read

    if any(section in one.tree for one in sources.documents for section in _BY_THE_CLOCK):
        return
    seen = [[kind, name, _seen(kind, name)] for kind, name in sorted(set(_looked_at(sources)))]
    if _content(read(main)) != _content(sources):
        return
    record = {"program": _program(), "until": until, "seen": seen, "found": found}
    path = _file(main)
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _ours(path.parent.stat()):
            return
        fresh = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(record, file)
        fresh.replace(path)
        records = sorted(path.parent.glob("check-*.json"), key=lambda one: one.stat().st_mtime_ns)
        for old in records[:-_KEPT]:
            old.unlink()


def _content(sources: "Sources") -> Found:
    return {**sources.to_json(), "at": 0}


def _looked_at(sources: "Sources") -> Iterator[tuple[str, str]]:
    """Give all that the reading depended on: what kind of look, and at what."""
    from monitord.config.content import FOLDERS, SYSTEM, shipped_root
    from monitord.config.kept import answer_file, state_folder

    roots = [shipped_root(), SYSTEM, Path(sources.main).parent]
    for document in sources.documents:
        yield from (("mode", text) for text in _paths(document.tree))
        if document.role != "main":
            continue
        above = Path(document.file).parent
        yield from (("glob", str(above / one)) for one in _texts(document.tree.get("include")))
        roots.extend(above / one for one in _texts(document.tree.get("content")))
        state = document.tree.get("state", "")
        folder = state_folder(str(state), sources.main, sources.folder)
        for name in document.tree.get("inventory") or ():
            yield "file", str(answer_file(folder, name))
    for root in roots:
        yield from (("tree", str(root / name)) for name in FOLDERS.values())
    yield from (("file", name) for name in sources.files)
    yield from (("exists", name) for name in sources.present)


def _texts(value: Any) -> Iterable[str]:
    return [value] if isinstance(value, str) else value or ()


def _paths(tree: Any) -> Iterator[str]:
    """Give each text that may be the path of a script, whose rights are judged."""
    if isinstance(tree, str):
        if tree.startswith("/"):
            yield tree
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from _paths(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _paths(value)


def _seen(kind: str, name: str) -> Any:
    """Look once more; gives what can be compared and kept as JSON."""
    if kind == "glob":
        return sorted(glob.glob(name))  # noqa: PTH207 - as the includes are read
    if kind == "tree":
        return _hash("".join(_listing(name)))
    try:
        mode = os.stat(name).st_mode  # noqa: PTH116 - a text may hold what no Path is made of
        if kind == "file":
            return [mode, hashlib.sha256(Path(name).read_bytes()).hexdigest()]
    except (OSError, ValueError):
        return None
    return mode if kind == "mode" else True


def _listing(top: str) -> Iterator[str]:
    for folder, below, names in os.walk(top):
        below.sort()
        for name in (".", *sorted(names)):
            path = f"{folder}/{name}"
            yield f"{path}\0{os.stat(path).st_mode if Path(path).exists() else 0}\0"  # noqa: PTH116 - as fast as can be


def _program() -> str:
    """Give the hash of what reads: our own files, what is installed, and where we stand."""
    parts = [sys.version, str(Path.cwd()), str(os.geteuid()), platform.node()]
    for folder, below, names in os.walk(_PACKAGE):
        below[:] = sorted(name for name in below if name != "__pycache__")
        for name in sorted(names):
            status = os.stat(f"{folder}/{name}")  # noqa: PTH116 - seven hundred of them
            parts.append(f"{folder}/{name} {status.st_mtime_ns} {status.st_size}")
    places = [place for place in sys.path if Path(place).is_dir()]
    parts += [f"{one} {sorted(os.listdir(one))}" for one in places]  # noqa: PTH208 - names only
    return _hash("\0".join(parts))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _in_time(until: int | None) -> bool:
    return until is None or time.time_ns() // 1000 < until


def _file(main: Path) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    return cache / "monitord" / f"check-{_hash(f'{main.absolute()}')}.json"


def _ours(status: os.stat_result) -> bool:
    """Tell whether nobody else can have written it."""
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
