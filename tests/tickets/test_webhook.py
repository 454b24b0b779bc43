"""The `webhook` backend against a real HTTP server: what is sent, signed and made of answers."""

from __future__ import annotations

import hashlib
import hmac
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitord.errors import TicketError
from monitord.model.ticket import Operation
from monitord.secrets import SecretRef, resolve
from monitord.tickets.webhook import Webhook, WebhookSpec, sign
from tests.tickets.ticket import TICKET, message
from tests.world.hostile import write_certificate
from tests.world.sinks import WebhookSink

SECRET = "s3cr3t-of-the-hook"  # noqa: S105 - a test's own


def hook(url: str, **more: Any) -> Webhook:
    spec = WebhookSpec.model_validate({"url": url, "secret": SECRET, **more})
    return Webhook(spec, lambda value: value if isinstance(value, str) else resolve(value))


def failure(backend: Webhook) -> TicketError:
    with pytest.raises(TicketError) as caught:
        backend.deliver(message(), TICKET, "")
    return caught.value


def test_the_ticket_is_posted_with_its_operation_and_reference(webhook_sink: WebhookSink) -> None:
    hook(f"{webhook_sink.url}/in?x=1").deliver(message(9, Operation.UPDATE), TICKET, "OPS-4")
    (received,) = webhook_sink.received
    assert (received.method, received.path) == ("POST", "/in?x=1")
    assert received.headers["content-type"] == "application/json"
    assert received.json() == {
        "operation": "update",
        "key": "prod/12",
        "message": 9,
        "external": "OPS-4",
        "ticket": TICKET,
    }


def test_the_signature_is_what_a_receiver_computes(webhook_sink: WebhookSink) -> None:
    """Written out as a receiver would write it, not with our own function."""
    hook(webhook_sink.url).deliver(message(), TICKET | {"title": "größer\u202e"}, "")
    (received,) = webhook_sink.received
    parts = dict(part.split("=") for part in received.headers["x-monitord-signature"].split(","))
    signed = parts["t"].encode() + b"." + received.body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(parts["v1"], expected)
    assert abs(int(parts["t"]) - time.time()) < 60


@given(st.text(min_size=1), st.binary(), st.binary())
def test_another_body_or_secret_has_another_signature(
    secret: str, body: bytes, other: bytes
) -> None:
    secret = secret.encode("utf-8", "replace").decode()
    assert (sign(secret, 1, body) == sign(secret, 1, other)) is (body == other)
    assert sign(secret, 1, body) != sign(secret + "x", 1, body)
    assert sign(secret, 1, body) != sign(secret, 2, body)


def test_a_repeat_has_the_same_idempotency_key(webhook_sink: WebhookSink) -> None:
    backend = hook(webhook_sink.url)
    for item in (message(7), message(7), message(8), message(7, key="ümlaut\r\nX-Evil: 1")):
        backend.deliver(item, TICKET, "")
    keys = [received.headers["idempotency-key"] for received in webhook_sink.received]
    assert keys == [
        "prod/12:open:7",
        "prod/12:open:7",
        "prod/12:open:8",
        "%C3%BCmlaut%0D%0AX-Evil:%201:open:7",
    ]
    assert all("x-evil" not in received.headers for received in webhook_sink.received)


@pytest.mark.parametrize(
    ("said", "external", "url"),
    [
        (b'{"id": "OPS-7", "url": "https://t.example.com/7"}', "OPS-7", "https://t.example.com/7"),
        (b'{"id": 7}', "7", ""),
        (b'{"id": true, "url": "javascript:alert(1)"}', "before", ""),
        (b'{"id": {"a": 1}, "url": 5}', "before", ""),
        (b'{"id": "a\\u001b[2J"}', "a\\x1b[2J", ""),
        (b"[]", "before", ""),
        (b"thanks", "before", ""),
        (b"", "before", ""),
        (b"[" * 50_000, "before", ""),
    ],
)
def test_the_receiver_s_reference_is_kept(
    webhook_sink: WebhookSink, said: bytes, external: str, url: str
) -> None:
    webhook_sink.answer(201, said)
    delivery = hook(webhook_sink.url).deliver(message(), TICKET, "before")
    assert (delivery.external, delivery.url) == (external, url)


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        (400, True),
        (413, True),
        (422, True),
        (301, False),
        (401, False),
        (403, False),
        (404, False),
        (408, False),
        (425, False),
        (429, False),
        (500, False),
        (502, False),
        (503, False),
    ],
)
def test_which_answers_are_worth_another_try(
    webhook_sink: WebhookSink, status: int, permanent: bool
) -> None:
    webhook_sink.answer(status, b"go\x1b[2J away")
    error = failure(hook(webhook_sink.url))
    assert error.permanent is permanent
    assert str(error) == f"127.0.0.1 answered {status}: go\\x1b[2J away"


