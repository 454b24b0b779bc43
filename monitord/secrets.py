"""Secrets by reference: `env:NAME`, `file:/path`, `credential:NAME`; and their removal from text.

The reference travels through plans, hashes and journals; the value exists only where it is used.
It never logs a value and never caches one.
"""

import os
import re
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


# What a secret looks like that nobody registered. Every repetition is bounded: output is hostile.
_NAMES = (
    r"passw(?:or)?d|passphrase|(?-i:pwd)|secret|token|credentials?|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|pgpassword|mysql_pwd"
)
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[^-]|-(?!-{4})){0,20000}"
            r"(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
        ),
        _MASK,
    ),
    (
        re.compile(
            r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-[a-z-]{0,20}(?:key|token))"
            r"(['\"]?\s{0,3}[:=]\s{0,3}['\"]?)[^\r\n'\"]+"
        ),
        rf"\1\2{_MASK}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)( {1,3})[A-Za-z0-9._~+/=-]{8,}"), rf"\1\2{_MASK}"),
    (re.compile(r"(\b(?:mysql|mariadb)[a-z-]{0,12}\s[^\n]{0,200}?-p)[^\s-]\S*"), rf"\1{_MASK}"),
    (
        re.compile(
            rf"(?i)({_NAMES})([\w.-]{{0,40}}['\"]?\s{{0,3}}[:=]\s{{0,3}})(?!\[redacted\])"
            r"(?:\"[^\"\n]{1,500}\"|'[^'\n]{1,500}'|[^\s'\"&,;]+)"
        ),
        rf"\1\2{_MASK}",
    ),
    (
        re.compile(
            rf"(?i)((?:^|\s)--?(?:[a-z]{{1,15}}-){{0,2}}(?:{_NAMES}|pass)\s{{1,3}})[^\s-]\S*"
        ),
        rf"\1{_MASK}",
    ),
    (re.compile(r"([a-z][a-z0-9+.-]{1,20}://[^\s/:@]{0,100}:)[^\s/@]{1,200}(?=@)"), rf"\1{_MASK}"),
    (
        re.compile(
            r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,255}|glpat-[\w-]{20,100}"
            r"|xox[abprs]-[\w-]{10,200}|eyJ[\w-]{10,2000}\.[\w-]{5,4000}\.[\w-]{5,2000})"
        ),
        _MASK,
    ),
)


def veil(text: str) -> str:
    """Mask what looks like a secret though nobody told us: `password=…`, headers, tokens, keys.

    It is for what a host writes (logs, argvs, sudo's lines), on top of `redact`; a secret that
    looks like an ordinary word stays.
    """
    for form, instead in _FORMS:
        text = form.sub(instead, text)
    return text
