"""The `email` backend against a real SMTP server: threads, headers, TLS, refusals."""

from __future__ import annotations

import email
import email.policy
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from monitord.errors import TicketError
from monitord.model.ticket import Operation
from monitord.secrets import SecretRef, resolve
from monitord.tickets.email import Email, EmailSpec, compose, message_id
from tests.tickets.ticket import TICKET, message
from tests.world.hostile import write_certificate
from tests.world.process import free_port
from tests.world.sinks import MailSink

BASE: dict[str, Any] = {
    "host": "127.0.0.1",
    "security": "none",
    "sender": "monitord@example.com",
    "to": ["ops@example.com"],
}


def post(port: int, **more: Any) -> Email:
    spec = EmailSpec.model_validate({**BASE, "port": port, "timeout": "5s", **more})
    return Email(spec, lambda value: value if isinstance(value, str) else resolve(value))


def failure(backend: Email) -> TicketError:
    with pytest.raises(TicketError) as caught:
        backend.deliver(message(), TICKET, "")
    return caught.value


def test_the_mail_holds_the_whole_ticket(mail_sink: MailSink) -> None:
    to = ["ops@example.com", "night@example.com"]
    post(mail_sink.port, to=to).deliver(message(), TICKET, "")
    (mail,) = mail_sink.messages
    assert mail.sender == "monitord@example.com"
    assert mail.recipients == to
    assert mail.message["Subject"] == "[monitord P3 L1] web1/site: no answer within 5 s"
    assert mail.message["To"] == "ops@example.com, night@example.com"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert "I have stopped. It is yours." in mail.text
    assert "  2026-03-01 02:40:00 UTC  ack  on it  (kim)" in mail.text


def test_the_mails_of_one_incident_are_one_thread(mail_sink: MailSink) -> None:
    backend = post(mail_sink.port)
    external = ""
    for number, operation in enumerate((Operation.OPEN, Operation.UPDATE, Operation.RESOLVE)):
        external = backend.deliver(message(number, operation), TICKET, external).external
    first, second, third = (mail.message for mail in mail_sink.messages)
    assert first["In-Reply-To"] is None
    assert external == first["Message-ID"]
    for later in (second, third):
        assert later["In-Reply-To"] == later["References"] == first["Message-ID"]
    assert len({mail["Message-ID"] for mail in (first, second, third)}) == 3
    assert second["Subject"] == f"Re: {first['Subject']}"
    assert third["Subject"] == "Re: [monitord P3 L1] resolved: web1/site: no answer within 5 s"


def test_a_repeated_message_has_the_same_message_id(mail_sink: MailSink) -> None:
    backend = post(mail_sink.port)
    backend.deliver(message(7), TICKET, "")
    backend.deliver(message(7), TICKET | {"summary": "changed meanwhile"}, "")
    one, two = (mail.message["Message-ID"] for mail in mail_sink.messages)
    assert one == two


def test_a_reference_that_is_no_message_id_begins_a_new_thread(mail_sink: MailSink) -> None:
    delivery = post(mail_sink.port).deliver(message(), TICKET, "OPS-7\r\nBcc: x@evil.example")
    (mail,) = mail_sink.messages
    assert mail.message["References"] is None
    assert mail.message["Bcc"] is None
    assert delivery.external == mail.message["Message-ID"]


HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Monitord-Key",
    "Content-Type",
    "Content-Transfer-Encoding",
    "MIME-Version",
}
SPEC = EmailSpec.model_validate(BASE)
evil = st.one_of(
    st.text(max_size=120),
    st.text(st.sampled_from('a \r\n\t\x00:=?<>@"\\,;é\u2028\u202e\ud800日'), max_size=250),
    st.sampled_from(["x\r\nBcc: evil@example.com", "=?utf-8?q?=0D=0ABcc:_x@y?=", "a" * 3000]),
)


@given(evil, evil, evil, evil)
@settings(max_examples=300, deadline=None)
def test_no_text_of_a_target_becomes_a_header(a: str, b: str, c: str, d: str) -> None:
    ticket = TICKET | {"title": a, "key": b, "priority": c, "summary": d, "tier": d}
    raw = compose(SPEC, message(key=a), ticket, "")
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    assert set(read.keys()) == HEADERS
    assert not read.defects
    assert read["To"] == "ops@example.com"
    assert "\n" not in read["Subject"]
    head, _, body = raw.partition(b"\r\n\r\n")
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in head.replace(b"\r\n", b"").replace(b"\n", b"\n" * (b"\r\n" not in head))
    assert body


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=80))
@settings(max_examples=200, deadline=None)
def test_a_subject_arrives_as_it_was(title: str) -> None:
    ticket = TICKET | {"title": title, "summary": "s"}
    raw = compose(SPEC, message(), ticket, "")
    read = email.message_from_bytes(raw, policy=email.policy.default)
    wanted = f"[monitord P3 L1] web1/site: {title or 's'}"
    assert title.startswith("web1/site") or read["Subject"] == wanted