def http_date(seconds: int) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        (lambda: "120", 120, 120),
        (lambda: "0", 0, 0),
        (lambda: "99999999999999999999", 86400, 86400),
        (lambda: http_date(300), 290, 301),
        (lambda: http_date(-300), 0, 0),
        (lambda: "Sun, 06 Nov 1994 08:49:37", 0, 0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(
    webhook_sink: WebhookSink, status: int, header: Callable[[], str], least: float, most: float
) -> None:
    webhook_sink.answer(status, headers={"Retry-After": header()})
    wait = failure(hook(webhook_sink.url)).retry_after
    assert wait is not None
    assert least <= wait <= most


@pytest.mark.parametrize("header", ["soon", "-5", "1.5", "²", ""])
def test_a_retry_after_that_is_none_is_ignored(webhook_sink: WebhookSink, header: str) -> None:
    webhook_sink.answer(503, headers={"Retry-After": header.encode().decode("latin-1")})
    assert failure(hook(webhook_sink.url)).retry_after is None


def test_a_refusal_for_good_has_no_time_to_wait(webhook_sink: WebhookSink) -> None:
    webhook_sink.answer(422, headers={"Retry-After": "5"})
    assert failure(hook(webhook_sink.url)).retry_after is None


def test_a_redirect_is_not_followed(webhook_sink: WebhookSink) -> None:
    """A signed ticket goes where it was configured to go."""
    with WebhookSink() as elsewhere:
        webhook_sink.answer(307, headers={"Location": elsewhere.url})
        error = failure(hook(webhook_sink.url))
    assert not error.permanent
    assert str(error).endswith(f"answered 307 to {elsewhere.url}: set the new url")
    assert elsewhere.received == []


def test_no_secret_is_told_in_an_error(
    webhook_sink: WebhookSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_URL", f"{webhook_sink.url}/T0KEN-IN-PATH")
    monkeypatch.setenv("HOOK_TOKEN", "hunter22")
    backend = hook(
        SecretRef("env", "HOOK_URL"),  # type: ignore[arg-type]  # what YAML gives for !secret
        headers={"X-Token": SecretRef("env", "HOOK_TOKEN")},
    )
    webhook_sink.answer(400, f"bad token hunter22 {SECRET} for /T0KEN-IN-PATH".encode())
    said = [str(failure(backend))]
    assert webhook_sink.received[0].headers["x-token"] == "hunter22"
    monkeypatch.setenv("HOOK_URL", "http://127.0.0.1:1/T0KEN-IN-PATH")
    said.append(str(failure(backend)))
    monkeypatch.setenv("HOOK_URL", "T0KEN-IN-PATH")
    said.append(str(failure(backend)))
    for text in said:
        for secret in ("hunter22", SECRET, "T0KEN"):
            assert secret not in text


class Answering(BaseHTTPRequestHandler):
    """A receiver that takes every message as its number 5."""

    def do_POST(self) -> None:
        """Read the whole request, then answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"id": "5"}')

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def https(folder: Path, valid_for: timedelta) -> Iterator[tuple[str, str]]:
    """Serve with a certificate of our own; gives the URL and the file to trust."""
    pem = write_certificate(folder, valid_for=valid_for)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}/", str(pem)
        finally:
            server.shutdown()
            thread.join()


def test_https_is_verified(tmp_path: Path) -> None:
    with https(tmp_path, timedelta(days=5)) as (url, pem):
        error = failure(hook(url))
        assert not error.permanent
        assert "certificate" in str(error).lower()
        assert hook(url, ca=pem).deliver(message(), TICKET, "").external == "5"
    with https(tmp_path, timedelta(days=-5)) as (url, pem):
        assert not failure(hook(url, ca=pem)).permanent


def test_an_authority_of_the_system_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with https(tmp_path, timedelta(days=5)) as (url, pem):
        monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
        monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
        monkeypatch.setenv("SSL_CERT_FILE", pem)
        assert hook(url).deliver(message(), TICKET, "").external == "5"


def test_a_ca_that_is_missing_says_so() -> None:
    error = failure(hook("https://127.0.0.1:1/", ca="/no/such.pem"))
    assert not error.permanent
    assert "/no/such.pem" in str(error)


@pytest.mark.parametrize("url", ["shop", "ftp://h/", "http://", "http://[::1/"])
def test_a_url_that_is_none_is_told(url: str) -> None:
    with pytest.raises(ValidationError, match=r"is not a URL \(write https://host/path\)"):
        hook(url)
