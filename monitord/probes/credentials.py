"""Secrets at the moment of use: read, registered so that no log line shows them, never kept.

It also words what a target said: bounded, cleaned, and without the secrets that we sent it.
"""

from collections.abc import Iterable

from monitord.log import hide
from monitord.model.text import one_line
from monitord.secrets import SecretRef, redact, resolve

_SCANNED = 2000  # bytes of an answer that are worth cleaning for one line


def reveal(value: str | SecretRef) -> str:
    """Give the text, or read the secret now.

    Raises:
        SecretError: the secret cannot be read.
    """
    if isinstance(value, str):
        return value
    secret = resolve(value)
    hide(secret)
    return secret


def quote(said: bytes, secrets: Iterable[str] = (), limit: int = 120) -> str:
    """Give what a target said as `"…"` for a summary; a secret that it sends back is masked."""
    text = redact(said[:_SCANNED].decode("utf-8", "replace"), secrets)
    return f'"{one_line(text, limit)}"'
