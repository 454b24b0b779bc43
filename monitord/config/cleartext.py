"""Secrets that stand in a file as they are: a warning with the line and the cure, no more.

Goes by the names of settings and by passwords inside URLs. Pure; never shows the value.
"""

import re
from collections.abc import Iterator

from monitord.config.tree import Map, Place

_NAMES = frozenset(
    ("password", "secret", "bearer", "token", "api_key", "authorization", "x-api-key", "cookie")
)
_URL_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@")


def secrets_in(tree: object) -> Iterator[str]:
    """Give one warning for each secret in the clear anywhere inside a file's tree."""
    for place, what in _found(tree):
        yield (
            f"{place}: {what}: a secret in clear text, which everybody who reads this file reads "
            "too (write !secret env:NAME, file:/path or credential:NAME)"
        )


def _found(tree: object) -> Iterator[tuple[Place, str]]:
    if isinstance(tree, Map):
        for key, value in tree.items():
            if _is_secret(key, value):
                yield tree.key_place(key), key
            elif isinstance(value, dict | list):
                yield from _found(value)
    elif isinstance(tree, list):
        for item in tree:
            if isinstance(item, dict | list):
                yield from _found(item)


def _is_secret(key: str, value: object) -> bool:
    if isinstance(value, str):
        return (value != "" and key.lower() in _NAMES) or _has_password(value)
    if isinstance(value, list):
        return any(isinstance(item, str) and _has_password(item) for item in value)
    return False


def _has_password(text: str) -> bool:
    return "://" in text and "@" in text and _URL_PASSWORD.search(text) is not None
