"""Everything that was read from disk: the main file, its includes, the content files; as trees.

`read` is the costly half (YAML); what it gives travels between processes as JSON and is judged by
`assemble`. Mistakes in YAML itself are carried along, so that all mistakes are told at once.
"""

import gc
import glob as globbing
import os
import platform
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitord.clock import Clock, SystemClock
from monitord.config.content import (
    SYSTEM,
    Content,
    Root,
    search,
    shipped_root,
    unlisted,
    writable_by_anybody,
)
from monitord.config.fields import parse_names
from monitord.config.kept import answer_file, state_folder
from monitord.config.names import is_name
from monitord.config.tree import Map, Place, Seq, pack, problem_at, unpack
from monitord.config.yaml12 import Reading, read_file
from monitord.errors import ConfigError, Problem
from monitord.model.ids import Instant

MAX_FILES = 5000
_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Document:
    """One file: `role` is main (the main file and its includes), check, runbook or inventory."""

    role: str
    file: str
    stem: str
    shipped: bool
    tree: Any


@dataclass(frozen=True, slots=True)
class Sources:
    """All documents of one reading, in the order of precedence.

    `folder` is the working directory then (relative `state` paths start there), `at` the time
    (exceptions end), `node` this machine's name. `broken`: a file could not be read at all, so that
    missing names prove nothing. `masked` maps `role/stem` to the empty file that hides it.
    `present` tells which of the paths that checks ask for (`if_exists:`) were there.
    """

    main: str
    folder: str
    node: str
    at: Instant
    documents: tuple[Document, ...]
    masked: dict[str, str]
    files: tuple[str, ...]
    present: dict[str, bool]
    problems: tuple[Problem, ...] = ()
    broken: bool = False

    def to_json(self) -> dict[str, Any]:
        """Give JSON data (no text yet): the executor's child sends it to the core."""
        with no_collection():
            documents = [
                [item.role, item.file, item.stem, item.shipped, pack(item.tree)]
                for item in self.documents
            ]
        return {
            "main": self.main,
            "folder": self.folder,
            "node": self.node,
            "at": self.at,
            "documents": documents,
            "masked": self.masked,
            "files": list(self.files),
            "present": self.present,
            "problems": [[p.file, p.line, p.column, p.text] for p in self.problems],
            "broken": self.broken,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Sources":
        """Make the sources again from what `to_json` gave."""
        with no_collection():
            documents = tuple(
                Document(role, file, stem, shipped, unpack(tree, file))
                for role, file, stem, shipped, tree in data["documents"]
            )
        return cls(
            main=data["main"],
            folder=data["folder"],
            node=data["node"],
            at=Instant(data["at"]),
            documents=documents,
            masked=data["masked"],
            files=tuple(data["files"]),
            present=data["present"],
            problems=tuple(Problem(*item) for item in data["problems"]),
            broken=data["broken"],
        )


def read(
    path: Path,
    *,
    shipped: Path | None = None,
    system: Path = SYSTEM,
    clock: Clock = _CLOCK,
) -> Sources:
    """Read the main file, what it includes, and the content along the search path.

    `shipped` and `system` name other content roots than our own and /etc/monitord.

    Raises:
        ConfigError: the main file does not exist. All other mistakes travel in `problems`.
    """
    if not os.path.lexists(path):
        text = "no such file (write one; config/monitord.yaml of the source is a working start)"
        raise ConfigError([Problem(str(path), 1, 1, text)])
    with no_collection():
        mains = _read_main(path)
        beside = _content_folders(mains[0], path.parent)
        roots = [
            Root(shipped_root() if shipped is None else shipped, shipped=True),
            Root(system, shipped=False),
            *(Root(folder, shipped=False) for folder in beside),
        ]
        content = search(roots)
    return _sources(path, clock.now(), mains, content)


def _sources(path: Path, at: Instant, mains: list[Reading], content: Content) -> Sources:
    documents = [
        Document("main", item.file, Path(item.file).stem, shipped=False, tree=item.tree)
        for item in mains
        if not item.broken and item.tree is not None
    ]
    documents.extend(
        Document(role, item.file, stem, shipped, item.tree)
        for (role, stem), (item, shipped) in content.readings.items()
        if not item.broken
    )
    kept = _kept_answers(path, mains)
    documents.extend(
        Document("inventory", item.file, Path(item.file).stem, shipped=False, tree=item.tree)
        for item in kept
        if not item.broken
    )
    readings = [*mains, *kept, *(item for item, _ in content.readings.values())]
    problems = [problem for item in readings for problem in item.problems]
    return Sources(
        main=str(path),
        folder=str(Path.cwd()),
        node=platform.node(),
        at=at,
        documents=tuple(documents),
        masked={f"{role}/{stem}": file for (role, stem), file in content.masked.items()},
        files=(*(item.file for item in (*mains, *kept)), *content.files),
        present={text: _exists(text) for item in readings for text in item.conditions},
        problems=(*problems, *content.problems, *_writable_scripts(readings)),
        broken=content.broken or any(item.broken or item.partial for item in readings),
    )


def _kept_answers(path: Path, mains: list[Reading]) -> list[Reading]:
    """Read the last good answer of each inventory source that has one."""
    trees = [item.tree for item in mains if isinstance(item.tree, Map)]
    states = [tree["state"] for tree in trees if isinstance(tree.get("state"), str)]
    state = state_folder(states[0] if states else "", str(path), str(Path.cwd()))
    sections = [tree["inventory"] for tree in trees if isinstance(tree.get("inventory"), Map)]
    files = [answer_file(state, name) for section in sections for name in section if is_name(name)]
    return [read_file(file, str(file)) for file in files if file.exists()]


@contextmanager
def no_collection() -> Iterator[None]:
    """Hold the garbage collector: loading makes a million objects that live, and no garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file to read: by which name, from which line it is included, and below which files."""

    file: Path
    name: str
    by: Place | None = None
    above: tuple[str, ...] = ()


def _read_main(path: Path) -> list[Reading]:
    """Read the main file and, breadth first, what it and its includes include."""
    queue = [_Wanted(path, str(path))]
    seen: set[str] = set()
    readings: list[Reading] = []
    while queue:
        wanted = queue.pop(0)
        real = os.path.realpath(wanted.file)
        if real in seen:
            continue
        seen.add(real)
        reading = _read_one(wanted)
        readings.append(reading)
        if isinstance(reading.tree, Map) and "include" in reading.tree:
            queue.extend(_includes(reading, reading.tree, wanted, real))
        if len(seen) > MAX_FILES:
            _refuse(readings[0], Place(str(path)), f"includes more than {MAX_FILES} files")
            break
    if readings[0].tree is None and not readings[0].broken:
        _refuse(readings[0], Place(str(path)), "is empty (config/monitord.yaml is a start)")
    return readings


def _read_one(wanted: _Wanted) -> Reading:
    reading = read_file(wanted.file, wanted.name)
    if reading.unread and wanted.by is not None:
        (problem,) = reading.problems
        reading.problems = [problem_at(wanted.by, f"include: {wanted.name}: {problem.text}")]
    if reading.tree is not None and not isinstance(reading.tree, Map):
        _refuse(reading, Place(wanted.name), "is not a map (write hosts:, groups:, checks: …)")
        reading.broken = True
    return reading


def _includes(reading: Reading, tree: Map, by: _Wanted, real: str) -> Iterator[_Wanted]:
    """Give what a file includes. A pattern may match the file itself; a circle is a mistake."""
    above = (*by.above, real)
    for index, pattern in enumerate(_texts(reading, tree, "include")):
        place = _item_place(tree, "include", index)
        full = str(by.file.parent / pattern)
        magic = globbing.has_magic(pattern)
        found = [Path(name) for name in sorted(globbing.glob(full))]  # noqa: PTH207 - pathlib refuses absolute patterns
        if not found and not magic:
            _refuse(
                reading, place, f"include: {pattern}: no such file (write it, or mend the name)"
            )
        elif not found:
            _refuse_unlistable(reading, place, full)
        for file in found:
            target = os.path.realpath(file)
            if target in above and not (magic and target == real):
                circle = " → ".join(
                    Path(name).name for name in (*above[above.index(target) :], target)
                )
                _refuse(
                    reading, place, f"include: {pattern}: runs in a circle: {circle} (remove one)"
                )
            elif target != real:
                yield _Wanted(file, str(file), place, above)


def _item_place(tree: Map, key: str, index: int) -> Place:
    value = tree[key]
    return value.value_place(index) if isinstance(value, Seq) else tree.value_place(key)


def _refuse_unlistable(reading: Reading, place: Place, full: str) -> None:
    """Note a pattern's folder that cannot be listed: it is not empty."""
    parts = Path(full).parts
    plain = next(index for index, part in enumerate(parts) if globbing.has_magic(part))
    folder = Path(*parts[:plain])
    try:
        os.scandir(folder).close()
    except (FileNotFoundError, NotADirectoryError):
        return  # a pattern may match nothing
    except OSError as error:
        _refuse(reading, place, f"include: {unlisted(error, folder)}")
        reading.partial = True


def _content_folders(main: Reading, folder: Path) -> list[Path]:
    if not isinstance(main.tree, Map) or "content" not in main.tree:
        return [folder]
    folders = []
    for text in _texts(main, main.tree, "content"):
        path = folder / text
        if "\0" in text or not path.is_dir():
            place = main.tree.value_place("content")
            _refuse(main, place, f"content: {text!r}: no such folder")
        else:
            folders.append(path)
    return folders


def _texts(reading: Reading, tree: Map, key: str) -> tuple[str, ...]:
    try:
        names = parse_names(tree[key])
    except ValueError as error:
        _refuse(reading, tree.value_place(key), f"{key}: {error}")
        return ()
    hostile = [name for name in names if "\0" in name or not name]
    if hostile:
        _refuse(reading, tree.value_place(key), f"{key}: {hostile[0]!r} is not a path")
    return tuple(name for name in names if name not in hostile)


def _refuse(reading: Reading, place: Place, text: str) -> None:
    reading.problems.append(problem_at(place, text))


def _writable_scripts(readings: list[Reading]) -> Iterator[Problem]:
    verdicts: dict[str, str] = {}
    for reading in readings:
        for text, line, column in reading.paths:
            if text not in verdicts:
                verdicts[text] = _script_verdict(text)
            if verdicts[text]:
                yield problem_at(Place(reading.file, line, column), f"{text}: {verdicts[text]}")


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):
        return False  # a name that no file can have


def _script_verdict(text: str) -> str:
    path = Path(text)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return ""  # on another host, or not there: running it will tell
    if not stat.S_ISREG(mode) or not mode & 0o111:
        return ""
    return writable_by_anybody(path)
