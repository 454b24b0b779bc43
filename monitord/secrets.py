"""Secrets by reference: `env:NAME`, `file:/path`, `credential:NAME`; and their removal from text.

The reference travels through plans, hashes and journals; the value exists only where it is used.
It never logs a value and never caches one.
"""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from monitord.errors import SecretError

_MASK = "[redacted]"
_SHORTEST = 4  # a shorter secret would blank out ordinary words


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret stands, never the secret: `scheme` is env, file or credential."""

    scheme: str
    name: str

    def __str__(self) -> str:
        """Give the reference as it stands in YAML, which is safe to print."""
        return f"!secret {self.scheme}:{self.name}"


def resolve(reference: SecretRef) -> str:
    """Read the secret now; a trailing newline of a file is dropped.

    Raises:
        SecretError: the variable is unset, or the file is missing or readable by everybody.
    """
    if reference.scheme == "env":
        value = os.environ.get(reference.name)
        if value is None:
            raise SecretError(f"{reference}: the environment variable is not set; export it")
        return value
    if reference.scheme == "credential":
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if folder is None:
            raise SecretError(f"{reference}: no credentials were passed; use LoadCredential=")
        return _read(reference, Path(folder) / reference.name)
    if reference.scheme == "file":
        return _read(reference, Path(reference.name))
    raise SecretError(f"{reference}: unknown scheme; use env:, file: or credential:")


def _read(reference: SecretRef, path: Path) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"{reference}: cannot be read: {error}") from error
    if mode & stat.S_IROTH:
        raise SecretError(f"{reference}: {path} is readable by everybody; chmod o-r {path}")
    return text.removesuffix("\n")


def redact(text: str, secrets: Iterable[str]) -> str:
    """Replace each secret value in `text`; longest first, so that a part never betrays a whole."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, _MASK)
    return text