def test_long_lines_and_dots_survive_the_wire(mail_sink: MailSink) -> None:
    text = "x" * 3000 + "\n.\n..\nFrom here\nä\u2603"
    ticket = TICKET | {"evidence": [{"title": "log", "text": text}]}
    post(mail_sink.port).deliver(message(), ticket, "")
    shown = mail_sink.messages[0].text
    assert "  | " + "x" * 3000 in shown
    assert "  | .\n  | ..\n  | From here\n  | ä\u2603\n" in shown


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        ("421 4.3.2 shutting down", False),
        ("450 4.2.1 busy", False),
        ("452 4.2.2 full", False),
        ("550 5.1.1 no such user", True),
        ("552 5.3.4 too big", True),
        ("554 5.7.1 spam", True),
    ],
)
def test_which_refusals_are_worth_another_try(
    mail_sink: MailSink, answer: str, permanent: bool
) -> None:
    mail_sink.refuse(answer)
    error = failure(post(mail_sink.port))
    assert error.permanent is permanent
    assert str(error) == f"mail server 127.0.0.1 answered {answer}"


class Picky:
    """Refuses the recipients it is told to, at RCPT."""

    def __init__(self, refused: dict[str, str]) -> None:
        self.refused = refused
        self.taken: list[list[str]] = []

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope, to: str, _options: list[str]
    ) -> str:
        """Take a recipient or refuse it."""
        if to in self.refused:
            return self.refused[to]
        envelope.rcpt_tos.append(to)
        return "250 ok"

    async def handle_DATA(  # noqa: N802 - as above
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Note for whom it was."""
        self.taken.append(envelope.rcpt_tos)
        return "250 ok"


@contextmanager
def serving(handler: object, **more: Any) -> Iterator[int]:
    port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port, **more)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def test_recipients_that_are_refused() -> None:
    gone, busy = "550 5.1.1 no such user", "450 4.2.1 try later"
    to = ["a@example.com", "b@example.com"]
    with serving(picky := Picky({"a@example.com": gone})) as port:
        post(port, to=to).deliver(message(), TICKET, "")
        assert picky.taken == [["b@example.com"]]
    with serving(Picky(dict.fromkeys(to, gone))) as port:
        error = failure(post(port, to=to))
        assert error.permanent
        assert "refused a@example.com: 550 5.1.1 no such user" in str(error)
    with serving(Picky({"a@example.com": gone, "b@example.com": busy})) as port:
        assert not failure(post(port, to=to)).permanent


def sign_in(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
) -> AuthResult:
    assert isinstance(data, LoginPassword)
    good = (data.login, data.password) == (b"kim", b"hunter22")
    return AuthResult(success=good, handled=good)


def tls_context(folder: Path) -> tuple[ssl.SSLContext, str]:
    pem = write_certificate(folder, valid_for=timedelta(days=9))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context, str(pem)


def test_starttls_and_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "hunter22")
    context, pem = tls_context(tmp_path)
    login = {"user": "kim", "password": SecretRef("env", "SMTP_PASSWORD"), "security": "starttls"}
    more = {"tls_context": context, "authenticator": sign_in, "auth_required": True}
    with serving(picky := Picky({}), require_starttls=True, **more) as port:
        post(port, ca=pem, **login).deliver(message(), TICKET, "")
        assert len(picky.taken) == 1
        untrusted = failure(post(port, **login))
        assert not untrusted.permanent
        assert "certificate" in str(untrusted)
        monkeypatch.setenv("SMTP_PASSWORD", "wrong-password")
        rejected = failure(post(port, ca=pem, **login))
        assert not rejected.permanent
        assert "535" in str(rejected)
        assert "wrong-password" not in str(rejected)


def test_tls_from_the_first_byte(tmp_path: Path) -> None:
    context, pem = tls_context(tmp_path)
    with serving(picky := Picky({}), ssl_context=context) as port:
        post(port, ca=pem, security="tls").deliver(message(), TICKET, "")
        assert len(picky.taken) == 1


def test_a_server_without_starttls_gets_no_mail_in_the_clear(mail_sink: MailSink) -> None:
    error = failure(post(mail_sink.port, security="starttls"))
    assert not error.permanent
    assert "STARTTLS" in str(error)
    assert mail_sink.messages == []


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"to": []}, "at least 1 item"),
    ({"to": "ops"}, "'ops' is not a mail address (write name@example.com)"),
    ({"to": "a@b.c\r\nBcc: x@y.z"}, "is not a mail address"),
    ({"sender": "Monitor <m@example.com>"}, "is not a mail address"),
    ({"sender": "münchen@example.com"}, "is not a mail address"),
    ({"user": "kim"}, "user and password belong together"),
    ({"user": "k", "password": "p"}, "a password is not sent without TLS"),
    ({"security": "ssl"}, "'starttls', 'tls' or 'none'"),
    ({"port": 0}, "greater than or equal to 1"),
]


@pytest.mark.parametrize(("written", "told"), MISTAKES)
def test_each_mistake_is_told(written: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        EmailSpec.model_validate(BASE | written)
    assert told in str(caught.value)


def test_message_ids_name_the_sender_s_domain_and_betray_no_key() -> None:
    assert message_id(SPEC, message(7, key="customer/12")).endswith(".7@example.com>")
    assert "customer" not in message_id(SPEC, message(7, key="customer/12"))
