"""TLS for network probes: what a user may ask of it, contexts made once, the certificate's end.

It decides when an expiring certificate is bad. A certificate that does not verify is refused by
OpenSSL in the handshake (connect.py words that). No session is resumed: each run proves the whole
handshake. Contexts are made in a thread of their own, so that reading a CA bundle stalls nobody.
"""

import asyncio
import os
import ssl
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from monitord.clock import SystemClock, as_datetime
from monitord.errors import MonitordError
from monitord.model.result import Measurement, Status
from monitord.model.spec import Duration, Spec, format_duration

_CLOCK = SystemClock()  # a certificate's dates are wall time; OpenSSL judges them by it as well
_DAY = timedelta(days=1)
_REREAD = 3600.0  # seconds: a CA that was removed from a hashed folder is forgotten by then
_SEQUENCE, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
_LONG_FORM = 0x80


class Expires(Spec):
    """How much time a certificate must have left."""

    warning: Duration | None = Field(
        None, description="WARNING when less is left of it.", examples=["21d"]
    )
    critical: Duration | None = Field(
        None, description="CRITICAL when less is left of it.", examples=["7d"]
    )


class TlsSpec(Spec):
    """What must be true of a TLS connection."""

    verify: bool = Field(
        default=True, description="Whether the certificate must be trusted and fit the name."
    )
    server_name: str = Field(
        "", description="The name to ask for and to verify; left out: the host of the address."
    )
    ca: str = Field(
        "",
        description="A PEM file of the authorities to trust; left out: those of the system.",
        examples=["/etc/ssl/our-ca.pem"],
    )
    expires: Expires | None = Field(
        None, description="How much time the certificate must have left, in days."
    )
    certificate: str = Field(
        "",
        description="A PEM file with the certificate that we show of ourselves, where the server "
        "wants one; those above it may follow in it.",
        examples=["/etc/monitord/probe.pem"],
    )
    key: str = Field(
        "",
        description="A PEM file with its private key, without a passphrase; left out: the same "
        "file.",
        examples=["/etc/monitord/probe.key"],
    )

    @model_validator(mode="after")
    def _key_of_what(self) -> "TlsSpec":
        if self.key and not self.certificate:
            raise ValueError("tls.key without tls.certificate: name the certificate too")
        return self


def _switch(value: object) -> object:
    if value is True or (isinstance(value, str) and value in {"yes", "on", "true"}):
        return {}
    if value is False or (isinstance(value, str) and value in {"no", "off", "false"}):
        return None
    return value


_Written = TlsSpec | bool | Literal["yes", "on", "no", "off"] | None
Tls = Annotated[TlsSpec | None, BeforeValidator(_switch, json_schema_input_type=_Written)]
"""A mapping of TLS settings, or `yes` for the defaults."""


class BadAuthorityError(MonitordError):
    """A PEM file of a check cannot be used; the text names it."""


_Key = tuple[bool, str, str, str, tuple[str, ...]]
_contexts: dict[_Key, tuple[object, Future[ssl.SSLContext]]] = {}
_maker = ThreadPoolExecutor(1, thread_name_prefix="tls-context")


async def context_for(spec: TlsSpec, protocols: tuple[str, ...] = ()) -> ssl.SSLContext:
    """Give the shared client context for these settings; `protocols` is offered by ALPN.

    Raises:
        BadAuthorityError: the CA file is missing or holds no certificate, or ours cannot be used.
    """
    own = (spec.certificate, spec.key or spec.certificate)
    key = (spec.verify, spec.ca, *own, protocols)
    stamp = (_stamp(spec.ca), *map(_stamp, own)) if spec.certificate else _stamp(spec.ca)
    kept = _contexts.get(key)
    if kept is None or kept[0] != stamp:
        kept = _contexts[key] = (stamp, _maker.submit(_make, *key))
    made = kept[1]
    try:
        # Shielded: one probe that is cut off must not cancel the context of all others.
        return made.result() if made.done() else await asyncio.shield(asyncio.wrap_future(made))
    except BadAuthorityError:
        _contexts.pop(key, None)
        raise
    except (OSError, ssl.SSLError) as error:
        _contexts.pop(key, None)
        raise BadAuthorityError(f"tls.ca {spec.ca}: cannot be read: {error}") from error


