"""What an agent said of one object, in plain Python; numbers are bounded by the protocol itself.

It decides what counts as a number and how a text of bytes is shown. Nothing is looked up in MIBs.
"""

from dataclasses import dataclass
from typing import Any

from monitord.model.text import one_line

Oid = tuple[int, ...]

_SHOWN = 200  # characters of a text


@dataclass(frozen=True, slots=True)
class Told:
    """One value: a `number` or None, its `text`, and of a counter how many `bits` it has."""

    text: str
    number: int | None = None
    bits: int = 0


def parse_oid(text: str) -> Oid:
    """Read `1.3.6.1.2.1.1.3.0`.

    Raises:
        ValueError: not an object identifier.
    """
    parts = text.strip().strip(".").split(".")
    if not all(part.isascii() and part.isdigit() and len(part) < 11 for part in parts):  # noqa: PLR2004 - 2^32 has ten digits
        raise ValueError(f"{text!r} is not an OID (write it in numbers: 1.3.6.1.2.1.1.3.0)")
    if len(parts) < 3 or len(parts) > 128 or parts[0] not in "012":  # noqa: PLR2004 - RFC 2578 §3.5
        raise ValueError(f"{text!r} is not an OID: it has 3 to 128 numbers and begins with 1.3")
    return tuple(int(part) for part in parts)


def show_oid(oid: Oid) -> str:
    """Write an OID with dots."""
    return ".".join(map(str, oid))


def told(value: Any) -> Told | None:
    """Read a value of the library; None: there is no such object (RFC 3416 §3)."""
    from pyasn1.type.univ import ObjectIdentifier
    from pysnmp.proto import rfc1902, rfc1905

    absent = (rfc1905.NoSuchObject, rfc1905.NoSuchInstance, rfc1905.EndOfMibView, rfc1902.Null)
    if isinstance(value, absent):
        return None
    if isinstance(value, rfc1902.IpAddress):
        return Told(".".join(str(octet) for octet in value.asOctets()))
    if isinstance(value, rfc1902.OctetString | rfc1902.Opaque):
        return Told(_text(bytes(value.asOctets())))
    if isinstance(value, ObjectIdentifier):
        return Told(show_oid(tuple(value)))
    bits = {rfc1902.Counter32: 32, rfc1902.Counter64: 64}.get(type(value), 0)
    number = int(value)
    return Told(str(number), number, bits)


def _text(said: bytes) -> str:
    """Show octets as text, or in hexadecimal: a physical address is no text."""
    trimmed = said.rstrip(b"\0")
    try:
        text = trimmed.decode("utf-8")
    except UnicodeDecodeError:
        return trimmed[: _SHOWN // 3].hex(":")
    if any(ord(sign) < 32 and sign not in "\r\n\t" for sign in text):  # noqa: PLR2004 - control characters end there
        return trimmed[: _SHOWN // 3].hex(":")
    return one_line(text, _SHOWN)
