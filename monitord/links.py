"""Signed links: the word that lets whoever holds it answer for one attempt, made and told apart.

A word names its attempt and carries an HMAC-SHA256 under the instance's secret, so that a guess is
refused without a look at the database. That it is used only once is the row's business: the row
holds its digest until it is spent. No I/O here.
"""

import hashlib
import hmac

_SIGNED = 32  # hex digits of the signature
_BOUND = 16  # hex digits of the plan's digest
_LONGEST = 80  # characters of a word


def word(secret: bytes, attempt: int, plan: str) -> str:
    """Give the word for an attempt and the exact plan that it is bound to."""
    bound = digest(plan)[:_BOUND]
    return f"{attempt}-{bound}-{_sign(secret, attempt, bound)}"


def attempt_of(secret: bytes, offered: str) -> int | None:
    """Give the attempt that a word is for; None for one that we did not sign."""
    parts = offered.split("-")
    if len(offered) > _LONGEST or len(parts) != len(("attempt", "plan", "signature")):
        return None
    if not (parts[0].isascii() and parts[0].isdigit()):
        return None
    wanted = _sign(secret, int(parts[0]), parts[1])
    given = parts[2].encode(errors="replace")
    return int(parts[0]) if hmac.compare_digest(wanted.encode(), given) else None


def digest(text: str) -> str:
    """Give what the row keeps of a word: enough to know it again, too little to make it."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _sign(secret: bytes, attempt: int, bound: str) -> str:
    text = f"approve:{attempt}:{bound}".encode(errors="replace")
    return hmac.new(secret, text, hashlib.sha256).hexdigest()[:_SIGNED]
