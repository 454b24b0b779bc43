"""`restore`: bring a directory back from tar, restic or borg, through restore.sh on the target.

Beside, verified, swapped by rename, the old copy kept as `.monitord-old-<step>-of-<name>`: the
script does that; this file only says what a user may write and gives the argv.
"""

from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import Field, model_validator

from monitord.actions.text import Switch, Text, fill, fill_all, fill_secrets, turned_on
from monitord.model.effect import Command, StepContext
from monitord.model.kinds import ActionKind
from monitord.model.spec import SecretText, Spec
from monitord.secrets import SecretRef

_SCRIPT = Path(__file__).with_name("restore.sh").read_text(encoding="utf-8")


class ResticSource(Spec):
    """A restic repository, with a password file on the target or a `password` by reference."""

    repository: Annotated[Text, Field(min_length=1)]
    password_file: Text = ""
    password: SecretText = ""
    snapshot: Annotated[Text, Field(min_length=1)] = "latest"
    host: Text = ""

    @model_validator(mode="after")
    def _one_password(self) -> "ResticSource":
        if bool(self.password_file) == bool(self.password):
            raise ValueError("needs either password_file: /path or password: !secret …")
        _by_reference(self.password)
        return self


class BorgSource(Spec):
    """A borg repository. `archive: latest` is the newest one whose name has the form of `match`."""

    repository: Annotated[Text, Field(min_length=1)]
    password_file: Text = ""
    password: SecretText = ""
    archive: Annotated[Text, Field(min_length=1)] = "latest"
    match: Text = ""

    @model_validator(mode="after")
    def _one_password(self) -> "BorgSource":
        if self.password_file and self.password:
            raise ValueError("needs password_file: or password:, not both (neither: unencrypted)")
        _by_reference(self.password)
        return self


def _by_reference(password: object) -> None:
    if password and not isinstance(password, SecretRef):
        raise ValueError("password: is written by reference (!secret env:X, file:, credential:)")


class RestoreSpec(Spec):
    """`restore: {tar: /backup/www.tar.gz, to: /srv/www, expect: [index.html]}`.

    `inside` is the backup's folder that becomes `to`; `expect` are files below it that must be
    there and not empty before anything is swapped. With `look: true` it only tells whether there is
    a backup that can be read; with `back: true`, under `undo:`, the old copy takes its place again.
    """

    to: Annotated[Text, Field(min_length=1)]
    tar: Text = ""
    restic: ResticSource | None = None
    borg: BorgSource | None = None
    inside: Text = ""
    expect: tuple[Text, ...] = ()
    look: bool = False
    back: bool = False
    sudo: Switch = False

    @model_validator(mode="after")
    def _one_source(self) -> "RestoreSpec":
        if [bool(self.tar), bool(self.restic), bool(self.borg)].count(True) != 1:
            raise ValueError("needs either tar: /path/of/archive, restic: or borg: {repository: …}")
        if self.look and self.back:
            raise ValueError("look: and back: exclude each other")
        kept = self.restic or self.borg
        if self.sudo and kept and kept.password:
            raise ValueError("sudo clears the environment: use password_file: with sudo")
        return self


def render(spec: RestoreSpec, context: StepContext) -> Command:
    """Give the script and its arguments.

    Raises:
        ValueError: a slot has no value, or a path is not what it must be.
    """
    to = _target(spec, context)
    inside = _below(fill(spec.inside, context).strip("/"), "inside") if spec.inside else ""
    expect = tuple(_below(name, "expect") for name in fill_all(spec.expect, context))
    source, env = _source(spec, context)
    source = (*source[:2], to, inside, *source[2:])
    argv = ("sh", "-s", "--", *_mode(spec), *source, *expect)
    return Command(argv, stdin=_SCRIPT, env=env, sudo=turned_on(spec.sudo, context))


def _mode(spec: RestoreSpec) -> tuple[str, ...]:
    return ("look",) if spec.look else ("back",) if spec.back else ()


def _source(spec: RestoreSpec, context: StepContext) -> tuple[tuple[str, ...], dict[str, str]]:
    """Give kind, source, snapshot, host and password file, and what of it the environment holds."""
    if spec.restic is not None:
        kept = spec.restic
        texts = (kept.repository, kept.snapshot, kept.host, kept.password_file)
        secret = {"RESTIC_PASSWORD": kept.password} if kept.password else {}
        return ("restic", *fill_all(texts, context)), fill_secrets(secret, context)
    if spec.borg is not None:
        texts = (spec.borg.repository, spec.borg.archive, spec.borg.match, spec.borg.password_file)
        secret = {"BORG_PASSPHRASE": spec.borg.password} if spec.borg.password else {}
        return ("borg", *fill_all(texts, context)), fill_secrets(secret, context)
    return ("tar", fill(spec.tar, context), "", "", ""), {}


def _target(spec: RestoreSpec, context: StepContext) -> str:
    to = fill(spec.to, context)
    path = PurePosixPath(to)
    if not path.is_absolute() or ".." in path.parts or path == PurePosixPath("/"):
        raise ValueError(f"to: {to!r} is not the absolute path of a folder below /")
    return str(path)


def _below(name: str, key: str) -> str:
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{key}: {name!r} is not a path inside the backup (no leading /, no ..)")
    return str(path)


def resource(spec: RestoreSpec, context: StepContext) -> str:
    """Name the folder."""
    return f"{context.host}:path:{_target(spec, context)}"


KIND = ActionKind("restore", RestoreSpec, render, resource)
