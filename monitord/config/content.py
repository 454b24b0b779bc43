"""The search path of checks/ and remediations/: which folders, which files, what replaces what.

Shipped content first, then /etc/monitord, then the folders beside the main file; a file of the same
name replaces the earlier one wherever it lies below its folder, and an empty file masks it. This
module lists and reads files; what they mean is for others.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import monitord
from monitord.config.tree import Place, problem_at
from monitord.config.yaml12 import Reading, read_file
from monitord.errors import Problem

SYSTEM = Path("/etc/monitord")
FOLDERS = {"check": "checks", "runbook": "remediations"}
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Root:
    """One place of the search path: it holds checks/ and remediations/."""

    folder: Path
    shipped: bool


@dataclass(slots=True)
class Content:
    """What the search path gave: per role and file stem the reading that counts, and what is wrong.

    `masked` names the empty file that hides a shipped one; `broken` tells that a folder could not
    be listed, so that missing names prove nothing.
    """

    readings: dict[tuple[str, str], tuple[Reading, bool]] = field(default_factory=dict)
    masked: dict[tuple[str, str], str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    broken: bool = False


def shipped_root() -> Path:
    """Give where our own content lies: inside the wheel, or at the top of a source checkout."""
    package = Path(monitord.__file__).parent
    inside = package / "content"
    return inside if inside.is_dir() else package.parent


def search(roots: Sequence[Root]) -> Content:
    """Read all content files along the search path."""
    content = Content()
    seen: set[Path] = set()
    for root in roots:
        real = root.folder.resolve()
        if real in seen:
            continue
        seen.add(real)
        for role, name in FOLDERS.items():
            _read_folder(content, role, root.folder / name, shipped=root.shipped)
    return content


def _read_folder(content: Content, role: str, folder: Path, *, shipped: bool) -> None:
    here: dict[str, str] = {}
    for path in _files(folder, content):
        if path.suffix not in _SUFFIXES:
            _refuse_writable(path, content.problems)
            continue
        reading = read_file(path, str(path))
        content.files.append(reading.file)
        key = (role, path.stem)
        if path.stem in here:
            text = f"a second file of this name (the first is {here[path.stem]}); rename one"
            content.problems.append(problem_at(Place(reading.file), text))
            continue
        here[path.stem] = reading.file
        content.readings.pop(key, None)
        content.masked.pop(key, None)
        if reading.tree is None and not reading.broken:
            content.masked[key] = reading.file
            content.problems.extend(reading.problems)
        else:
            content.readings[key] = (reading, shipped)


def _files(folder: Path, content: Content) -> Iterator[Path]:
    """List a content folder. One that is missing is empty; one that cannot be listed is not."""

    def refuse(error: OSError) -> None:
        place = Path(str(error.filename))
        if isinstance(error, FileNotFoundError) and place == folder and not place.is_symlink():
            return
        content.problems.append(problem_at(Place(str(place)), unlisted(error, place)))
        content.broken = True

    for top, below, names in os.walk(folder, onerror=refuse):
        below.sort()
        below[:] = [name for name in below if not name.startswith((".", "__"))]
        _refuse_writable(Path(top), content.problems)
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(top) / name


def unlisted(error: OSError, place: Path) -> str:
    """Give the sentence about a folder whose files nobody can know."""
    if isinstance(error, NotADirectoryError):
        return f"is not a folder (make it one that holds the files, or remove {place})"
    reason = error.strerror or str(error)
    return f"cannot be listed: {reason} (let monitord's user read it: chmod o+rx {place})"


def _refuse_writable(path: Path, problems: list[Problem]) -> None:
    text = writable_by_anybody(path)
    if text:
        problems.append(problem_at(Place(str(path)), text))


def writable_by_anybody(path: Path) -> str:
    """Give the sentence that refuses a file or folder which anybody may change, or empty text."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return ""  # not there: whoever needs it says so
    if not mode & stat.S_IWOTH or (stat.S_ISDIR(mode) and mode & stat.S_ISVTX):
        return ""
    what = "folder" if stat.S_ISDIR(mode) else "file"
    return f"anybody may write this {what}, so nobody can trust it (chmod o-w {path})"