def _stamp(authority: str) -> object:
    path = authority or ssl.get_default_verify_paths().cafile
    try:
        changed = os.stat(path).st_mtime_ns if path else 0  # noqa: PTH116 - twice as fast as Path
    except OSError:
        changed = -1
    return changed, time.monotonic() // _REREAD


def _make(
    verify: bool, authority: str, certificate: str, private: str, protocols: tuple[str, ...]
) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority or None)
    if certificate:
        _show_own(context, certificate, private)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def _show_own(context: ssl.SSLContext, certificate: str, private: str) -> None:
    # An empty passphrase: without one, OpenSSL would ask for it on the terminal.
    try:
        context.load_cert_chain(certificate, private, password="")
    except (OSError, ssl.SSLError) as error:
        text = f"tls.certificate {certificate} with tls.key {private}: cannot be used: {error}"
        raise BadAuthorityError(text) from error


def time_left(certificate: bytes) -> timedelta:
    """Tell how long a certificate (DER) is still valid; negative once it has ended.

    Raises:
        ValueError: not a certificate.
    """
    return not_after(certificate) - as_datetime(_CLOCK.now())


def judge_expiry(expires: Expires | None, left: timedelta) -> tuple[Status, str] | None:
    """Hold the time that a certificate has left against its limits; None when it is well."""
    if expires is None:
        return None
    if left < timedelta():
        return Status.CRITICAL, f"certificate ended {-left / _DAY:.1f} days ago"
    for status, limit in (
        (Status.CRITICAL, expires.critical),
        (Status.WARNING, expires.warning),
    ):
        if limit is not None and left < limit:
            text = f"certificate ends in {left / _DAY:.1f} days, the limit is "
            return status, text + format_duration(limit)
    return None


def measure_expiry(expires: Expires | None, left: timedelta) -> Measurement:
    """Give `tls_days`: days left, with the limits as Nagios ranges."""
    warning = expires.warning if expires else None
    critical = expires.critical if expires else None
    return Measurement(
        "tls_days",
        round(left / _DAY, 3),
        warning=f"{warning / _DAY:g}:" if warning is not None else "",
        critical=f"{critical / _DAY:g}:" if critical is not None else "",
    )


def not_after(certificate: bytes) -> datetime:
    """Read the end of validity from a certificate in DER (RFC 5280 §4.1), verified or not.

    The standard library decodes only certificates that it has verified.

    Raises:
        ValueError: not a certificate.
    """
    try:
        _, at, _ = _element(certificate, 0, _SEQUENCE)  # Certificate
        _, at, _ = _element(certificate, at, _SEQUENCE)  # TBSCertificate
        tag, _, end = _element(certificate, at)
        if tag == _VERSION:
            _, _, end = _element(certificate, end)  # serialNumber
        _, _, end = _element(certificate, end, _SEQUENCE)  # signature
        _, _, end = _element(certificate, end, _SEQUENCE)  # issuer
        _, at, _ = _element(certificate, end, _SEQUENCE)  # validity
        _, _, end = _element(certificate, at)  # notBefore
        tag, start, end = _element(certificate, end)
        return _moment(tag, certificate[start:end].decode("ascii"))
    except IndexError:
        raise ValueError("the certificate is cut short") from None


def _element(der: bytes, at: int, expected: int | None = None) -> tuple[int, int, int]:
    """Give tag, start and end of the content of the element at `at`."""
    tag, length, start = der[at], der[at + 1], at + 2
    if expected is not None and tag != expected:
        raise ValueError(f"not a certificate: tag {tag:#x} at byte {at}")
    if length >= _LONG_FORM:
        size = length - _LONG_FORM
        length = int.from_bytes(der[start : start + size], "big")
        start += size
    if start + length > len(der):
        raise ValueError("the certificate is cut short")
    return tag, start, start + length


def _moment(tag: int, text: str) -> datetime:
    if tag == _UTC_TIME:
        # RFC 5280 §4.1.2.5.1: 50 and above are the 1900s.
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError(f"not a certificate: tag {tag:#x} in place of a time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
