"""`restore`: bring a directory back from tar or restic, through restore.sh on the target.

Beside, verified, swapped by rename, the old copy kept as `.monitord-old-<step>`: the script does
that; this file only says what a user may write and gives the argv.
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
        if self.password and not isinstance(self.password, SecretRef):
            raise ValueError(
                "password: is written by reference (!secret env:X, file:, credential:)"
            )
        return self


class RestoreSpec(Spec):
    """`restore: {tar: /backup/www.tar.gz, to: /srv/www, expect: [index.html]}`.

    `inside` is the backup's folder that becomes `to`; `expect` are files below it that must be
    there and not empty before anything is swapped.
    """

    to: Annotated[Text, Field(min_length=1)]
    tar: Text = ""
    restic: ResticSource | None = None
    inside: Text = ""
    expect: tuple[Text, ...] = ()
    sudo: Switch = False

    @model_validator(mode="after")
    def _one_source(self) -> "RestoreSpec":
        if bool(self.tar) == bool(self.restic):
            raise ValueError("needs either tar: /path/of/archive or restic: {repository: …}")
        if self.sudo and self.restic and self.restic.password:
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
    env: dict[str, str] = {}
    if spec.restic is None:
        source = ("tar", fill(spec.tar, context), to, inside, "", "", "")
    else:
        restic = spec.restic
        repository, snapshot, host, password_file = fill_all(
            (restic.repository, restic.snapshot, restic.host, restic.password_file), context
        )
        source = ("restic", repository, to, inside, snapshot, host, password_file)
        if restic.password:
            env = fill_secrets({"RESTIC_PASSWORD": restic.password}, context)
    argv = ("sh", "-s", "--", *source, *expect)
    return Command(argv, stdin=_SCRIPT, env=env, sudo=turned_on(spec.sudo, context))


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
