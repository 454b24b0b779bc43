"""Signed links: the word that lets whoever holds it answer for one attempt, and what is none.

A word names its attempt and carries an HMAC-SHA256 under a secret of the core's own, so that it
cannot be guessed, nor made by who knows the plan. That it is used only once is the row's business:
the row holds its digest until it is spent. No I/O here.
"""

import hashlib
import hmac
import re

_SIGNED = 32  # hex digits of the signature
_BOUND = 16  # hex digits of the plan's digest
_SHAPE = re.compile(rf"[0-9]{{1,19}}-[0-9a-f]{{{_BOUND}}}-[0-9a-f]{{{_SIGNED}}}")


def word(secret: bytes, attempt: int, plan: str) -> str:
    """Give the word for an attempt and the exact plan that it is bound to."""
    bound = digest(plan)[:_BOUND]
    return f"{attempt}-{bound}-{_sign(secret, attempt, bound)}"


def may_be_one(offered: str) -> bool:
    """Say whether a text has a word's shape; whether it is one is known to the core alone."""
    return _SHAPE.fullmatch(offered) is not None


def digest(text: str) -> str:
    """Give what the row keeps of a word: enough to know it again, too little to make it."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _sign(secret: bytes, attempt: int, bound: str) -> str:
    text = f"approve:{attempt}:{bound}".encode(errors="replace")
    return hmac.new(secret, text, hashlib.sha256).hexdigest()[:_SIGNED]
