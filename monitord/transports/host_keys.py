"""Where trust in a host key may come from: a known_hosts file, a CA, SSHFP records, fingerprints.

It reads what a host offers (ssh-keyscan) and says which of it a source vouches for; it writes
known_hosts only where it is told to. Nothing is ever believed because the host said it.
"""

import base64
import contextlib
import hashlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import paramiko
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificate,
    SSHCertificateType,
    load_ssh_public_identity,
)

from monitord.errors import MonitordError, NotReachedError
from monitord.model.result import Cause
from monitord.model.text import one_line
from monitord.transports.ssh_connect import Deadline, passed_on

_PORT = 22
_SCAN = 5  # seconds for each question
_KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512")
_AUTHORITY = "@cert-authority"
_SHA256_RECORD = 2  # the kind of fingerprint in an SSHFP record (RFC 6594)


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public host key: its kind as in known_hosts, and its base64 blob."""

    kind: str
    blob: str

    @property
    def fingerprint(self) -> str:
        """Give SHA256:…, as ssh-keygen -l prints it."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def known_name(address: str, port: int) -> str:
    """Give the name under which known_hosts has a host."""
    return address if port == _PORT else f"[{address}]:{port}"


def offered(address: str, port: int, *, certificates: bool = False) -> list[tuple[str, str]]:
    """Ask a host what it offers: kinds and blobs of keys, or of its certificates.

    Raises:
        NotReachedError: it offers nothing, or ssh-keyscan is not installed.
    """
    argv = ["ssh-keyscan", "-T", str(_SCAN), "-p", str(port), *(["-c"] if certificates else [])]
    try:
        ran = subprocess.run([*argv, address], capture_output=True, timeout=_SCAN * 6, check=False)
    except FileNotFoundError:
        text = "ssh-keyscan is not installed (apt install openssh-client)"
        raise NotReachedError(text, cause=Cause.TRANSPORT) from None
    except subprocess.TimeoutExpired:
        text = f"{known_name(address, port)}: offers no key within {_SCAN * 6} s"
        raise NotReachedError(text, cause=Cause.TIMEOUT) from None
    lines = [line.split() for line in ran.stdout.decode("utf-8", "replace").splitlines()]
    # The last two words: OpenSSH 9.2 leaves out the name before a certificate.
    found = [(words[-2], words[-1]) for words in lines if len(words) > 1 and words[0][0] != "#"]
    if not found and not certificates:
        said = one_line(ran.stderr.decode("utf-8", "replace"), 200)
        text = f"{known_name(address, port)}: offers no host key {said}".rstrip()
        raise NotReachedError(text, cause=Cause.TRANSPORT)
    return found


def keys_offered(address: str, port: int) -> list[HostKey]:
    """Give the plain keys that a host offers."""
    return [HostKey(kind, blob) for kind, blob in offered(address, port)]


def keys_through(
    carrier: paramiko.Transport, address: str, port: int, seconds: float
) -> list[HostKey]:
    """Give the plain keys that a host offers behind a jump host, one question for each kind.

    Raises:
        NotReachedError: it cannot be reached from there, or offers none.
    """
    place = f"{known_name(address, port)} behind the jump host"
    deadline, found = Deadline(seconds), []
    for kind in _KINDS:
        channel = passed_on(carrier, address, port, place, deadline)
        with contextlib.closing(paramiko.Transport(channel)) as asked:
            asked.get_security_options().key_types = (kind,)
            with contextlib.suppress(paramiko.SSHException, EOFError, OSError):  # has none of it
                asked.start_client(timeout=deadline.left)
                key = asked.get_remote_server_key()
                found.append(HostKey(key.get_name(), key.get_base64()))
    if not found:
        raise NotReachedError(f"{place}: offers no host key", cause=Cause.TRANSPORT)
    return found


def from_known_hosts(file: Path, name: str) -> list[HostKey]:
    """Give the keys that a known_hosts file (hashed or not) has for a name.

    Raises:
        MonitordError: the file cannot be read.
    """
    try:
        found = paramiko.HostKeys(str(file)).lookup(name)
    except (OSError, UnicodeDecodeError, paramiko.SSHException) as error:
        raise MonitordError(f"{file} cannot be read as known_hosts: {error}") from error
    keys = found.values() if found else ()
    return [HostKey(key.get_name(), key.get_base64()) for key in keys]


