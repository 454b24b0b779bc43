"""`imap`, `pop3` and `smtp` against a real dovecot and a real SMTP server, and hostile ones."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import ValidationError

from monitord.model.result import Cause, Result, Status
from monitord.probes import PROBES
from monitord.secrets import SecretRef
from tests.probes_network.ask import ask
from tests.probes_network.authority import Chain
from tests.probes_network.clean import is_clean
from tests.probes_network.conftest import Speaking
from tests.probes_network.dovecot import Dovecot
from tests.probes_network.sockets import connected_to
from tests.world.hostile import hostile
from tests.world.needs import need, requires
from tests.world.process import free_port

PROBE = {"user": "probe", "password": "hunter22"}


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    need("dovecot")
    with Dovecot() as peer:
        peer.mail("old", hours=30)
        peer.mail("young", hours=5)
        yield peer


def look(kind: str, port: int, *, timeout: float = 5.0, **spec: Any) -> Result:
    return ask(kind, {"port": port, **spec}, timeout=timeout)


@requires("dovecot")
@pytest.mark.parametrize(
    ("kind", "port", "encryption"),
    [("imap", "imap", "starttls"), ("imap", "imaps", "tls"), ("pop3", "pop3", "starttls")],
)
def test_real_mailboxes_let_us_in(dovecot: Dovecot, kind: str, port: str, encryption: str) -> None:
    at = getattr(dovecot, port)
    result = look(kind, at, encryption=encryption, tls={"ca": str(dovecot.root)}, **PROBE)
    assert result.status is Status.OK, result.summary
    assert "greets, logged in, 2 mails" in result.summary
    assert {m.name: m.value for m in result.measurements}["messages"] == 2
    assert look(kind, dovecot.pop3 if kind == "pop3" else dovecot.imap).status is Status.OK


@requires("dovecot")
@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"messages_critical": 1}, "2 mails in INBOX (limit 1)"),
        ({"oldest_critical": "1d"}, "the oldest mail lies there for 1 d 6 h (limit 1d)"),
        ({"newest_critical": "2h"}, "no mail has come for 5 h"),
        ({"mailbox": "Nix"}, "mailbox Nix cannot be opened"),
    ],
)
def test_a_full_or_stale_mailbox_is_told(dovecot: Dovecot, spec: dict[str, Any], told: str) -> None:
    tls = {"ca": str(dovecot.root)}
    result = look("imap", dovecot.imaps, encryption="tls", tls=tls, **PROBE, **spec)
    assert result.status is Status.CRITICAL
    assert told in result.summary, result.summary


@requires("dovecot")
@pytest.mark.parametrize("kind", ["imap", "pop3"])
def test_a_wrong_password_is_our_trouble(
    dovecot: Dovecot, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "not-the-one")
    result = look(
        kind, getattr(dovecot, kind), encryption="starttls", tls={"ca": str(dovecot.root)},
        user="probe", password=SecretRef("env", "MAIL_PASSWORD"),
    )  # fmt: skip
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.LOGIN)
    assert "login of probe is refused" in result.summary
    assert "not-the-one" not in result.summary


@requires("dovecot")
def test_an_untrusted_certificate_is_refused_before_any_password(dovecot: Dovecot) -> None:
    result = look("imap", dovecot.imap, encryption="starttls", **PROBE)
    assert result.status is Status.CRITICAL
    assert "certificate refused" in result.summary


class Handler:
    """Takes mail for shop.test alone, and never any text."""

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if address.startswith("later"):
            return "451 4.7.1 come later"
        if not address.endswith("@shop.test"):
            return "550 5.1.1 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 ok"


@pytest.fixture(scope="module")
def postbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    made = Chain(tmp_path_factory.mktemp("smtp"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.chain, made.key)

    def check(*args: Any) -> AuthResult:
        given = args[-1]
        assert isinstance(given, LoginPassword)
        return AuthResult(success=given.password == b"hunter22", handled=False)

    controller = Controller(
        Handler(), hostname="127.0.0.1", port=0, tls_context=context, authenticator=check
    )
    controller.port = free_port()
    controller.start()
    yield controller.port, made.root
    controller.stop()


def test_a_real_server_takes_mail_for_its_own(postbox: tuple[int, Path]) -> None:
    port, root = postbox
    result = look(
        "smtp", port, encryption="starttls", tls={"ca": str(root)}, recipient="kim@shop.test",
        offers=["8BITMIME", "AUTH PLAIN"], banner="Python SMTP", **PROBE,
    )  # fmt: skip
    assert result.status is Status.OK, result.summary
    assert "greets, logged in, takes mail for kim@shop.test" in result.summary
    assert [m.name for m in result.measurements] == ["time", "tls_days"]


@pytest.mark.parametrize(
    ("spec", "status", "told"),
    [
        ({"recipient": "kim@else.test"}, Status.CRITICAL,
         'does not take mail for kim@else.test: 550 "5.1.1 nobody here"'),
        ({"recipient": "later@shop.test"}, Status.WARNING, "451"),
        ({"offers": ["DSN"]}, Status.CRITICAL, "does not offer DSN"),
        ({"banner": "^mail.shop"}, Status.CRITICAL, "expected /^mail.shop/"),
        ({"tls": {}, "encryption": "starttls"}, Status.CRITICAL, "certificate refused"),
        ({"encryption": "starttls", "user": "probe", "password": "wrong"}, Status.UNKNOWN,
         "login of probe is refused: 535"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(
    postbox: tuple[int, Path], spec: dict[str, Any], status: Status, told: str
) -> None:
    port, root = postbox
    result = look("smtp", port, **{"tls": {"ca": str(root)}, **spec})
    assert result.status is status, result.summary
    assert told in result.summary


def test_what_a_server_repeats_of_a_password_is_not_shown(speaker: Speaking) -> None:
    said = b"220 hi\r\n250 x\r\n334 \r\n501 what is AHByb2JlAGh1bnRlcjIy hunter22\r\n"
    port = speaker(said, listens=False).port
    result = look("smtp", port, clear_text=True, **PROBE)
    assert result.summary.endswith('"what is [redacted] [redacted]"'), result.summary


@pytest.mark.parametrize("encryption", ["none", "starttls", "tls"])
@pytest.mark.parametrize("kind", ["smtp", "imap", "pop3"])
@pytest.mark.parametrize("manner", ["silent", "drip", "garbage", "endless_body", "resets"])
def test_hostile_servers_cost_the_deadline(manner: str, kind: str, encryption: str) -> None:
    with hostile(manner) as target:
        result = look(kind, target.port, timeout=0.1, encryption=encryption)
        assert connected_to(target.port) == 0
    assert result.status is Status.CRITICAL
    assert is_clean(result.summary)


@pytest.mark.parametrize("kind", ["smtp", "imap", "pop3"])
def test_a_password_in_clear_text_is_refused(kind: str) -> None:
    with pytest.raises(ValidationError, match="would be sent in clear text"):
        PROBES[kind].spec.model_validate(PROBE)
