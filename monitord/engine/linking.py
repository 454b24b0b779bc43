"""Makes the link by which a person approves a waiting attempt, from its row and the secret.

It is made anew whenever a ticket is written, and stored nowhere but in what is sent. Without the
secret there is no link; the command line approves all the same. The secret is the core's alone:
whoever takes over monitord-web, which can read that of the pings, could else answer for anybody.
"""

from monitord import links
from monitord.engine.instance import Instance
from monitord.log import get_logger
from monitord.model.incident import Attempt, AttemptStatus
from monitord.pings import SpoolError, read_secret

log = get_logger(__name__)

_SECRET, _MODE = "link-secret", 0o600


def word_of(instance: Instance, attempt: Attempt) -> str:
    """Give the word that approves an attempt; empty where the secret cannot be read."""
    try:
        secret = read_secret(instance.state, create=True, name=_SECRET, mode=_MODE)
    except SpoolError as error:
        log.warning("no link to approve by", attempt=attempt.id, error=str(error))
        return ""
    return links.word(secret, attempt.id, attempt.plan)


def link_of(instance: Instance, attempt: Attempt) -> str:
    """Give the address that approves an attempt; empty unless it waits for that."""
    if attempt.status is not AttemptStatus.APPROVAL or not attempt.approve_key:
        return ""
    settings = instance.catalog.settings
    base = settings.web_url.rstrip("/") or f"http://{settings.web}"
    word = word_of(instance, attempt)
    return f"{base}/approve/{word}" if word else ""