def fingerprints(file: Path, names: Iterable[str]) -> set[str]:
    """Give the fingerprints that a list (`host SHA256:…` a line) has for any of the names.

    Raises:
        MonitordError: it cannot be read, or a line is none of these.
    """
    wanted, found = set(names), set()
    for number, line in enumerate(_text(file).splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 2 or not words[1].startswith("SHA256:"):  # noqa: PLR2004 - two words
            raise MonitordError(f"{file}:{number}: write a host and its SHA256:… (ssh-keygen -lf)")
        if words[0] in wanted:
            found.add(words[1])
    return found


def vouched_by_ca(
    file: Path, certificates: Iterable[tuple[str, str]], names: Sequence[str]
) -> list[HostKey]:
    """Give the keys whose host certificate a CA of the file has signed for one of the names.

    The file holds public keys, alone or after `@cert-authority PATTERN`.

    Raises:
        MonitordError: the file holds no CA.
    """
    authorities = {_blob(line) for line in _text(file).splitlines()} - {""}
    if not authorities:
        raise MonitordError(f"{file}: holds no public key of a CA (ssh-keygen -s uses its secret)")
    found = []
    for kind, blob in certificates:
        key = _certified(f"{kind} {blob}".encode(), authorities, names)
        if key is not None:
            found.append(key)
    return found


def _blob(line: str) -> str:
    words = line.split()
    if words and words[0] == _AUTHORITY:
        words = words[2:]
    if len(words) < 2 or words[0].startswith("#"):  # noqa: PLR2004 - kind and blob
        return ""
    return words[1]


def _certified(data: bytes, authorities: set[str], names: Sequence[str]) -> HostKey | None:
    try:
        certificate = load_ssh_public_identity(data)
        if not isinstance(certificate, SSHCertificate):
            return None
        certificate.verify_cert_signature()
    except (ValueError, InvalidSignature):
        return None
    signer = _line(certificate.signature_key()).split()[1]
    principals = {one.decode("utf-8", "replace") for one in certificate.valid_principals}
    right = (
        certificate.type is SSHCertificateType.HOST
        and signer in authorities
        and principals & set(names)
        and certificate.valid_after <= time.time() < certificate.valid_before
        and not certificate.critical_options
    )
    if not right:
        return None
    kind, blob = _line(certificate.public_key()).split()[:2]
    return HostKey(kind, blob)


def _line(key: object) -> str:
    text: bytes = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)  # type: ignore[attr-defined] # a union of key classes that all have it
    return text.decode()


def record_matches(key: HostKey, kind: int, digest: bytes) -> bool:
    """Tell whether an SSHFP record of this kind of fingerprint is of the key; SHA-1 never is."""
    return kind == _SHA256_RECORD and hashlib.sha256(base64.b64decode(key.blob)).digest() == digest


def write(file: Path, name: str, keys: Sequence[HostKey], *, instead: bool) -> None:
    """Add keys of a host to a known_hosts file; `instead`: its other keys go.

    Raises:
        MonitordError: it cannot be written.
    """
    lines = _text(file).splitlines() if file.exists() else []
    if instead:
        lines = [line for line in lines if not _is_of(line, name)]
    lines += [f"{name} {key.kind} {key.blob}" for key in keys]
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
        owner = (file if file.exists() else file.parent).stat()
        fd, temporary = tempfile.mkstemp(dir=file.parent, prefix=".known_hosts")
        with os.fdopen(fd, "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")
            os.fchmod(out.fileno(), mode)
            if os.geteuid() == 0:
                os.fchown(out.fileno(), owner.st_uid, owner.st_gid)
        Path(temporary).replace(file)
    except OSError as error:
        raise MonitordError(f"{file} cannot be written: {error.strerror}") from error


def _is_of(line: str, name: str) -> bool:
    """Tell whether a line of known_hosts is about this host alone, hashed or plain."""
    try:
        entry = paramiko.hostkeys.HostKeyEntry.from_line(line)
    except (paramiko.SSHException, ValueError):
        return False
    if entry is None:
        return False
    known = entry.hostnames[0] if len(entry.hostnames) == 1 else ""
    return known == name or (
        known.startswith("|1|") and paramiko.HostKeys.hash_host(name, known) == known
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MonitordError(f"{file} cannot be read: {error}") from error
