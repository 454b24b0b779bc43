"""What the certificates that a server sent say of themselves. Pure; texts are safe to show."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from monitord.model.text import one_line

_MOST = 10  # certificates of one chain


@dataclass(frozen=True, slots=True)
class Shown:
    """One certificate: whose, whose word it is, until when, for which names and addresses."""

    subject: str
    issuer: str
    ends: datetime
    names: tuple[str, ...]
    is_root: bool


def read_chain(sent: Sequence[bytes]) -> Sequence[Shown]:
    """Read certificates in DER, the server's own first.

    Raises:
        ValueError: none was sent, or one cannot be read.
    """
    if not sent:
        raise ValueError("none was sent")
    return [_read(der) for der in sent[:_MOST]]


def _read(der: bytes) -> Shown:
    certificate = x509.load_der_x509_certificate(der)
    return Shown(
        _who(certificate.subject),
        _who(certificate.issuer),
        certificate.not_valid_after_utc,
        _names(certificate),
        certificate.subject == certificate.issuer,
    )


def _who(name: x509.Name) -> str:
    """Give the common name, else the organisation, else the whole."""
    parts: list[str] = []
    for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        found = name.get_attributes_for_oid(oid)
        if found:
            parts.append(one_line(str(found[0].value), 60))
    return " ".join(dict.fromkeys(parts)) or one_line(name.rfc4514_string(), 80) or "nobody"


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = map(str, held.get_values_for_type(x509.IPAddress))
    return tuple(one_line(n, 80) for n in (*held.get_values_for_type(x509.DNSName), *addresses))


def holds(shown: Shown, name: str) -> bool:
    """Tell whether a certificate is for `name`; `*.` stands for one label (RFC 6125)."""
    wanted = name.lower().removesuffix(".")
    try:
        wanted = str(ipaddress.ip_address(wanted))
    except ValueError:
        above = "*." + wanted.partition(".")[2]
    else:
        above = wanted
    return any(held.lower() in {wanted, above} for held in shown.names)
