"""The end of a certificate, read without verifying it."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.model.result import Status
from monitord.probes.network.tls import Expires, judge_expiry, not_after

KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(ends: dt.datetime, name: str = "shop") -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(1950, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(ends)
        .sign(KEY, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.DER)


moments = st.datetimes(
    *(dt.datetime.fromisoformat(edge) for edge in ("1950-01-02", "9999-12-31T23:59:59")),
    timezones=st.just(dt.UTC),
).map(lambda moment: moment.replace(microsecond=0))


@given(moments, st.text("abc", min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_it_is_what_the_certificate_says(ends: dt.datetime, name: str) -> None:
    """Both of X.509's ways to write a time: two-digit years up to 2049, four digits after."""
    assert not_after(certificate(ends, name)) == ends


WHOLE = certificate(dt.datetime(2030, 1, 1, tzinfo=dt.UTC))


@given(st.integers(0, len(WHOLE) - 1))
def test_a_part_of_a_certificate_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="certificate"):
        not_after(WHOLE[:length])


@given(st.binary(max_size=80))
def test_bytes_that_are_no_certificate_are_refused(junk: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        not_after(b"\x30" + junk)


@pytest.mark.parametrize(
    ("days", "status", "told"),
    [
        (30, None, ""),
        (20.9, Status.WARNING, "certificate ends in 20.9 days, the limit is 21d"),
        (6.5, Status.CRITICAL, "certificate ends in 6.5 days, the limit is 7d"),
        (-2, Status.CRITICAL, "certificate ended 2.0 days ago"),
    ],
)
def test_limits(days: float, status: Status | None, told: str) -> None:
    expires = Expires.model_validate({"warning": "21d", "critical": "7d"})
    finding = judge_expiry(expires, dt.timedelta(days=days))
    assert finding == ((status, told) if status else None)
    assert judge_expiry(None, dt.timedelta(days=-5)) is None
