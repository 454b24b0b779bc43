"""`cleanup`: make room on a full filesystem from a list of what is disposable, through cleanup.sh.

This file says what may stand on that list and gives the argv. The script does the rest: manifest
first, nothing in use, nothing through a link, nothing on another filesystem.
"""

from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import Field, field_validator

from monitord.actions.text import Argv, Switch, Text, Words, argv_of, fill, slots, turned_on
from monitord.model.effect import Command, StepContext
from monitord.model.kinds import ActionKind
from monitord.model.spec import Spec, parse_duration, parse_size

_SCRIPT = Path(__file__).with_name("cleanup.sh").read_text(encoding="utf-8")
_NEVER = ("bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "proc", "run", "sbin", "sys", "usr")
_YOUNGEST = timedelta(hours=1)


class Disposable(Spec):
    """Files that may go: those of `folder` and below with one of these names, older than `older`.

    A rule whose folder is empty (a parameter that nobody gave) is left out.
    """

    folder: Annotated[Text, Field(min_length=1)]
    names: Argv | Words
    older: Text

    @field_validator("older")
    @classmethod
    def _duration(cls, older: str) -> str:
        if not slots(older):
            _minutes(older)
        return older


class CleanupSpec(Spec):
    """`cleanup: {filesystem: "{item}", disposable: […]}`, the list of what may go.

    Oldest first, until at most `until` percent of space and of inodes are used. `quarantine` is a
    folder on another filesystem: what goes is copied there and compared. Without one it is deleted,
    each file named in `manifest` before. `journal` is the size to which systemd's journal may be
    cut when that was not enough. With `look: true` it only says what would go.
    """

    filesystem: Annotated[Text, Field(min_length=1)]
    disposable: Annotated[tuple[Disposable, ...], Field(min_length=1)]
    until: Text = "80"
    quarantine: Text = ""
    manifest: Text = "/var/lib/monitord/cleanup"
    journal: Text = ""
    most: Annotated[int, Field(ge=1, le=1_000_000)] = 50_000
    look: bool = False
    sudo: Switch = False


def render(spec: CleanupSpec, context: StepContext) -> Command:
    """Give the script and its arguments.

    Raises:
        ValueError: a slot has no value, or a value cannot be what it stands for.
    """
    until = fill(spec.until, context)
    if not until.isdecimal() or not 1 <= int(until) <= 99:  # noqa: PLR2004 - percents between
        raise ValueError(f"until: {until!r} is not a percentage from 1 to 99")
    journal = fill(spec.journal, context)
    if journal:
        parse_size(journal)
    rules = [word for rule in spec.disposable for word in _rule(rule, context)]
    argv = (
        "sh", "-s", "--",
        "look" if spec.look else "",
        fill(spec.filesystem, context),
        until,
        str(spec.most),
        _folder(fill(spec.manifest, context), "manifest"),
        _quarantine(spec, context),
        journal,
        *rules,
    )  # fmt: skip
    return Command(argv, stdin=_SCRIPT, sudo=turned_on(spec.sudo, context))


def _rule(rule: Disposable, context: StepContext) -> tuple[str, ...]:
    folder = fill(rule.folder, context)
    if not folder:
        return ()
    path = PurePosixPath(_folder(folder, "folder"))
    below = path.parts[1:]
    if below[0] in _NEVER or (len(below) == 1 and below[0] != "tmp"):
        raise ValueError(f"folder: nothing of {folder!r} as a whole is disposable (name one below)")
    names = argv_of(rule.names, context)
    for name in names:
        if not name or "/" in name:
            raise ValueError(f"names: {name!r} is not a pattern of one name (write *.gz)")
    return (str(path), str(_minutes(fill(rule.older, context))), str(len(names)), *names)


def _minutes(older: str) -> int:
    age = parse_duration(older)
    if age < _YOUNGEST:
        raise ValueError(f"older: {older!r}: what is younger than 1h may still be wanted")
    return int(age.total_seconds() // 60)


def _folder(text: str, key: str) -> str:
    path = PurePosixPath(text)
    if not path.is_absolute() or ".." in path.parts or path == PurePosixPath("/"):
        raise ValueError(f"{key}: {text!r} is not the absolute path of a folder below /")
    return str(path)


def _quarantine(spec: CleanupSpec, context: StepContext) -> str:
    quarantine = fill(spec.quarantine, context)
    return _folder(quarantine, "quarantine") if quarantine else ""


def resource(spec: CleanupSpec, context: StepContext) -> str:
    """Name the filesystem."""
    return f"{context.host}:filesystem:{fill(spec.filesystem, context)}"


KIND = ActionKind("cleanup", CleanupSpec, render, resource)
