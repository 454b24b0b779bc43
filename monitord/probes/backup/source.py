"""Where a backup lies and how it is asked: what `backup` and `drill` have in common.

It says what a user may write and renders the script (backup.sh) that the executor feeds to a shell
on the host. Secrets are handed on as references; nothing here is run or judged.
"""

import re
import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from monitord.model.kinds import HostScript
from monitord.model.spec import SecretText, Spec
from monitord.secrets import SecretRef

_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*:.+|[^/\s:]+(@[^/\s:]+)?:.+")
_SHARE = re.compile(r"(100|[1-9]?[0-9](\.[0-9]+)?)%")
_TIDY = 0.9  # of the check's own time is the tools'; in the rest the script cleans up and reports


def absolute(path: str) -> str:
    """Refuse what is no absolute path.

    Raises:
        ValueError: it is relative, or holds a NUL.
    """
    if path and (not path.startswith("/") or "\0" in path):
        raise ValueError(f"{path!r} is not an absolute path (write /var/backups/…)")
    return path


def _repository(text: str) -> str:
    if not text.startswith("/") and not _REMOTE.fullmatch(text):
        raise ValueError(f"{text!r} is neither an absolute path nor like sftp:host:/path")
    if "\0" in text:
        raise ValueError("a repository's name holds no NUL")
    return text


def _reference(value: object) -> object:
    if value and not isinstance(value, SecretRef):
        raise ValueError("is written by reference (!secret env:X, file:, credential:)")
    return value


AbsolutePath = Annotated[str, AfterValidator(absolute)]
Repository = Annotated[str, AfterValidator(_repository)]
SecretOnly = Annotated[SecretText, AfterValidator(_reference)]


class ResticBackup(Spec):
    """A restic repository as the host sees it, and which of its snapshots are meant."""

    repository: Repository = Field(
        description="The repository.", examples=["/srv/restic", "sftp:vault:/restic"]
    )
    password_file: AbsolutePath = Field(
        default="", description="The file on the host that holds its password."
    )
    password: SecretOnly = Field(default="", description="The password by reference.")
    host: str = Field(default="", description="Only snapshots of this host.")
    path: AbsolutePath = Field(default="", description="Only snapshots of this path.")
    tag: str = Field(default="", description="Only snapshots with this tag.")

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        if bool(self.password_file) == bool(self.password):
            raise ValueError("restic: needs either password_file: /path or password: !secret …")
        return self


class BorgBackup(Spec):
    """A borg repository as the host sees it, and which of its archives are meant."""

    repository: Repository = Field(
        description="The repository.", examples=["/srv/borg", "vault:borg"]
    )
    passphrase_file: AbsolutePath = Field(
        default="", description="The file on the host that holds its passphrase."
    )
    passphrase: SecretOnly = Field(
        default="", description="The passphrase by reference; none for one without encryption."
    )
    archives: str = Field(
        default="", description="Only archives whose names match.", examples=["db-*"]
    )

    @model_validator(mode="after")
    def _one_passphrase(self) -> Self:
        if self.passphrase_file and self.passphrase:
            raise ValueError("borg: passphrase_file: and passphrase: exclude each other")
        return self


class BackupSource(Spec):
    """One backup: exactly one of `restic`, `borg`, `tar` and `pg_dump`."""

    restic: ResticBackup | None = Field(default=None, description="A restic repository.")
    borg: BorgBackup | None = Field(default=None, description="A borg repository.")
    tar: AbsolutePath = Field(
        default="",
        description="A tar archive, compressed or not; of a pattern the newest match.",
        examples=["/var/backups/www-*.tar.gz"],
    )
    pg_dump: AbsolutePath = Field(
        default="",
        description="What pg_dump wrote, in any of its formats; of a pattern the newest match.",
        examples=["/var/backups/shop-*.dump"],
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("restic", "borg", "tar", "pg_dump") if getattr(self, name)]
        if len(given) != 1:
            said = " and ".join(given) or "none"
            raise ValueError(f"needs exactly one of restic, borg, tar and pg_dump ({said} given)")
        return self

    @property
    def kind(self) -> str:
        """Give which it is: restic, borg, tar or pg_dump."""
        return next(name for name in ("restic", "borg", "tar", "pg_dump") if getattr(self, name))

    @property
    def where(self) -> str:
        """Give the repository, or the path or pattern."""
        of = self.restic or self.borg
        return of.repository if of else self.tar or self.pg_dump


def share(text: str) -> str:
    """Refuse what is no share of the data.

    Raises:
        ValueError: neither `5%` nor `all`.
    """
    if text and text != "all" and not _SHARE.fullmatch(text):
        raise ValueError(f"{text!r} is no share of the data (write 5% or all)")
    return "100%" if text == "all" else text


def script(
    source: BackupSource,
    mode: str,
    seconds: float,
    settings: Mapping[str, str | int] | None = None,
    calls: tuple[tuple[str, ...], ...] = (),
) -> HostScript:
    """Give the text that asks `source` for `mode` (look, verify or drill) within `seconds`.

    `calls` are what a drill expects: `expect` and `rows` with their arguments.
    """
    names: dict[str, Any] = {
        **dict.fromkeys(("host", "path", "tag", "archives", "secret_file", "read_data"), ""),
        **dict.fromkeys(("scratch", "name", "inside", "database"), ""),
        "keep_free": 0,
        "mode": mode,
        "kind": source.kind,
        "source": source.where,
        "limit": max(1, int(seconds * _TIDY)),
        **(settings or {}),
    }
    env: dict[str, Any] = {}
    if source.restic:
        names |= source.restic.model_dump(include={"host", "path", "tag"})
        env = _restic_env(source.restic, names)
    elif source.borg:
        names["archives"] = source.borg.archives
        env = _borg_env(source.borg, names)
    lines = [f"{name}={shlex.quote(str(value))}" for name, value in names.items()]
    expectations = [shlex.join(call) for call in calls] or [":"]
    body = "\n".join((*lines, _text(), "expectations() {", *expectations, "}"))
    return HostScript(f"{body}\nmain </dev/null\n", env)


def _restic_env(restic: ResticBackup, names: dict[str, Any]) -> dict[str, Any]:
    names["secret_file"] = restic.password_file
    if restic.password:
        return {"RESTIC_PASSWORD": restic.password}
    return {"RESTIC_PASSWORD_FILE": restic.password_file}


def _borg_env(borg: BorgBackup, names: dict[str, Any]) -> dict[str, Any]:
    names["secret_file"] = borg.passphrase_file
    if borg.passphrase:
        return {"BORG_PASSPHRASE": borg.passphrase}
    if borg.passphrase_file:  # borg splits it as a shell's words; no shell runs it
        return {"BORG_PASSCOMMAND": shlex.join(("cat", "--", borg.passphrase_file))}
    return {}


@cache
def _text() -> str:
    return Path(__file__).with_name("backup.sh").read_text(encoding="utf-8")
