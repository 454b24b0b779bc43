"""The certificate that an SSH CA gave for a login key: read only to tell why it lets nobody in.

paramiko shows `KEY-cert.pub` by itself where it stands beside the key. Nothing is decided here.
"""

import time
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

from monitord.model.text import one_line

_FOREVER = 253_402_300_800  # the year 10000: OpenSSH writes 2**64-1 for "for ever"


def why_refused(key: Path, user: str) -> str:
    """Give what is wrong with the certificate of a refused key, and the cure.

    Nothing where there is none. Where it looks right here, the host does not trust its CA.
    """
    file = Path(f"{key}-cert.pub")
    try:
        shown = load_ssh_public_identity(file.read_bytes())
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, TypeError) as error:
        return f"its certificate {file} cannot be read: {one_line(str(error), 120)}"
    if not isinstance(shown, SSHCertificate):
        return f"{file} is no certificate; have the CA sign it (ssh-keygen -s)"
    return _fault(shown, user)


def _fault(shown: SSHCertificate, user: str) -> str:
    names = [one_line(name.decode("utf-8", "replace"), 60) for name in shown.valid_principals]
    now = time.time()
    if shown.valid_before <= now:
        return f"its certificate has expired ({_moment(shown.valid_before)}); sign it anew"
    if shown.valid_after > now:
        return f"its certificate is valid from {_moment(shown.valid_after)} on; is a clock wrong?"
    if user not in names:
        listed = ", ".join(names) or "nobody"
        return (
            f"its certificate is for {listed}, not for {user} (ssh-keygen -n {user}, or the host's"
            " AuthorizedPrincipalsFile)"
        )
    return "its certificate is in force: does the host trust the CA (TrustedUserCAKeys)?"


def _moment(seconds: int) -> str:
    if not 0 < seconds < _FOREVER:
        return "never" if seconds else "always"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
